"""Cordboard as its users see it: a process with a demonstration, its accounts, REST and its stream. Standard library only."""

import asyncio
import base64
import http.client
import json
import signal
import socket
import subprocess
import time

from faults import Failed

LOCAL_IP = "127.0.0.1"
READY_S_MAX = 60.0
STOP_S_MAX = 30.0
REST_S_MAX = 20.0
TOKEN_S = 45
# Clients whose accounts were made anew try some wrong ones before they hear of it.
CONFIGURATION = """
[rte]
origins = ["{origin}"]
token_s = {token_s}
ping_ms = 5000

[identity]
jwt_leeway_s = 0
failures_per_minute_max = 1000

[kafka_listener]
enabled = false
"""


def free_port():
    with socket.socket() as probe:
        probe.bind((LOCAL_IP, 0))
        return probe.getsockname()[1]


class Cordboard:
    """One `cordboard serve --demo` with its data in `work`; may be killed or stopped, and started again."""

    def __init__(self, binary, work, seed, speed, origin):
        self.binary, self.work, self.seed, self.speed = binary, work, seed, speed
        self.port = free_port()
        self.config = work / "cordboard.toml"
        self.config.write_text(CONFIGURATION.format(origin=origin, token_s=TOKEN_S), encoding="utf-8")
        self.accounts, self.process = {}, None
        self._out, self._log = work / "cordboard.out", (work / "cordboard.log").open("ab")

    @property
    def url(self):
        return f"http://{LOCAL_IP}:{self.port}"

    async def start(self):
        command = [self.binary, "serve", "--demo", "--seed", str(self.seed), "--speed", str(self.speed), "--config", self.config]
        command += ["--data", self.work / "data", "--http", f"{LOCAL_IP}:{self.port}"]
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=self._log)
        deadline = time.monotonic() + READY_S_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failed(f"cordboard serve ended with {self.process.returncode}; see {self.work}/cordboard.log")
            if await asyncio.to_thread(self._ready) and self._read_accounts():
                return
            await asyncio.sleep(0.05)
        raise Failed(f"/readyz and the accounts were not there within {READY_S_MAX} s; see {self.work}/cordboard.log")

    def _ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def _read_accounts(self):
        lines = self._out.read_text(encoding="utf-8").splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        accounts = {account["role"]: account for account in told}
        if "administrator" not in accounts:  # the last of them
            return False
        self.accounts = accounts
        return True

    async def kill(self):
        """SIGKILL: nothing is flushed, nothing is said."""
        self.process.kill()
        await asyncio.to_thread(self.process.wait)

    async def stop(self):
        """SIGTERM: it says goodbye."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.to_thread(self.process.wait, STOP_S_MAX)
        except subprocess.TimeoutExpired:
            await self.kill()
            raise Failed(f"cordboard serve did not stop within {STOP_S_MAX} s of SIGTERM") from None
        if code != 0:
            raise Failed(f"cordboard serve stopped with {code}")

    def basic(self, role="administrator"):
        account = self.accounts[role]
        return "Basic " + base64.b64encode(f"{account['user']}:{account['secret']}".encode()).decode()

    def get(self, path, method="GET", body=None, **headers):
        """(status, headers, body) of one request."""
        connection = http.client.HTTPConnection(LOCAL_IP, self.port, timeout=REST_S_MAX)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    async def rest(self, path, role="administrator"):
        status, _, body = await asyncio.to_thread(self.get, path, Authorization=self.basic(role))
        if status != 200:
            raise Failed(f"GET {path} was answered {status}: {body[:200]}")
        return json.loads(body)

    def follow(self):
        return Stream(self)


class Stream:
    """What the tenant's own stream says in the Enreach vocabulary: what clients of the hub are compared with. It goes on
    from its position when the server was away."""

    def __init__(self, cordboard):
        self._cordboard, self._position = cordboard, None
        self.said = []  # (when it came, body) of every message, in order
        self._task = asyncio.create_task(self._follow())
        self.fault = None

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self):
        while True:
            try:
                await self._read()
            except (OSError, asyncio.IncompleteReadError):
                pass
            except Failed as fault:
                self.fault = fault
                return
            except Exception as error:  # nobody waits for this task
                self.fault = Failed(f"the stream cannot be read: {type(error).__name__}: {error}")
                return
            await asyncio.sleep(0.1)

    async def _read(self):
        start = self._position or "start"
        path = f"/api/v1/events?dialect=enreach&follow=true&from={start}"
        token = self._cordboard.accounts["administrator"]["secret"]
        reader, writer = await asyncio.open_connection(LOCAL_IP, self._cordboard.port, limit=1 << 24)
        try:
            request = f"GET {path} HTTP/1.0\r\nHost: {LOCAL_IP}\r\nAuthorization: Bearer {token}\r\nAccept: application/x-ndjson\r\n\r\n"
            writer.write(request.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            status = int(head.split()[1])
            if status in (401, 503):
                return  # it is just starting: its accounts are made anew
            if status != 200:
                raise Failed(f"{path} was answered {head.splitlines()[0]}")
            while (line := await reader.readline()).endswith(b"\n"):
                self._take(line)
        finally:
            writer.close()

    def _take(self, line):
        if not line.strip():
            return
        told = json.loads(line)
        if "error" in told:
            raise ConnectionResetError(told["error"])  # a new start made the accounts anew
        if "value" not in told:
            raise Failed(f"the stream says {line.decode().strip()[:300]}")
        self.said.append((time.monotonic(), told["value"]))
        if not told.get("more", False):
            self._position = told["position"]
