"""A real Asterisk in its chroot, SIPp telephones, and the AMI connection that moves them. Standard library only."""

import array
import pathlib
import secrets
import socket
import subprocess
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
CHROOT = HERE.parent.parent / "scripts" / "asterisk-chroot"
CARRIER_IP, LOCAL_IP = "127.0.0.2", "127.0.0.1"
BOOT_S_MAX = 60.0
ACTION_S_MAX = 10.0
SILENT_SOUNDS = ("beep", "beeperr", "pbx-transfer", "pbx-invalid", "pbx-parkingfailed")


class PlayFailed(Exception):
    """What should have happened did not; the message says both."""


def free_port(kind, ip=LOCAL_IP):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((ip, 0))
        return probe.getsockname()[1]


def render(source, target, values):
    text = source.read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    target.write_text(text, encoding="utf-8")


class Asterisk:
    """One Asterisk with a configuration, spool and database of its own under `work`."""

    def __init__(self, work):
        self.work = work
        self.ami_port = free_port(socket.SOCK_STREAM)
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.trunk_port = free_port(socket.SOCK_DGRAM, CARRIER_IP)
        self.agent_port = {dn: free_port(socket.SOCK_DGRAM) for dn in ("1001", "1002", "1003", "1004")}
        self.cordboard_secret, self.driver_secret = secrets.token_hex(16), secrets.token_hex(16)
        self.process = None
        self._lay_out()

    def _lay_out(self):
        root = pathlib.Path(subprocess.check_output([CHROOT, "path"], text=True).strip())
        modules = next((root / "usr/lib").glob("*/asterisk/modules"))
        for name in ("etc", "lib", "data/agi-bin", "data/moh", "data/sounds/en", "spool", "run", "log/cdr-csv"):
            (self.work / name).mkdir(parents=True)
        (self.work / "data/documentation").symlink_to("/usr/share/asterisk/documentation")
        silence = array.array("B", [0xFF] * 800).tobytes()  # 100 ms of u-law silence: the package brings no sounds
        for name in (*(f"sounds/en/{sound}" for sound in SILENT_SOUNDS), "moh/silence"):
            (self.work / "data" / f"{name}.ulaw").write_bytes(silence)
        tone = bytes(0x80 if i // 8 % 2 else 0x00 for i in range(8000))  # a second of 500 Hz, for the telephones
        (self.work / "data/tone.ulaw").write_bytes(tone)
        values = {
            "DIR": self.work,
            "MODULES": "/" + str(modules.relative_to(root)),
            "AMI_PORT": self.ami_port,
            "SIP_PORT": self.sip_port,
            "TRUNK_PORT": self.trunk_port,
            "CORDBOARD_SECRET": self.cordboard_secret,
            "DRIVER_SECRET": self.driver_secret,
            **{f"PORT_{dn}": port for dn, port in self.agent_port.items()},
        }
        for source in sorted((HERE / "etc").glob("*.conf")):
            render(source, self.work / "etc" / source.name, values)

    def start(self):
        self.process = subprocess.Popen(
            [CHROOT, "exec", self.work, "asterisk", "-C", self.work / "etc/asterisk.conf", "-f"],
            stdin=subprocess.DEVNULL,
            stdout=(self.work / "log/console").open("wb"),
            stderr=subprocess.STDOUT,
        )
        self.driver().close()

    def driver(self):
        """A logged-in AMI connection for moving the plays; waits until Asterisk has booted."""
        deadline = time.monotonic() + BOOT_S_MAX
        while True:
            if self.process.poll() is not None:
                raise PlayFailed(f"Asterisk ended with {self.process.returncode}; see {self.work}/log")
            try:
                return Ami(self.ami_port, "driver", self.driver_secret)
            except (OSError, PlayFailed) as error:
                if time.monotonic() > deadline:
                    raise PlayFailed(f"no AMI on port {self.ami_port} after {BOOT_S_MAX} s: {error}") from error
                time.sleep(0.2)

    def stop(self):
        """SIGKILL: nothing that it would write on its way down is wanted, and a stopped one dies of it too."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def caller(self, name, **values):
        """A customer behind the carrier; `name` is a scenario in sipp/."""
        values = {"FROM": "+4790000001", "NAME": "Kari Nordmann", **values}
        return Sipp(self, name, CARRIER_IP, free_port(socket.SOCK_DGRAM, CARRIER_IP), True, values)

    def telephone(self, dn, name, **values):
        """The telephone of `dn`, ready for one call; `name` is a scenario in sipp/."""
        return Sipp(self, name, LOCAL_IP, self.agent_port[dn], False, values)

    def dials(self, dn, name, **values):
        """The telephone of `dn` makes a call itself."""
        return Sipp(self, name, LOCAL_IP, self.agent_port[dn], True, {"FROM": dn, "NAME": dn, **values})

    def customer(self, name, **values):
        """Whoever the carrier connects an outbound call to."""
        return Sipp(self, name, CARRIER_IP, self.trunk_port, False, values)


class Sipp:
    """One SIPp process that plays one call and then ends; what it saw is the telephone's own truth."""

    _count = 0
    _running = []

    def __init__(self, asterisk, name, ip, port, dials, values):
        Sipp._count += 1
        self.label = f"{Sipp._count:02}-{name}"
        self.folder = asterisk.work / "sipp" / self.label
        self.folder.mkdir(parents=True)
        scenario = self.folder / f"{name}.xml"
        render(HERE / "sipp" / f"{name}.xml", scenario, {**values, "TONE": asterisk.work / "data/tone.ulaw"})
        target = [f"{LOCAL_IP}:{asterisk.sip_port}"] if dials else []
        command = [CHROOT, "exec", asterisk.work, "sipp", *target, "-sf", scenario, "-i", ip, "-p", str(port), "-m", "1"]
        command += ["-mp", str(free_port(socket.SOCK_DGRAM, ip) & ~1), "-nostdin", "-timeout", "120s", "-trace_err"]
        command += ["-error_file", self.folder / "errors"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=(self.folder / "screen").open("wb"), stderr=subprocess.STDOUT
        )
        Sipp._running.append(self)
        if not dials:
            self._wait_bound(ip, port)

    def _wait_bound(self, ip, port):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind((ip, port))
                except OSError:
                    return
            time.sleep(0.02)
        raise PlayFailed(f"SIPp {self.label} does not listen on {ip}:{port}; see {self.folder}")

    def done(self, seconds=30.0):
        """Waits for the end of its call; its scenario must have been played to the last line."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise PlayFailed(f"SIPp {self.label} still in its call after {seconds} s; see {self.folder}") from None
        if code != 0:
            raise PlayFailed(f"SIPp {self.label} did not see the call it should have (exit {code}); see {self.folder}")

    def drop(self):
        """Takes the telephone off the net without a word."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @classmethod
    def drop_all(cls):
        while cls._running:
            cls._running.pop().drop()


class Ami:
    """A plain AMI client: actions and their answers, and every event with the time it came."""

    def __init__(self, port, user, secret):
        self.events = []  # (monotonic seconds, {header: first value})
        self._answers, self._next, self._arrived = {}, 0, threading.Condition()
        self._closed = False
        self._socket = socket.create_connection((LOCAL_IP, port), timeout=5)
        self._socket.settimeout(None)
        self._reader = self._socket.makefile("rb")
        if not self._reader.readline().startswith(b"Asterisk Call Manager/"):
            raise PlayFailed("no AMI banner")
        threading.Thread(target=self._read, daemon=True).start()
        self.action("Login", Username=user, Secret=secret)
        self.wait(lambda e: e.get("Event") == "FullyBooted", BOOT_S_MAX, "FullyBooted")

    def _read(self):
        message = {}
        try:
            for line in self._reader:
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if text:
                    key, _, value = text.partition(":")
                    message.setdefault(key, value[1:] if value.startswith(" ") else value)
                elif message:
                    self._take(message)
                    message = {}
        except (OSError, ValueError):
            pass
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()

    def _take(self, message):
        with self._arrived:
            if "Response" in message:
                self._answers[message.get("ActionID")] = message
            else:
                self.events.append((time.monotonic(), message))
            self._arrived.notify_all()

    def action(self, name, answered=True, **headers):
        self._next += 1
        action_id = f"compat-{id(self):x}-{self._next}"
        lines = [f"Action: {name}", f"ActionID: {action_id}", *(f"{k}: {v}" for k, v in headers.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        if not answered:
            return {}
        with self._arrived:
            self._arrived.wait_for(lambda: action_id in self._answers or self._closed, ACTION_S_MAX)
            answer = self._answers.pop(action_id, None)
        if answer is None or answer.get("Response") not in ("Success", "Goodbye"):
            raise PlayFailed(f"AMI {name}: {answer and answer.get('Message')}")
        return answer

    def now(self):
        """A place in the events, for `wait(after=…)`."""
        with self._arrived:
            return len(self.events)

    def wait(self, wanted, seconds=10.0, what="an event", after=0):
        """The first event after place `after` for which `wanted` holds, with the time it came."""
        deadline, place = time.monotonic() + seconds, after
        with self._arrived:
            while True:
                while place < len(self.events):
                    at, event = self.events[place]
                    place += 1
                    if wanted(event):
                        return at, event
                left = deadline - time.monotonic()
                if left <= 0 or self._closed:
                    raise PlayFailed(f"Asterisk did not report {what} within {seconds} s")
                self._arrived.wait(left)

    def channel_of(self, device):
        """The name of the one channel of `device` that is up."""
        return self._channel_of(device)["Channel"]

    def application_of(self, device):
        """What the one channel of `device` runs, with what it was told."""
        return self._channel_of(device)["ApplicationData"]

    def _channel_of(self, device):
        place = self.now()
        self.action("CoreShowChannels")
        self.wait(lambda e: e.get("Event") == "CoreShowChannelsComplete", what="the list of channels", after=place)
        found = [
            e
            for _, e in self.events[place:]
            if e.get("Event") == "CoreShowChannel" and e["Channel"].startswith(f"PJSIP/{device}-")
        ]
        if len(found) != 1:
            raise PlayFailed(f"{device} should have one channel and has {[e['Channel'] for e in found]}")
        return found[0]

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
