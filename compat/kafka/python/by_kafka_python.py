"""A consumer by kafka-python that does what its first line of stdin says, and says what happened; see ../puppets.md."""

import json
import logging
import sys
import threading
import traceback

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.structs import OffsetAndMetadata

POLL_MS = 300
WAIT_MS = 30_000
BOOTSTRAP_MS = 6_000
SAYING = threading.Lock()


def say(**fact):
    with SAYING:
        sys.stdout.write(json.dumps(fact) + "\n")
        sys.stdout.flush()


def text(data):
    return None if data is None else data.decode("utf-8", "surrogateescape")


def tell(record):
    headers = [[name, text(value)] for name, value in record.headers]
    say(
        said="record", topic=record.topic, partition=record.partition, offset=record.offset, timestamp=record.timestamp,
        key=text(record.key), value=text(record.value), headers=headers,
    )  # fmt: skip


def connection(job):
    where = {"bootstrap_servers": job["bootstrap"], "client_id": "by-kafka-python", "bootstrap_timeout_ms": BOOTSTRAP_MS}
    if "password" in job:
        where |= {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN"}
        where |= {"sasl_plain_username": job["user"], "sasl_plain_password": job["password"]}
    return where


def sizes(job):
    if job.get("sizes") == "tiny":
        return {"fetch_max_bytes": 1000, "max_partition_fetch_bytes": 700, "max_poll_records": 3}
    if job.get("sizes") == "large":
        return {"fetch_max_bytes": 1 << 30, "max_partition_fetch_bytes": 1 << 29, "max_poll_records": 100_000}
    return {}


def consumer(job, **more):
    return KafkaConsumer(**connection(job), **sizes(job), auto_offset_reset="earliest", enable_auto_commit=False, **more)


def read(job):
    """Everything below `ends`: {topic: [end of each partition]}."""
    reader = consumer(job)
    ends = {TopicPartition(topic, place): end for topic, list_ in job["ends"].items() for place, end in enumerate(list_)}
    reader.assign(list(ends))
    reader.seek_to_beginning()
    left = {partition for partition, end in ends.items() if end > 0}
    while left:
        for partition, records in reader.poll(POLL_MS).items():
            for record in records:
                if record.offset < ends[partition]:
                    tell(record)
        left = {partition for partition in left if reader.position(partition) < ends[partition]}
    reader.close()


def ends(job):
    """Where every partition of every topic that it sees begins and ends."""
    reader = consumer(job)
    wanted = [name for name in sorted(reader.topics()) if not name.startswith("__")]
    partitions = [TopicPartition(name, place) for name in wanted for place in sorted(reader.partitions_for_topic(name))]
    starts, stops = reader.beginning_offsets(partitions), reader.end_offsets(partitions)
    for partition in partitions:
        say(said="end", topic=partition.topic, partition=partition.partition, start=starts[partition], end=stops[partition])
    reader.close()


def times(job):
    """For each moment and partition the first record that is not older, read from there, or null."""
    reader = consumer(job)
    partitions = [TopicPartition(job["topic"], place) for place in range(job["partitions"])]
    reader.assign(partitions)
    for moment in job["moments"]:
        found = reader.offsets_for_times({partition: moment for partition in partitions})
        for partition, place in found.items():
            say(said="found", moment=moment, partition=partition.partition, offset=place and place.offset, timestamp=place and place.timestamp)
    reader.close()


class Member(ConsumerRebalanceListener):
    """A member of a group: begins to read at `go`, commits after every `commit_every` records, and after `wait_at` records
    does nothing any more, without a commit of the last ones."""

    def __init__(self, job):
        self.job, self.count, self.new, self.goes, self.over = job, 0, 0, not job.get("hold"), False
        self.reader = consumer(
            job, group_id=job["group"], session_timeout_ms=job["session_ms"], heartbeat_interval_ms=500,
            partition_assignment_strategy=(RangePartitionAssignor,), max_poll_records=job.get("poll_records", 50),
        )  # fmt: skip
        self.reader.subscribe(topics=job["topics"], listener=self)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in sys.stdin:
            self.goes = self.goes or json.loads(line)["do"] == "go"
        self.over = True

    def on_partitions_revoked(self, revoked):
        say(said="revoked", partitions=[[partition.topic, partition.partition] for partition in revoked])

    def on_partitions_assigned(self, assigned):
        if not self.goes:
            self.reader.pause(*assigned)
        say(said="assigned", partitions=sorted([partition.topic, partition.partition] for partition in assigned))

    def commit(self):
        offsets = {partition: self.reader.position(partition) for partition in self.reader.assignment()}
        self.reader.commit({partition: OffsetAndMetadata(place, "", -1) for partition, place in offsets.items()})
        said = [[partition.topic, partition.partition, place] for partition, place in offsets.items()]
        say(said="committed", offsets=said)
        self.new = 0

    def play(self):
        while not self.over:
            if self.goes and self.reader.paused():
                self.reader.resume(*self.reader.paused())
            for records in self.reader.poll(POLL_MS).values():
                for record in records:
                    tell(record)
                    self.count, self.new = self.count + 1, self.new + 1
            wait_at = self.job.get("wait_at")
            if wait_at and self.count >= wait_at:
                say(said="waits")
                threading.Event().wait()
            if self.new >= self.job["commit_every"] or (self.new and self.job.get("eager")):
                self.try_commit()
        if self.new:
            self.try_commit()
        self.reader.close()

    def try_commit(self):
        try:
            self.commit()
        except Exception as error:  # the group is being shared out anew: what was not committed comes again
            say(said="uncommitted", error=f"{type(error).__name__}: {error}")
            self.new = 0


def wait(job):
    """Says what comes next after now."""
    reader = consumer(job, fetch_max_wait_ms=WAIT_MS, request_timeout_ms=WAIT_MS + 15_000)
    partitions = [TopicPartition(job["topic"], place) for place in range(job["partitions"])]
    reader.assign(partitions)
    reader.seek_to_end()
    for partition in partitions:
        reader.position(partition)
    say(said="waits")
    came = reader.poll(WAIT_MS)
    for records in came.values():
        for record in records:
            tell(record)
    reader.close()


def produce(job):
    producer = KafkaProducer(**connection(job), max_block_ms=15_000, delivery_timeout_ms=20_000, request_timeout_ms=10_000)
    sent = [
        producer.send(
            job["topic"], key=record["key"].encode(), value=record["value"].encode(), timestamp_ms=record.get("timestamp"),
            headers=[(name, value.encode()) for name, value in record.get("headers", [])],
        )
        for record in job["records"]
    ]  # fmt: skip
    for future in sent:
        future.get(timeout=20)
    producer.close()
    say(said="produced")


def create(job):
    admin = KafkaAdminClient(**connection(job))
    admin.create_topics({job["topic"]: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
    say(said="created")


JOBS = {"read": read, "ends": ends, "times": times, "wait": wait, "produce": produce, "create": create, "member": lambda job: Member(job).play()}


def main():
    logging.basicConfig(level=logging.WARNING)  # why it cannot connect is in its log only
    job = json.loads(sys.stdin.readline())
    try:
        JOBS[job["do"]](job)
        say(said="done")
    except Exception as error:  # whatever fails is told
        traceback.print_exc()
        say(said="failed", error=f"{type(error).__name__}: {error}")


main()
