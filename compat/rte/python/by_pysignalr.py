"""A client by pysignalr that does what it is told: commands in, what happened out; see ../puppets.md."""

import asyncio
import base64
import json
import sys
import urllib.request

from pysignalr.client import SignalRClient
from pysignalr.protocol.messagepack import MessagepackProtocol

LINE_BYTES_MAX = 1 << 22


def say(**fact):
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def rte_token(account):
    basic = base64.b64encode(f"{account['user']}:{account['secret']}".encode()).decode()
    request = urllib.request.Request(f"{account['api']}/token/me/rte/", headers={"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


class Puppet:
    def __init__(self):
        self.client = self.running = None
        self.stood = False

    async def open(self, command):
        rte = await asyncio.to_thread(rte_token, command)
        # Its access_token_factory takes effect only behind the first socket, so the token goes into the headers.
        headers = {"Authorization": f"Bearer {command.get('token') or rte['Token']}"}
        protocol = MessagepackProtocol() if command.get("protocol") == "messagepack" else None
        client = SignalRClient(command.get("hub") or rte["WSSEndpoint"], protocol=protocol, headers=headers, retry_count=1)
        client.on("MessageReceived", self.received)
        client.on_open(self.opened)
        client.on_close(self.closed)
        client.on_error(self.error)
        self.client, self.stood = client, False
        self.running = asyncio.create_task(self.run(client))

    async def run(self, client):
        try:
            await client.run()
        except asyncio.CancelledError:
            say(said="closed", error=None)
        except Exception as error:  # whatever ends it is told
            say(said="closed" if self.stood else "failed", error=f"{type(error).__name__}: {error}")

    async def received(self, arguments):
        say(said="message", value=arguments[0])

    async def opened(self):
        self.stood = True
        say(said="open")

    async def closed(self):
        say(said="reconnecting", error=None)

    async def error(self, _completion):
        """An error is told by its invocation; without this callback the client would end."""

    async def invoke(self, command):
        async def answered(completion):
            if completion.error:
                say(said="error", number=command["number"], error=completion.error)
            else:
                say(said="result", number=command["number"], value=completion.result)

        await self.client.send(command["method"], command["arguments"], answered)

    async def account(self, _command):
        """Every `open` brings its own."""

    async def stop(self, _command):
        self.running.cancel()

    async def obey(self, command):
        try:
            await getattr(self, command["do"])(command)
        except Exception as error:  # whatever fails is told
            say(said="failed", error=f"{type(error).__name__}: {error}")


async def main():
    stdin = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    puppet = Puppet()
    while line := await stdin.readline():
        await puppet.obey(json.loads(line))


asyncio.run(main())
