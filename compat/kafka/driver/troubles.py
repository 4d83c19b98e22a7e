#!/usr/bin/env python3
"""What can befall a Kafka that Cordboard publishes to, and Cordboard meanwhile. After each trouble the topics there hold,
per key, the same records in the same order as Cordboard's own listener: none missing, none twice.

usage: PYTHONPATH=compat/shared troubles.py CORDBOARD CACHE [--away-s SECONDS] [--only TEXT]...    also played by main.py
"""

import argparse
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

from apache import CONFIGS
from apache import TOPICS as TOPICS_TOOL
from apache import Kafka, SmallDisk
from clients import Broker, Log, clients
from cordboard import Cordboard
from faults import Failed, expect
from house import STILL, TOPICS
from topics import by_key, same

SEED, SPEED = 7, 30
KILLS = 4
AWAY_S = 20.0
REQUEST_S = 2.0  # after which an answer of the broker is given up
SETTLE_S_MAX = 120.0
DISK_MIB = 256
CHANCE = 5  # of the moments of kills
CANARY = "not-to-be-seen-8d1f"
CONFIGURATION = """
[kafka]
brokers = ["{broker}"]
security = "sasl_plaintext"
user = "cordboard"
password_file = "{password}"
request_ms_max = 2000
reconnect_ms_max = 500
retry_ms_max = 1000
silence_ms_max = 4000
checkpoint_ms = 500
"""


class Trouble:
    """A life that goes on from trouble to trouble."""

    def __init__(self, binary, cache, work, away_s=AWAY_S):
        self.work, self.away_s, self.random = work, away_s, random.Random(CHANCE)
        work.mkdir(parents=True, exist_ok=True)
        self.disk = small_disk(work / "disk")
        logs = {"logs": self.disk.path / "logs"} if self.disk else {}
        self.apache = Kafka(cache, work / "apache", users={"cordboard": CANARY}, **logs)
        self.password = work / "password"
        self.password.write_text(CANARY + "\n", encoding="utf-8")
        self.cordboard = Cordboard(binary, work / "cordboard")
        self._configure()
        self.reader = clients(Log(cache, work / "clients.log"))["kafka-python"]
        self.brokers = [Broker("ours", self.cordboard.bootstrap, work), Broker("apache", self.apache.bootstrap, work)]
        self.records = {}

    def open(self):
        self.apache.start()
        self._live()

    def close(self):
        for end in (self.cordboard.stop, self.apache.stop, self.disk and (lambda: self.disk.__exit__())):
            try:
                _ = end and end()
            except Failed as fault:
                print(f"       {fault}", flush=True)

    def scenes(self):
        """(broker's name, client's name, title, function) of each; one after the other, in this order."""
        for title, what in [
            ("Cordboard is killed again and again", self.killed),
            ("the broker is killed and starts again", self.broker_killed),
            ("the broker answers nothing for longer than a request may take", self.frozen),
            ("Cordboard is killed while the broker answers nothing", self.killed_while_frozen),
            ("both are killed", self.both_killed),
            (f"there is no broker for {self.away_s:g} s", self.away),
            ("the disk of the broker is full", self.full),
            ("a topic is deleted", self.deleted),
            ("the broker does not know who it is", self.unknown),
            ("a topic is missing and may not be made", self.missing),
            ("records are larger than the topic takes", self.too_large),
            ("the password is in no line", self.silent),
        ]:
            yield "apache", "publisher", title, what

    def killed(self):
        for _ in range(KILLS):
            time.sleep(self.random.uniform(0.3, 3.0))
            self.cordboard.kill()
            self._live()
        return self._equal()

    def broker_killed(self):
        time.sleep(1)
        self.apache.kill()
        time.sleep(2)
        self.apache.start()
        time.sleep(1)
        return self._equal()

    def frozen(self):
        time.sleep(self.random.uniform(0.5, 1.5))
        self.apache.freeze()
        time.sleep(4 * REQUEST_S)
        self.apache.thaw()
        time.sleep(1)
        return self._equal()

    def killed_while_frozen(self):
        time.sleep(self.random.uniform(0.5, 1.5))
        self.apache.freeze()
        time.sleep(1.5 * REQUEST_S)
        self.cordboard.kill()
        self._live()
        time.sleep(1)
        self.apache.thaw()
        time.sleep(1)
        return self._equal()

    def both_killed(self):
        time.sleep(self.random.uniform(0.5, 1.5))
        self.apache.kill()
        self.cordboard.kill()
        self._live()
        self.apache.start()
        return self._equal()

    def away(self):
        self.apache.stop()
        began = time.monotonic()
        self._broken("unreachable")
        time.sleep(max(0.0, self.away_s - (time.monotonic() - began)))
        self.apache.start()
        return self._repaired()

    def full(self):
        if self.disk is None:
            return "not tried: a small disk can only be mounted by root"
        self.disk.fill()
        self.apache.wait_end(SETTLE_S_MAX)
        time.sleep(1)
        self.disk.free()
        self.apache.start()
        return self._equal()

    def deleted(self):
        self._tool(TOPICS_TOOL, "--delete", "--topic", TOPICS[0])
        return self._equal()

    def unknown(self):
        """The password is read again with each try."""
        self.cordboard.stop()
        self.password.write_text("wrong\n", encoding="utf-8")
        self._live()
        self._broken("not_authorised")
        self.password.write_text(CANARY + "\n", encoding="utf-8")
        return self._repaired()

    def missing(self):
        """And it is made by somebody else, with another number of partitions."""
        self.cordboard.stop()
        self._configure("create_topics = false")
        self._tool(TOPICS_TOOL, "--delete", "--topic", TOPICS[2])
        self._live()
        self._broken("topic_missing")
        self._tool(TOPICS_TOOL, "--create", "--topic", TOPICS[2], "--partitions", 3)
        text = self._repaired()
        self._configure()
        return text

    def too_large(self):
        change = ["--entity-type", "topics", "--entity-name", TOPICS[1], "--alter"]
        self._tool(CONFIGS, *change, "--add-config", "max.message.bytes=100")
        self._broken("too_large")
        self._tool(CONFIGS, *change, "--delete-config", "max.message.bytes")
        return self._repaired()

    def silent(self):
        """librdkafka knows the password, and may be told to tell everything."""
        lines = self.cordboard.log.read_text(encoding="utf-8", errors="replace")
        expect(CANARY not in lines, "the password of the broker is in the log")
        code, metrics = self.cordboard.get("/metrics")
        expect(code == 200 and "cordboard_kafka_records_total" in metrics, f"/metrics was answered {code}, or tells nothing of Kafka")
        expect(CANARY not in metrics + self.cordboard.get("/readyz")[1], "the password of the broker is told")
        return f"{len(lines.splitlines())} lines of log"

    def _tool(self, main, *words):
        done = self.apache.tool(main, *words)
        expect(done.returncode == 0, f"{main} {words}: {done.stdout}{done.stderr}")

    def _configure(self, more=""):
        text = CONFIGURATION.format(broker=self.apache.sasl_bootstrap, password=self.password)
        self.cordboard.config.write_text(text + more + "\n", encoding="utf-8")

    def _broken(self, state):
        """Until `/readyz` says that this is in the way, and is not ready."""

        def is_said():
            code, text = self.cordboard.get("/readyz")
            return code == 503 and f'"state":"{state}"' in text and '"why":"kafka: ' in text

        self._until(f"{state} in /readyz", is_said, SETTLE_S_MAX)

    def _repaired(self):
        self._until("readiness", lambda: self.cordboard.get("/readyz")[0] == 200, SETTLE_S_MAX)
        return self._equal()

    def _live(self):
        self.cordboard.start("--demo", "--seed", SEED, "--speed", SPEED, "--log-level", "debug")

    def _equal(self):
        """The life stands still, everything arrives, and is compared; then it goes on."""
        self.cordboard.stop()
        lively = self.cordboard.config.read_text(encoding="utf-8")
        self.cordboard.config.write_text(lively + STILL, encoding="utf-8")
        self.cordboard.start("--log-level", "debug")
        seen = []

        def is_still():
            seen.append([self._counts(broker) for broker in self.brokers])
            return seen[-1][0] == seen[-1][1] and len(seen) > 1 and seen[-1] == seen[-2]

        try:
            self._until("agreement of both", is_still, SETTLE_S_MAX)
        except Failed:  # what is missing or too much is said by the comparison
            print(f"       {seen[-1:]}; {self.cordboard.get('/readyz')[1]}", flush=True)
        for broker in self.brokers:
            ends = {topic: [end for _, end in places] for topic, places in self.reader.ends(broker).items()}
            self.records[broker.name] = sorted(self.reader.read(broker, ends), key=lambda record: record.place)
        text = same(self)
        expect(len(self.records["ours"]) == len(self.records["apache"]), f"not as many there: {len(self.records['apache'])}")
        for key, records in by_key(self.records["apache"]).items():
            ids = [dict(record.headers)["event-id"] for record in records]
            expect(len(ids) == len(set(ids)), f"a record of {key} is there twice")
        self.cordboard.stop()
        self.cordboard.config.write_text(lively, encoding="utf-8")
        self._live()
        return text

    def _counts(self, broker):
        return {topic: sum(end - start for start, end in places) for topic, places in self.reader.ends(broker).items()}

    def _until(self, what, is_so, seconds):
        deadline, why = time.monotonic() + seconds, ""
        while True:
            try:
                if is_so():
                    return
            except (Failed, OSError) as fault:
                why = f": {fault}"
            if time.monotonic() > deadline:
                raise Failed(f"no {what} within {seconds:g} s{why}")
            time.sleep(0.3)


def small_disk(path):
    disk = SmallDisk(path, DISK_MIB)
    try:
        return disk.__enter__()
    except (Failed, FileNotFoundError):
        return None


def main():
    from main import Report

    parser = argparse.ArgumentParser()
    parser.add_argument("cordboard", type=pathlib.Path)
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("--away-s", type=float, default=AWAY_S)
    parser.add_argument("--only", action="append", default=[])
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report, work = Report(arguments.only), pathlib.Path(tempfile.mkdtemp(prefix="cordboard-kafka-"))
    trouble = Trouble(arguments.cordboard, arguments.cache, work, arguments.away_s)
    try:
        trouble.open()
        for scene in trouble.scenes():
            if report.is_wanted(*scene[:3]):
                report.play(*scene)
    finally:
        trouble.close()
    print(f"troubles: {report.passed} passed, {len(report.failures)} failed")
    if report.failures:
        print(f"what was written is in {work}")
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
