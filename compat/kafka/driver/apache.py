"""A real Apache Kafka: one KRaft node on free loopback ports, its tools, and what can befall it. Standard library only.

    with SmallDisk(work / "disk", 64) as disk:                # only where its disk shall fill up; needs root
        kafka = Kafka(cache, work / "kafka", logs=disk.path)
        kafka.start()
        kafka.kill(); kafka.start()                           # the same ports, the same data
        kafka.freeze(); kafka.thaw()
        print(kafka.tool(TOPICS, "--list").stdout)
        kafka.stop()
"""

import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from faults import Failed

LOCAL_IP = "127.0.0.1"
READY_S_MAX = 90.0
STOP_S_MAX = 60.0
TOOL_S_MAX = 120.0
TOPICS = "org.apache.kafka.tools.TopicCommand"
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"
PRODUCER = "org.apache.kafka.tools.ConsoleProducer"
OFFSETS = "org.apache.kafka.tools.GetOffsetShell"
CONFIGS = "kafka.admin.ConfigCommand"
PERFORMANCE = "org.apache.kafka.tools.ProducerPerformance"
# A node that is ready soon, forgets nothing by itself, and ends on the first fault of its disk as a real one does.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "offsets.topic.num.partitions": "3",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "log.retention.ms": "-1",
    "log.message.timestamp.after.max.ms": str((1 << 63) - 1),  # a demonstration's clock may be hours ahead of ours
    "log.segment.bytes": str(16 << 20),
    "log.index.size.max.bytes": str(1 << 20),
    "controlled.shutdown.enable": "false",
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "300",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": str(4 << 20),
}


def free_port():
    with socket.socket() as probe:
        probe.bind((LOCAL_IP, 0))
        return probe.getsockname()[1]


class Java:
    """Programs of Apache Kafka as tools.sh of compat/kafka has put them into `cache`."""

    def __init__(self, cache):
        self._lib, self._archives = pathlib.Path(cache) / "apache" / "lib", pathlib.Path(cache) / "apache" / "archives"

    def command(self, main, *words, heap_mib=256, options=()):
        quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", f"-Xmx{heap_mib}m"]
        if (archive := self._archive(main)).exists():
            quick += [f"-XX:SharedArchiveFile={archive}", "-Xlog:disable"]
        log = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        return ["java", *quick, *log, *options, "-cp", f"{self._lib}/*", main, *map(str, words)]

    def run(self, main, *words, text="", seconds=TOOL_S_MAX, **how):
        """What became of it (`returncode`, `stdout`, `stderr`). Never longer than `seconds`. The first run of a program leaves
        its classes in an archive, so that later ones begin in half the time."""
        archive = self._archive(main)
        fresh = None if archive.exists() else archive.with_name(f"{archive.name}.{os.getpid()}.{threading.get_ident()}")
        if fresh:
            archive.parent.mkdir(exist_ok=True)
            how["options"] = [*how.get("options", ()), f"-XX:ArchiveClassesAtExit={fresh}", "-Xlog:disable"]
        try:
            return subprocess.run(self.command(main, *words, **how), input=text, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{main.rpartition('.')[2]} {' '.join(map(str, words))} did not end within {seconds:g} s") from None
        finally:
            if fresh and fresh.exists():
                fresh.replace(archive)

    def _archive(self, main):
        return self._archives / f"{main}.jsa"


class Kafka:
    """One node. Everything of it lies in `work`; the records in `logs` where that is given, so that their disk may be small.
    `settings` go over those above. With `users` ({name: password}) there is a listener for SASL, too (PLAIN, SCRAM-SHA-256
    and SCRAM-SHA-512: `sasl_bootstrap`); with `pem` (a file with key and certificate) one for TLS (`tls_bootstrap`)."""

    def __init__(self, cache, work, logs=None, settings=None, users=None, pem=None, heap_mib=512):
        self.java, self.work = Java(cache), pathlib.Path(work)
        self.logs = pathlib.Path(logs) if logs else self.work / "logs"
        self.port, self._controller = free_port(), free_port()
        self._sasl, self._tls = users and free_port(), pem and free_port()
        self._users, self._pem, self._heap_mib = users or {}, pem, heap_mib
        self._wishes, self.process = dict(settings or {}), None
        self.log = self.work / "kafka.log"

    bootstrap = property(lambda self: f"{LOCAL_IP}:{self.port}")
    sasl_bootstrap = property(lambda self: f"{LOCAL_IP}:{self._sasl}")
    tls_bootstrap = property(lambda self: f"{LOCAL_IP}:{self._tls}")

    def start(self):
        """Returns when it serves clients. A second start goes on with the data that is there."""
        if not (self.work / "server.properties").exists():
            self._format()
        with self.log.open("ab") as log:
            words = self.java.command("kafka.Kafka", self.work / "server.properties", heap_mib=self._heap_mib)
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.work)
        deadline = time.monotonic() + READY_S_MAX
        while not self._serves():
            if self.process.poll() is not None:
                raise Failed(f"Apache Kafka ended with {self.process.returncode}: {self.complaints()}")
            if time.monotonic() > deadline:
                self.kill()
                raise Failed(f"Apache Kafka did not serve within {READY_S_MAX:g} s: {self.complaints()}")
            time.sleep(0.1)

    def stop(self):
        """SIGTERM: it flushes and says goodbye. Nothing to do where it has ended."""
        if not self.runs():
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        """SIGKILL: nothing is flushed, nothing is said."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def freeze(self):
        """SIGSTOP: connections stand, nothing answers."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def restart(self):
        self.stop()
        self.start()

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def wait_end(self, seconds):
        """Until it ends by itself, as it does where its disk is full."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"Apache Kafka still runs after {seconds:g} s") from None

    def tool(self, main, *words, **how):
        """One of its tools, told where the node is."""
        return self.java.run(main, "--bootstrap-server", self.bootstrap, *words, **how)

    def create_topic(self, name, partitions, **settings):
        extra = [word for key, value in settings.items() for word in ("--config", f"{key.replace('_', '.')}={value}")]
        done = self.tool(TOPICS, "--create", "--topic", name, "--partitions", partitions, "--replication-factor", 1, *extra)
        if done.returncode != 0:
            raise Failed(f"the topic {name} cannot be made: {done.stdout}{done.stderr}")

    def complaints(self):
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return " | ".join(lines[-12:])

    def _serves(self):
        """Whether its metadata name a node that lives: before that, topics have no leader."""
        metadata = bytes.fromhex("0000000e00030001000000070000" + "00000000")
        try:
            with socket.create_connection((LOCAL_IP, self.port), timeout=2) as stream:
                stream.sendall(metadata)
                answer = stream.recv(12, socket.MSG_WAITALL)
                return len(answer) == 12 and int.from_bytes(answer[8:], "big") > 0
        except OSError:
            return False

    def _format(self):
        self.work.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        properties = {**SETTINGS, **self._listeners(), **self._wishes}
        properties |= {"log.dirs": self.logs, "metadata.log.dir": self.work / "metadata"}
        text = "".join(f"{key}={value}\n" for key, value in properties.items())
        place = self.work / "server.properties"
        place.write_text(text, encoding="utf-8")
        scram = [f"{how}=[name={name},password={word}]" for name, word in self._users.items() for how in ("SCRAM-SHA-256", "SCRAM-SHA-512")]
        words = [part for word in scram for part in ("--add-scram", word)]
        done = self.java.run("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", place, *words)
        if done.returncode != 0:
            place.unlink()
            raise Failed(f"its storage cannot be formatted: {done.stdout}{done.stderr}")

    def _listeners(self):
        ports = {"PLAINTEXT": self.port, "CONTROLLER": self._controller, "SASL": self._sasl, "TLS": self._tls}
        told = {name: f"{name}://{LOCAL_IP}:{port}" for name, port in ports.items() if port}
        properties = {
            "listeners": ",".join(told.values()),
            "advertised.listeners": ",".join(url for name, url in told.items() if name != "CONTROLLER"),
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL",
            "controller.quorum.voters": f"1@{LOCAL_IP}:{self._controller}",
        }
        if self._sasl:
            known = " ".join(f'user_{name}="{word}"' for name, word in self._users.items())
            plain = f"org.apache.kafka.common.security.plain.PlainLoginModule required {known};"
            scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            properties |= {
                "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
                "listener.name.sasl.plain.sasl.jaas.config": plain,
                "listener.name.sasl.scram-sha-256.sasl.jaas.config": scram,
                "listener.name.sasl.scram-sha-512.sasl.jaas.config": scram,
            }
        if self._pem:
            properties |= {"listener.name.tls.ssl.keystore.type": "PEM", "listener.name.tls.ssl.keystore.location": self._pem}
        return properties


class SmallDisk:
    """A disk of its own of so many MiB at `path`, in memory; needs root. `fill` leaves no byte free, `free` gives it back."""

    def __init__(self, path, mib):
        self.path, self._mib = pathlib.Path(path), mib
        self._ballast = self.path / "ballast"

    def __enter__(self):
        self.path.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self._mib}m", "cordboard", self.path], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"a small disk cannot be mounted, which needs root: {done.stderr.strip()}")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=False)

    def fill(self):
        block = bytes(1 << 16)
        with self._ballast.open("ab", buffering=0) as ballast:
            while True:
                try:
                    if ballast.write(block) < len(block):
                        block = block[: max(1, len(block) // 2)]
                except OSError:  # full
                    if len(block) == 1:
                        return
                    block = block[: len(block) // 2]

    def free(self):
        self._ballast.unlink(missing_ok=True)
