"""A house whose life fills topics, at Cordboard and, published by it, at Apache Kafka, while consumers live through
restarts of both. Then it stands still, so that whole topics can be compared."""

import concurrent.futures
import json
import time

from apache import Kafka
from clients import Broker, Log, clients
from cordboard import Cordboard
from faults import Failed, expect, expect_equal

DEMO = ["--demo", "--seed", 7, "--speed", 60]
LIFE_S = 5.0  # between two restarts
SETTLE_S_MAX = 60.0
TOPICS = ["cordboard-event", "voice-agentstate", "voice-callthread"]
DIALECTS = {"cordboard": ["cordboard-event"], "genesys": ["voice-agentstate", "voice-callthread"]}
PARTITIONS = 4
CONFIGURATION = """
[kafka]
brokers = ["{brokers}"]
retry_ms_max = 1000
reconnect_ms_max = 500
"""
# The same tenant without its switch: nothing happens any more.
STILL = """
[kafka_listener]
anonymous = true
[[tenant]]
name = "demo"
"""


class House:
    def __init__(self, binary, cache, work):
        self.work, self.log = work, Log(cache, work / "clients.log")
        self.clients = clients(self.log)
        self.apache = Kafka(cache, work / "apache")
        self.java = self.apache.java
        self._configuration = CONFIGURATION.format(brokers=self.apache.bootstrap)
        self.cordboard = Cordboard(binary, work / "cordboard", self._configuration)
        self.brokers = [Broker("ours", self.cordboard.bootstrap, work), Broker("apache", self.apache.bootstrap, work)]
        self.ends, self.records, self.told, self.companions = {}, {}, {}, []

    @property
    def reference(self):
        """The client whose reading the others are compared with; it is itself compared with the stream."""
        return self.clients["kafka-python"]

    def live(self):
        """The whole life. Companions read all the while; they are judged later."""
        self.apache.start()
        self.cordboard.start(*DEMO)
        self.until("topics at both", lambda: all(sorted(self.reference.ends(broker)) == TOPICS for broker in self.brokers))
        self.companions = [companion for broker in self.brokers for companion in companions_of(self, broker)]
        time.sleep(LIFE_S)
        for companion in self.companions:
            companion.before_restart()
        self._restart(self.cordboard.stop, self.apache.stop)
        time.sleep(LIFE_S)
        self._restart(self.cordboard.kill, self.apache.kill)
        time.sleep(LIFE_S)
        self.cordboard.stop()
        self.cordboard.configure(self._configuration + STILL)
        self.cordboard.start()
        for companion in self.companions:
            companion.after_restarts()
        self._stand_still()

    def _restart(self, end, end_apache):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            apache = pool.submit(lambda: (end_apache(), self.apache.start()))
            end()
            self.cordboard.start(*DEMO)
            apache.result()

    def _stand_still(self):
        """Until the stream and both brokers say the same number of messages, twice."""
        seen = []

        def is_still():
            told = {dialect: len(self._stream(dialect)) for dialect in DIALECTS}
            ends = {broker.name: self._ends(broker) for broker in self.brokers}
            wanted = {"cordboard": told["cordboard"], "genesys": told["genesys"]}
            counts = {name: {dialect: sum(sum(of[topic]) for topic in topics) for dialect, topics in DIALECTS.items()} for name, of in ends.items()}
            seen.append((wanted, counts))
            self.ends = ends
            return all(count == wanted for count in counts.values()) and len(seen) > 1 and seen[-2] == seen[-1]

        try:
            self.until("still house", is_still)
        except Failed:  # whatever is missing or too much is said by the comparisons
            print(f"       the stream and the brokers do not agree: {seen[-1]}", flush=True)
        self.told = {dialect: self._stream(dialect) for dialect in DIALECTS}
        for broker in self.brokers:
            self.records[broker.name] = sorted(self.reference.read(broker, self.ends[broker.name]), key=lambda record: record.place)

    def _stream(self, dialect):
        topics = DIALECTS[dialect]
        told = self.cordboard.told(dialect, self.cordboard.accounts["administrator"]["secret"])
        return [line for line in told if line.get("channel") in topics]

    def _ends(self, broker):
        found = self.reference.ends(broker)
        return {topic: [end for _, end in places] for topic, places in found.items()}

    def until(self, what, is_so, seconds=SETTLE_S_MAX):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if is_so():
                    return
                why = ""
            except Failed as fault:
                why = f": {fault}"
            if time.monotonic() > deadline:
                raise Failed(f"no {what} within {seconds:g} s{why}")
            time.sleep(0.3)

    def close(self):
        for companion in self.companions:
            companion.close()
        self.cordboard.stop()
        self.apache.stop()


class Companion:
    """A consumer in a group of its own, which lives through the restarts of its broker."""

    title = "lives through restarts"

    def __init__(self, house, broker, client, topics):
        self.house, self.broker, self.client, self.topics = house, broker, client, topics
        self.runs = [self._member()]

    def _member(self):
        return self.client.member(self.broker, f"life-{self.title.split()[0]}-{self.client.name.replace(' ', '-')}", self.topics, eager=True)

    def before_restart(self):
        pass

    def after_restarts(self):
        """kcat ends by itself where its only broker is gone: it is started again, as a shell would."""
        if self.runs[-1].ended is not None:
            self.runs.append(self._member())

    def judge(self):
        """Misses nothing, sees what is there at its place, and nothing again that it committed."""
        records = {record.place: record for record in self.house.records[self.broker.name] if record.topic in self.topics}
        seen = lambda: {record.place for run in self.runs for record in run.records}
        until_whole = lambda: self.runs[-1].until(lambda _: records.keys() <= seen(), SETTLE_S_MAX, f"whole topics ({len(records)} records)")
        anew = ""
        try:
            until_whole()
        except Failed:
            # kafka-python now and then never finds its only broker again, a real Kafka that was killed. Ours it must find.
            if self.broker.name == "ours":
                raise
            self.runs[-1].kill()
            self.runs.append(self._member())
            until_whole()
            anew = ", only when it was started again"
        self.client.end(self.runs[-1])
        for run in self.runs:
            for record in run.records:
                expect_equal("a record seen in life and the same place now", records.get(record.place, record), record)
        commits = check_commits(self.runs)
        doubles = sum(len(run.records) for run in self.runs) - len(seen())
        return f"{len(records)} records over a clean stop and kill -9, {doubles} of them again, {commits} commits{anew}"

    def close(self):
        for run in self.runs:
            run.kill()


class Away(Companion):
    """It commits and goes before the restarts, and comes back after them."""

    title, fault = "is away during restarts", None

    def before_restart(self):
        try:
            self.runs[0].wait("committed")
            self.client.end(self.runs[0])
        except Failed as fault:  # said when it is judged
            self.fault = fault

    def after_restarts(self):
        self.runs.append(self._member())

    def judge(self):
        if self.fault:
            raise self.fault
        return super().judge()


def companions_of(house, broker):
    for client in house.clients.values():
        yield Companion(house, broker, client, TOPICS if client.name != "java console" else TOPICS[2:])
    for name in ("kafka-python", "kafkajs"):
        yield Away(house, broker, house.clients[name], TOPICS)


def check_commits(runs):
    """That no run is told a record that it, or one before it, has committed. Gives the number of commits."""
    committed, commits = {}, 0
    for run in runs:
        for fact in list(run.facts):
            if fact["said"] == "committed":
                commits += 1
                committed |= {(topic, place): offset for topic, place, offset in fact["offsets"]}
            elif fact["said"] == "record":
                upto = committed.get((fact["topic"], fact["partition"]), 0)
                expect(fact["offset"] >= upto, f"{fact['topic']} {fact['partition']}: {fact['offset']} came again after {upto} was committed")
    return commits


def normal(text):
    """JSON with its members in their order, whatever the spaces."""
    return json.dumps(json.loads(text) if isinstance(text, str) else text, ensure_ascii=False)
