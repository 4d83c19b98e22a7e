"""Other people's clients, each in a process of its own: what they are told to do, and what they say. They judge nothing."""

import dataclasses
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import typing

from apache import CONSUMER, PRODUCER, Java
from faults import Failed

HERE = pathlib.Path(__file__).resolve().parent.parent
SAY_S_MAX = 40.0
READ_S_MAX = 90.0
END_S_MAX = 20.0
SESSION_MS = 6000  # Apache Kafka allows no shorter one
WAIT_MS = 30_000
NUMBERS = itertools.count(1)


class Record(typing.NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: str
    value: str
    headers: tuple

    @property
    def place(self):
        return self.topic, self.partition, self.offset

    @property
    def content(self):
        """What is the same wherever it lies."""
        return self.topic, self.timestamp, self.key, self.value, self.headers


@dataclasses.dataclass(frozen=True)
class Broker:
    """Where records are read: `name` is that of the report."""

    name: str
    bootstrap: str
    work: pathlib.Path
    user: str = ""
    password: str | None = None

    def as_user(self, user, password):
        return dataclasses.replace(self, user=user, password=password)

    def job(self, **job):
        secret = {} if self.password is None else {"user": self.user, "password": self.password}
        return {"bootstrap": self.bootstrap, **secret, **job}

    def properties(self, **more):
        """A file of settings for librdkafka and Java: the token is in no command line."""
        lines = {"bootstrap.servers": self.bootstrap, **more}
        if self.password is not None:
            lines |= {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}
        return lines

    def file(self, lines):
        path = self.work / f"properties-{next(NUMBERS)}"
        path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()), encoding="utf-8")
        return path

    def rdkafka(self, **more):
        lines = self.properties(**more)
        if self.password is not None:
            lines |= {"sasl.username": self.user, "sasl.password": self.password}
        return self.file(lines)

    def java(self, **more):
        lines = self.properties(**more)
        if self.password is not None:
            login = "org.apache.kafka.common.security.plain.PlainLoginModule"
            lines["sasl.jaas.config"] = f'{login} required username="{self.user}" password="{self.password}";'
        return self.file(lines)


class Run:
    """One client process. `facts` is what it said, a dict each with `said`."""

    def __init__(self, command, facts_of, log, first=None, facts_of_error=None):
        self.facts, self.ended, self.errors = [], None, []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "NODE_PATH": str(log.cache / "js" / "node_modules"), "NO_COLOR": "1"},
        )  # fmt: skip
        self._log = log
        readers = [(self._process.stdout, facts_of, False), (self._process.stderr, facts_of_error, True)]
        self._readers = [threading.Thread(target=self._read, args=words, daemon=True) for words in readers]
        for reader in self._readers:
            reader.start()
        threading.Thread(target=self._await, daemon=True).start()
        if first is not None:
            self.tell(first)

    def _read(self, stream, facts_of, is_error):
        for line in stream:
            text = line.decode("utf-8", "surrogateescape").rstrip("\n")
            try:
                new = list(facts_of(text)) if facts_of else []
            except (ValueError, IndexError, KeyError) as error:
                new = [{"said": "failed", "error": f"{type(error).__name__} {error} in the line {text[:300]!r}"}]
            with self._changed:
                if is_error:
                    self.errors.append(text)
                    self._log.write(text)
                self.facts.extend(new)
                self._changed.notify_all()

    def _await(self):
        for reader in self._readers:
            reader.join()
        code = self._process.wait()
        with self._changed:
            self.ended = code
            self._changed.notify_all()

    @property
    def records(self):
        return [as_record(fact) for fact in list(self.facts) if fact["said"] == "record"]

    def tell(self, command):
        self._process.stdin.write((json.dumps(command) + "\n").encode())
        self._process.stdin.flush()

    def until(self, found, seconds, what):
        """Waits until `found(facts)` gives something, and gives it; sooner a failure, where it says one or ends."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                if thing := found(self.facts):
                    return thing
                if fault := next((fact for fact in self.facts if fact["said"] == "failed"), None):
                    raise Failed(f"it fails: {fact_error(fault)}: {self.tail()}")
                if self.ended is not None:
                    raise Failed(f"no {what}: the client ended with {self.ended}: {self.tail()}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Failed(f"no {what} within {seconds:g} s; it said {self.summary()}: {self.tail()}")
                self._changed.wait(left)

    def wait(self, name, seconds=SAY_S_MAX, after=0):
        return self.until(lambda facts: next((fact for fact in facts[after:] if fact["said"] == name), None), seconds, name)

    def finish(self, seconds=SAY_S_MAX):
        """Until it ends by itself; gives its exit code."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while self.ended is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
        if self.ended is None:
            self.kill()
            raise Failed(f"it did not end within {seconds:g} s; it said {self.summary()}: {self.tail()}")
        return self.ended

    def close(self, seconds=END_S_MAX):
        """Its input ends, and so does it."""
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        return self.finish(seconds)

    def terminate(self, seconds=END_S_MAX):
        self._process.send_signal(signal.SIGTERM)
        return self.finish(seconds)

    def kill(self):
        """SIGKILL: it leaves no group and commits nothing."""
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()

    def refusal(self):
        """What it complains of, where it was refused."""
        return next((fact_error(fact) for fact in self.facts if fact["said"] == "failed"), "") or " ".join(self.errors)

    def summary(self):
        counts = {}
        for fact in self.facts:
            counts[fact["said"]] = counts.get(fact["said"], 0) + 1
        return counts

    def tail(self):
        """The newest of what it complains of, refusals first: traces of the stack hide them."""
        said = [line for line in self.errors if "uth" in line and "Sending" not in line][-2:] + self.errors[-4:]
        return " | ".join(dict.fromkeys(said))[:1500]


def as_record(fact):
    fields = {name: fact[name] for name in Record._fields}
    return Record(**fields | {"headers": tuple(tuple(header) for header in fact["headers"])})


def fact_error(fact):
    return fact.get("error", "")


class Log:
    """What all clients complain of, in one file."""

    def __init__(self, cache, path):
        self.cache, self._file, self._lock = cache, path.open("a", encoding="utf-8", errors="surrogateescape"), threading.Lock()

    def write(self, text):
        with self._lock:
            self._file.write(text + "\n")
            self._file.flush()


class Puppet:
    """A client that speaks what puppets.md says."""

    can = {"read", "times", "member", "wait", "produce", "ends", "commits"}

    def __init__(self, name, command, log):
        self.name, self._command, self._log = name, command, log

    def run(self, job):
        return Run(self._command, lambda line: [json.loads(line)], self._log, first=job)

    def read(self, broker, ends, **wishes):
        run = self.run(broker.job(do="read", ends=ends, **wishes))
        try:
            run.wait("done", READ_S_MAX)
            return run.records
        finally:
            run.kill()

    def ends(self, broker):
        """{topic: [(start, end) of each partition]} of all that it sees."""
        run = self.run(broker.job(do="ends"))
        try:
            run.wait("done")
        finally:
            run.kill()
        found = {}
        for fact in run.facts:
            if fact["said"] == "end":
                found.setdefault(fact["topic"], []).append((fact["start"], fact["end"]))
        return found

    def times(self, broker, topic, partitions, moments):
        """{(moment, partition): offset or None}"""
        run = self.run(broker.job(do="times", topic=topic, partitions=partitions, moments=moments))
        try:
            run.wait("done")
        finally:
            run.kill()
        return {(fact["moment"], fact["partition"]): fact["offset"] for fact in run.facts if fact["said"] == "found"}

    def member(self, broker, group, topics, commit_every=100, **wishes):
        return self.run(broker.job(do="member", group=group, topics=topics, commit_every=commit_every, session_ms=SESSION_MS, **wishes))

    def wait_for_one(self, broker, topic, partitions):
        return self.run(broker.job(do="wait", topic=topic, partitions=partitions))

    def produce(self, broker, topic, records):
        return self.run(broker.job(do="produce", topic=topic, records=records, retries=1))

    def end(self, run):
        return run.close()


class Kcat:
    """kcat, which is librdkafka."""

    name, can = "kcat", {"read", "times", "member", "wait", "produce"}

    def __init__(self, log):
        self._log = log

    def _run(self, file, *words, first=None, facts_of_error=None):
        return Run(["kcat", "-F", file, *words], self._facts, self._log, first, facts_of_error)

    def _facts(self, line):
        told = json.loads(line)
        headers = told.get("headers") or []
        pairs = list(zip(headers[::2], headers[1::2]))
        yield {
            "said": "record", "topic": told["topic"], "partition": told["partition"], "offset": told["offset"], "timestamp": told["ts"],
            "key": told["key"], "value": told["payload"], "headers": pairs,
        }  # fmt: skip

    def read(self, broker, ends, sizes=None):
        more = {"tiny": {"fetch.message.max.bytes": 700, "fetch.max.bytes": 1000, "message.max.bytes": 1000}, "large": {"fetch.message.max.bytes": 1_000_000_000, "fetch.max.bytes": 2_147_483_135}}.get(sizes, {})
        runs = [self._run(broker.rdkafka(**more), "-C", "-t", topic, "-o", "beginning", "-e", "-J") for topic in ends]
        records = []
        for run in runs:
            if run.finish(READ_S_MAX) != 0:
                raise Failed(f"kcat ended with {run.ended}: {run.tail()}")
            run.until(lambda _: True, 1, "")
            records += [record for record in run.records if record.offset < ends[record.topic][record.partition]]
        return records

    def times(self, broker, topic, partitions, moments):
        """It asks for one moment of each partition at a time and answers a line `topic [partition] offset N` each; -1 is the end."""
        found = {}
        for moment in moments:
            asked = [word for place in range(partitions) for word in ("-t", f"{topic}:{place}:{moment}")]
            command = ["kcat", "-F", broker.rdkafka(), "-Q", *asked]
            done = subprocess.run(command, capture_output=True, text=True, timeout=SAY_S_MAX)
            if done.returncode != 0:
                raise Failed(f"kcat -Q ended with {done.returncode}: {done.stderr}")
            for line in done.stdout.splitlines():
                _, place, _, offset = line.split()
                found[moment, int(place[1:-1])] = None if offset == "-1" else int(offset)
        return found

    def from_time(self, broker, topic, moment):
        return self._run(broker.rdkafka(), "-C", "-t", topic, "-o", f"s@{moment}", "-e", "-J")

    def member(self, broker, group, topics, **_):
        """It begins at once and commits by itself."""
        more = {"session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": 500, "auto.offset.reset": "earliest", "auto.commit.interval.ms": 300}
        more |= {"partition.assignment.strategy": "range", "client.id": "by-kcat"}
        return self._run(broker.rdkafka(**more), "-G", group, "-J", "-u", *topics)

    def wait_for_one(self, broker, topic, partitions):
        more = {"fetch.wait.max.ms": WAIT_MS, "debug": "fetch"}
        asks = lambda line: [{"said": "waits"}] if "|FETCH|" in line and "Fetch topic" in line else []
        return self._run(broker.rdkafka(**more), "-C", "-t", topic, "-o", "end", "-c", 1, "-J", "-u", facts_of_error=asks)

    def produce(self, broker, topic, records):
        lines = "".join(f"{record['key']}\t{record['value']}\n" for record in records)
        run = Run(
            ["kcat", "-F", broker.rdkafka(**{"message.timeout.ms": 15_000}), "-P", "-t", topic, "-K", "\t"], lambda _: [], self._log,
            facts_of_error=lambda line: [{"said": "failed", "error": line}] if "rror" in line or "failed" in line else [],
        )  # fmt: skip
        run._process.stdin.write(lines.encode())
        run._process.stdin.close()
        return run

    def end(self, run):
        return run.terminate()


class JavaConsole:
    """Kafka's own console consumer and producer."""

    name, can = "java console", {"read", "member", "produce"}
    FORMAT = ("print.timestamp", "print.partition", "print.offset", "print.headers", "print.key", "print.value")

    def __init__(self, log):
        self._java, self._log = Java(log.cache), log

    def _consume(self, broker, topic, *words, **more):
        shown = [word for name in self.FORMAT for word in ("--property", f"{name}=true")]
        command = self._java.command(
            CONSUMER, "--bootstrap-server", broker.bootstrap, "--consumer.config", broker.java(**more), "--topic", topic, *shown, *words
        )
        return Run(command, lambda line: self._facts(topic, line), self._log)

    def _facts(self, topic, line):
        if not line.startswith("CreateTime:"):
            return
        timestamp, partition, offset, headers, key, value = line.split("\t", 5)
        pairs = [] if headers == "NO_HEADERS" else [header.split(":", 1) for header in headers.split(",")]
        yield {
            "said": "record", "topic": topic, "partition": number(partition), "offset": number(offset), "timestamp": number(timestamp),
            "key": key, "value": value, "headers": pairs,
        }  # fmt: skip

    def read(self, broker, ends, sizes=None):
        """It can only be told how many records to read: of a topic that stands still that is all of it."""
        more = {"tiny": {"fetch.max.bytes": 1000, "max.partition.fetch.bytes": 700}, "large": {"fetch.max.bytes": 1 << 30, "max.partition.fetch.bytes": 1 << 29}}.get(sizes, {})
        runs = [self._consume(broker, topic, "--from-beginning", "--max-messages", sum(list_), "--timeout-ms", 30_000, **more) for topic, list_ in ends.items() if sum(list_)]
        records = []
        for run in runs:
            run.finish(READ_S_MAX)
            records += run.records
        if len(records) < sum(map(sum, ends.values())):
            raise Failed(f"the console consumer ended after {len(records)} records: {runs[0].tail()}")
        return records

    def member(self, broker, group, topics, protocol="classic", **_):
        """Of one topic; it begins at once and commits by itself."""
        more = {"auto.commit.interval.ms": 300, "client.id": "by-java", "group.protocol": protocol}
        if protocol == "classic":
            more |= {"session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": 500}
            more["partition.assignment.strategy"] = "org.apache.kafka.clients.consumer.RangeAssignor"
        return self._consume(broker, topics[0], "--group", group, "--from-beginning", **more)

    def produce(self, broker, topic, records):
        lines = "".join(f"{record['value']}\n" for record in records)
        more = {"delivery.timeout.ms": 15_000, "request.timeout.ms": 5_000, "linger.ms": 0, "max.block.ms": 15_000}
        command = self._java.command(PRODUCER, "--bootstrap-server", broker.bootstrap, "--producer.config", broker.java(**more), "--topic", topic)
        run = Run(command, lambda _: [], self._log, facts_of_error=lambda line: [{"said": "failed", "error": line}] if "Exception" in line else [])
        run._process.stdin.write(lines.encode())
        run._process.stdin.close()
        return run

    def end(self, run):
        return run.terminate()


def number(text):
    return int(text.rpartition(":")[2])


def clients(log):
    """All of them by name."""
    python = Puppet("kafka-python", [sys.executable, HERE / "python" / "by_kafka_python.py"], log)
    javascript = Puppet("kafkajs", ["node", HERE / "js" / "by_kafkajs.js"], log)
    return {client.name: client for client in (python, javascript, Kcat(log), JavaConsole(log))}
