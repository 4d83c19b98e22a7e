"""Cordboard as its users see it: a process, its tokens, its stream, and its listener for Kafka clients. Standard library only."""

import http.client
import json
import signal
import subprocess
import time

from apache import LOCAL_IP, free_port
from faults import Failed

READY_S_MAX = 60.0
STOP_S_MAX = 30.0
REST_S_MAX = 30.0


class Cordboard:
    """One `cordboard serve` with its data in `work`; may be killed or stopped, and started again on the same ports."""

    def __init__(self, binary, work, configuration=""):
        self.binary, self.work, self.process, self.accounts = binary, work, None, {}
        work.mkdir(parents=True, exist_ok=True)
        self.port, self.kafka_port = free_port(), free_port()
        self.config, self._out, self.log = work / "cordboard.toml", work / "cordboard.out", work / "cordboard.log"
        self.configure(configuration)

    bootstrap = property(lambda self: f"{LOCAL_IP}:{self.kafka_port}")

    def configure(self, text):
        """From the next start on."""
        self.config.write_text(text, encoding="utf-8")

    def start(self, *words):
        """`words` are more of the command line, as `--demo`. Returns when it is ready."""
        command = [self.binary, "serve", *words, "--config", self.config, "--data", self.work / "data"]
        command += ["--http", f"{LOCAL_IP}:{self.port}", "--kafka", self.bootstrap]
        with self._out.open("wb") as out, self.log.open("ab") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        deadline = time.monotonic() + READY_S_MAX
        while not (self._is_ready() and self._read_accounts("--demo" in words)):
            if self.process.poll() is not None:
                raise Failed(f"cordboard serve ended with {self.process.returncode}: {self.complaints()}")
            if time.monotonic() > deadline:
                raise Failed(f"cordboard serve was not ready within {READY_S_MAX:g} s: {self.complaints()}")
            time.sleep(0.05)

    def _is_ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def _read_accounts(self, is_demo):
        lines = self._out.read_text(encoding="utf-8").splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        if is_demo:  # makes them anew
            self.accounts = {account["role"]: account for account in told}
        return not is_demo or "administrator" in self.accounts  # the last of them

    def kill(self):
        """SIGKILL: nothing is flushed, nothing is said."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM: it says goodbye."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"cordboard serve did not stop within {STOP_S_MAX:g} s of SIGTERM") from None
        if code != 0:
            raise Failed(f"cordboard serve stopped with {code}: {self.complaints()}")

    def complaints(self):
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return " | ".join(lines[-6:])

    def get(self, path, token=None, method="GET", body=None):
        """(status, body) of one request."""
        connection = http.client.HTTPConnection(LOCAL_IP, self.port, timeout=REST_S_MAX)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ask(self, path, token, **body):
        """What a POST of this body is answered."""
        status, text = self.get(path, token, "POST", json.dumps(body))
        if status != 200:
            raise Failed(f"POST {path} {body} was answered {status}: {text[:300]}")
        return json.loads(text)

    def told(self, dialect, token):
        """Everything that the stream of a tenant says in a vocabulary, from the beginning."""
        path = f"/api/v1/events?dialect={dialect}&from=start&format=ndjson"
        status, text = self.get(path, token)
        if status != 200:
            raise Failed(f"GET {path} was answered {status}: {text[:300]}")
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def token(self, *words):
        """A new token, by what `token create` is told."""
        return self._tokens("create", *words).strip()

    def revoke(self, name):
        """Takes back the token of this name."""
        ids = [line.split()[0] for line in self._tokens("list").splitlines() if f" {name} " in line]
        for id in ids:
            self._tokens("revoke", id)

    def _tokens(self, *words):
        command = [self.binary, "token", "--data", self.work / "data", *words]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"cordboard token {words[0]}: {done.stderr}")
        return done.stdout
