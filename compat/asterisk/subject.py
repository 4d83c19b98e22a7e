"""Cordboard as its users see it: a process, its configuration, its HTTP interface. Standard library only."""

import http.client
import json
import socket
import subprocess
import threading
import time

from pbx import LOCAL_IP, PlayFailed, free_port

CONFIGURATION = """
[http]
listen = "127.0.0.1:{http}"

[kafka_listener]
enabled = false

[[tenant]]
name = "main"

[[tenant.asterisk]]
name = "pbx1"
address = "127.0.0.1:{ami}"
user = "cordboard"
secret_file = "{secret}"
trunks = ["trunk"]
user_data = ["CUSTOMER_ID"]
dial_context = "internal"
conference_context = "rooms"
telephones_take_notify = true
"""
TOKEN_ARGUMENTS = ("create", "--tenant", "main", "--name", "compat")
READY_S_MAX = 20.0
BEGINS = {"EventRinging", "EventDialing", "EventQueued", "EventRouteRequest"}
MOVES = {"EventPartyChanged", "EventPartyAdded"}  # with PreviousConnID: the party goes on in another call
ENDS = {"EventReleased", "EventAbandoned", "EventDiverted", "EventDestinationBusy", "EventRouteUsed"}


class Cordboard:
    """One `cordboard serve` with its data in `work`; may be killed and started again."""

    def __init__(self, binary, work, asterisk):
        self.binary, self.work = binary, work
        self.port = free_port(socket.SOCK_STREAM)
        self.config = work / "cordboard.toml"
        self.data = work / "data-cordboard"
        self.process, self._log = None, (work / "cordboard.log").open("wb")
        secret = work / "cordboard.secret"
        secret.write_text(asterisk.cordboard_secret, encoding="utf-8")
        self.config.write_text(CONFIGURATION.format(http=self.port, ami=asterisk.ami_port, secret=secret), encoding="utf-8")
        self.token = self._make_token()

    def _make_token(self):
        command = [self.binary, "token", *TOKEN_ARGUMENTS, "--data", self.data]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise PlayFailed(f"cordboard token: exit {answer.returncode}: {answer.stderr.strip()}")
        return answer.stdout.split()[-1]

    def start(self):
        command = [self.binary, "serve", "--config", self.config, "--data", self.data]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self.wait_ready()

    def kill(self):
        """SIGKILL: nothing is flushed, nothing is said."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def get(self, path, **headers):
        """(status, body) of one request with the token."""
        connection = http.client.HTTPConnection(LOCAL_IP, self.port, timeout=5)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ask(self, **request):
        """What `POST /api/v1/requests` answers: an object with `events` and `error`."""
        connection = http.client.HTTPConnection(LOCAL_IP, self.port, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            connection.request("POST", "/api/v1/requests", json.dumps(request), headers)
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if not isinstance(answer, dict) or "error" not in answer:
            raise PlayFailed(f"{request} was answered {answer}")
        return answer

    def ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait_ready(self, seconds=READY_S_MAX):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise PlayFailed(f"cordboard serve ended with {self.process.returncode}; see {self.work}/cordboard.log")
            if self.ready():
                return
            time.sleep(0.05)
        raise PlayFailed(f"/readyz was not 200 within {seconds} s; see {self.work}/cordboard.log")

    def follow(self, position=None):
        return Follower(self, position)

    def everything(self):
        """All messages from the first position on, as a reader that comes late gets them."""
        status, body = self.get("/api/v1/events?dialect=genesys&from=start", Accept="application/x-ndjson")
        if status != 200:
            raise PlayFailed(f"/api/v1/events answered {status}: {body[:200]}")
        return [message for message in map(Message.parse, body.splitlines()) if message]


class Message:
    """One message of the stream: its position, channel and the vendor's object."""

    def __init__(self, line, at):
        self.at = at
        self.position, self.channel, self.key, self.value = line["position"], line["channel"], line["key"], line["value"]
        self.more = line.get("more", False)  # another message of the same event follows

    @classmethod
    def parse(cls, text, at=None):
        """None for the empty line that shows that the stream lives. Nothing here asks for a snapshot or is slow, so a
        line that resyncs or ends the stream is a failure."""
        if not text.strip():
            return None
        line = json.loads(text)
        if "value" not in line:
            raise PlayFailed(f"the stream says {text.strip()[:300]}")
        return cls(line, at)

    def __getattr__(self, name):
        return self.value.get(name)

    def __repr__(self):
        return f"{self.position} {self.id} {self.ThisDN}"


class Follower:
    """Reads the live stream in a thread and keeps every message with the time it came."""

    def __init__(self, cordboard, position):
        self.messages, self._changed, self.ended, self._failed = [], threading.Condition(), False, None
        self._connection = http.client.HTTPConnection(LOCAL_IP, cordboard.port, timeout=300)
        start = f"from={position}" if position is not None else "from=now"
        self._connection.request(
            "GET",
            f"/api/v1/events?dialect=genesys&follow=true&{start}",
            headers={"Authorization": f"Bearer {cordboard.token}", "Accept": "application/x-ndjson"},
        )
        self._answer = self._connection.getresponse()
        if self._answer.status != 200:
            raise PlayFailed(f"/api/v1/events?follow answered {self._answer.status}: {self._answer.read(300)!r}")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while text := self._answer.readline():
                message = Message.parse(text.decode(), time.monotonic())
                if message:
                    with self._changed:
                        self.messages.append(message)
                        self._changed.notify_all()
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass  # the server was killed, or this reader closed
        except PlayFailed as error:
            self._failed = error
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def place(self):
        with self._changed:
            return len(self.messages)

    def wait(self, name, dn, seconds=5.0, after=0, **values):
        """The first `name` on `dn` after place `after`, with these values."""
        deadline, place = time.monotonic() + seconds, after
        with self._changed:
            while True:
                while place < len(self.messages):
                    message = self.messages[place]
                    place += 1
                    if message.id == name and message.ThisDN == dn and values.items() <= message.value.items():
                        return message
                left = deadline - time.monotonic()
                if self._failed:
                    raise self._failed
                if left <= 0 or self.ended:
                    with_these = f" with {values}" if values else ""
                    raise PlayFailed(f"no {name} on {dn}{with_these} within {seconds} s; got {self.messages[after:]}")
                self._changed.wait(left)

    def quiet(self, seconds=1.0, limit=20.0):
        """Waits until nothing has come for `seconds`."""
        deadline = time.monotonic() + limit
        with self._changed:
            while time.monotonic() < deadline:
                before = len(self.messages)
                self._changed.wait_for(lambda: len(self.messages) > before, seconds)
                if len(self.messages) == before:
                    return

    def resume(self, place):
        """What was read since `place`, as far as whole events came, and the position to go on from."""
        messages = self.since(place)
        while messages and messages[-1].more:
            messages.pop()
        return messages, messages[-1].position

    def since(self, place):
        with self._changed:
            if self._failed:
                raise self._failed
            return self.messages[place:]

    def close(self):
        try:
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass


class Watch:
    """Asks /readyz again and again; (monotonic seconds, ready) for each answer."""

    def __init__(self, cordboard, period_s=0.05):
        self.seen, self._stop = [], threading.Event()
        self._thread = threading.Thread(target=self._run, args=(cordboard, period_s), daemon=True)
        self._thread.start()

    def _run(self, cordboard, period_s):
        while not self._stop.wait(period_s):
            self.seen.append((time.monotonic(), cordboard.ready()))

    def stop(self):
        self._stop.set()
        self._thread.join()
        return self.seen


# --- what must hold of messages -------------------------------------------------------------------------------------


def on(messages, dn):
    """The names of the call events told on one directory number, in order."""
    return [m.id for m in messages if m.ThisDN == dn and m.ConnID is not None]


def expect_order(messages, wanted):
    """`wanted` maps a directory number to the names of its call events, in order, none missing and none more. A name
    starting with `?` may be absent; a tuple is a choice of one."""
    for dn, names in wanted.items():
        told = on(messages, dn)
        if not _matches(told, list(names)):
            raise PlayFailed(f"{dn}: told {told}, should be {list(names)}")


def _matches(told, wanted):
    if not wanted:
        return not told
    first, rest = wanted[0], wanted[1:]
    if isinstance(first, str) and first.startswith("?"):
        return _matches(told, rest) or bool(told) and told[0] == first[1:] and _matches(told[1:], rest)
    choice = first if isinstance(first, tuple) else (first,)
    return bool(told) and told[0] in choice and _matches(told[1:], rest)


def expect_values(messages, name, dn, **wanted):
    """The attributes of every `name` told on `dn`, of which there must be one."""
    found = [m for m in messages if m.id == name and m.ThisDN == dn]
    if not found:
        raise PlayFailed(f"no {name} on {dn}")
    for message in found:
        wrong = {k: message.value.get(k) for k, v in wanted.items() if message.value.get(k) != v}
        if wrong:
            raise PlayFailed(f"{name} on {dn} says {wrong}, should say {({k: wanted[k] for k in wrong})}")


def expect_one_thread(messages):
    """All call events belong to one call thread, and every one names a call."""
    threads = {m.CallThreadID for m in messages if m.ConnID is not None}
    if len(threads) != 1 or None in threads:
        raise PlayFailed(f"one call thread expected, got {threads}")


def expect_begin_and_end_once(messages):
    """Every party of every call begins, and ends once before it may begin again."""
    present = {}
    for m in messages:
        leg = (m.ThisDN, m.ConnID)
        if m.ConnID is None:
            continue
        if m.PreviousConnID and present.get((m.ThisDN, m.PreviousConnID)) and m.id in MOVES:
            present[leg] = present.pop((m.ThisDN, m.PreviousConnID))
        elif m.id in BEGINS:
            if present.get(leg):
                raise PlayFailed(f"{m!r}: begins while it is there already")
            present[leg] = True
        elif m.id in ENDS:
            if not present.get(leg):
                raise PlayFailed(f"{m!r}: ends without being there")
            present[leg] = False
    left = [leg for leg, there in present.items() if there]
    if left:
        raise PlayFailed(f"never ended: {left}")


def expect_same_story(told, stored):
    """What readers were told live is what the log says afterwards: nothing missing, nothing twice, same order."""
    live = [(m.position, m.channel, m.key, json.dumps(m.value)) for m in told]
    log = [(m.position, m.channel, m.key, json.dumps(m.value)) for m in stored]
    if live and live[0] in log:
        log = log[log.index(live[0]) :][: len(live)]
    if live != log:
        i = next((i for i, (a, b) in enumerate(zip(live, log)) if a != b), min(len(live), len(log)))
        raise PlayFailed(f"live and stored differ at {i}: {live[i : i + 2]} and {log[i : i + 2]}")
