"""A client by signalrcore that does what it is told: commands in, what happened out; see ../puppets.md."""

import base64
import json
import logging
import os
import sys
import threading
import urllib.request

from signalrcore.hub_connection_builder import HubConnectionBuilder
from signalrcore.protocol.messagepack_protocol import MessagePackHubProtocol
from signalrcore.types import HttpTransportType

TRANSPORTS = {
    "WebSockets": HttpTransportType.web_sockets,
    "ServerSentEvents": HttpTransportType.server_sent_events,
    "LongPolling": HttpTransportType.long_polling,
}
RETRY_S = 1
SAYING = threading.Lock()


def say(**fact):
    with SAYING:
        sys.stdout.write(json.dumps(fact) + "\n")
        sys.stdout.flush()


def rte_token(account):
    basic = base64.b64encode(f"{account['user']}:{account['secret']}".encode()).decode()
    request = urllib.request.Request(f"{account['api']}/token/me/rte/", headers={"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


class Puppet:
    def __init__(self):
        self.hub, self.account, self.waiting = None, None, {}

    def open(self, command):
        self.account = command
        endpoint = command.get("hub") or rte_token(command)["WSSEndpoint"]
        options = {"access_token_factory": lambda: command.get("token") or rte_token(self.account)["Token"]}
        if "transport" in command:
            options["transport"] = TRANSPORTS[command["transport"]]
        if command.get("skip"):
            options["skip_negotiation"] = True
        builder = HubConnectionBuilder().with_url(endpoint, options=options).configure_logging(logging.CRITICAL)
        if command.get("protocol") == "messagepack":
            builder.with_hub_protocol(MessagePackHubProtocol())
        if command.get("again") == "once":
            builder.with_automatic_reconnect({"type": "raw", "keep_alive_interval": 5, "reconnect_interval": RETRY_S})
        self.hub = builder.build()
        self.hub.on("MessageReceived", lambda arguments: say(said="message", value=arguments[0]))
        self.hub.on_open(lambda: say(said="open"))
        self.hub.on_reconnect(lambda: say(said="reconnected"))
        self.hub.on_close(lambda: say(said="closed", error=None))
        self.hub.on_error(self.error)
        self.hub.start()

    def invoke(self, command):
        number = command["number"]

        def answered(completion):
            say(said="result", number=number, value=completion.result)

        self.hub.send(command["method"], command["arguments"], answered, invocation_id=f"call-{number}")

    def error(self, completion):
        number = int(completion.invocation_id.removeprefix("call-"))
        say(said="error", number=number, error=completion.error)

    def stop(self, _command):
        self.hub.stop()

    def obey(self, command):
        try:
            getattr(self, command["do"])(command)
        except Exception as error:  # whatever fails is told
            say(said="failed", error=f"{type(error).__name__}: {error}")


def main():
    puppet = Puppet()
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "account":
            puppet.account.update(command)
        else:
            puppet.obey(command)
    os._exit(0)  # its threads may be waiting for a server


main()
