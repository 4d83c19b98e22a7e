"""What is said of topics that stand still: the same of both brokers, whichever client asks."""

import collections
import itertools

from kafka.partitioner.default import murmur2

from apache import CONFIGS, OFFSETS, TOPICS as TOPICS_TOOL
from faults import Failed, expect, expect_equal
from house import PARTITIONS, TOPICS, normal

SIZES = [None, "tiny", "large"]
HEADERS = ["tenant", "position", "event-id", "origin", "schema"]
SHOWN = 3
SHORT = "voice-agentstate"  # what is read where reading takes long


def scenes(house):
    """(broker's name, client's name, title, function) of each."""
    for broker, client in itertools.product(house.brokers, house.clients.values()):
        for sizes in SIZES:
            title = f"reads whole topics, {sizes} fetches" if sizes else "reads whole topics"
            yield broker.name, client.name, title, bind(reads, house, broker, client, sizes)
        if "times" in client.can:
            yield broker.name, client.name, "seeks by time", bind(seeks, house, broker, client)
    for broker in house.brokers:
        yield broker.name, "all", "topics are what the stream says", bind(equals_stream, house, broker)
        yield broker.name, "all", "records are well made", bind(well_made, house, broker)
        yield broker.name, "kcat", "reads on from a time", bind(reads_on, house, broker)
        yield broker.name, "kafkajs", "knows where partitions end", bind(knows_ends, house, broker)
        yield broker.name, "java tools", "topics, offsets and settings", bind(tools, house, broker)
    yield "both", "all", "ours and Apache's are the same per key", bind(same, house)
    for companion in house.companions:
        yield companion.broker.name, companion.client.name, companion.title, companion.judge


def bind(function, *words):
    return lambda: function(*words)


def reads(house, broker, client, sizes):
    """All that is there, each record once, byte for byte what the others see."""
    is_short = sizes == "tiny" or (sizes and client.name == "java console")
    ends = {topic: ends for topic, ends in house.ends[broker.name].items() if topic == SHORT or not is_short}
    got = sorted(client.read(broker, ends, sizes=sizes), key=lambda record: record.place)
    wanted = [record for record in house.records[broker.name] if record.topic in ends]
    expect_same_places(wanted, got)
    for one, other in zip(wanted, got):
        expect_equal("a record as kafka-python sees it", one, other)
    return f"{len(got)} records"


def expect_same_places(wanted, got):
    places, came = [record.place for record in wanted], [record.place for record in got]
    missing, more = sorted(set(places) - set(came)), sorted(set(came) - set(places))
    expect(places == came, f"{len(places)} records expected, {len(came)} came; missing {missing[:SHOWN]}, more {more[:SHOWN]}")


def equals_stream(house, broker):
    """Per key the same messages in the same order as the tenant's stream, none missing, none twice."""
    came = by_key(house.records[broker.name])
    wanted = collections.defaultdict(list)
    for line in itertools.chain.from_iterable(house.told.values()):
        wanted[line["channel"], line["key"]].append((line["position"], normal(line["value"])))
    expect_same_keys(wanted, came)
    for key, messages in wanted.items():
        told = [(dict(record.headers)["position"], normal(record.value)) for record in came[key]]
        if messages != told:
            lost, more = [line for line in messages if line not in told], [line for line in told if line not in messages]
            raise Failed(f"{key}: {len(messages)} messages, {len(told)} records; missing {lost[:SHOWN]}, more {more[:SHOWN]}; twice or in another order otherwise")
    return f"{sum(map(len, wanted.values()))} messages of {len(wanted)} keys"


def well_made(house, broker):
    """Partition by Kafka's own hash, headers, times that never go back, ids that are each one message's."""
    records = house.records[broker.name]
    expect_equal("topics", TOPICS, sorted(house.ends[broker.name]))
    for topic, ends in house.ends[broker.name].items():
        expect_equal(f"partitions of {topic}", PARTITIONS, len(ends))
        offsets = [record.offset for record in records if record.topic == topic]
        expect_equal(f"offsets of {topic}", [offset for end in ends for offset in range(end)], offsets)
    ids, newest = set(), {}
    for record in records:
        expect_equal(f"headers of {record.place}", HEADERS, [name for name, _ in record.headers])
        headers = dict(record.headers)
        expect_equal(f"partition of {record.key}", (murmur2(record.key.encode()) & 0x7FFFFFFF) % PARTITIONS, record.partition)
        expect_equal(f"tenant of {record.place}", "demo", headers["tenant"])
        expect(headers["event-id"] not in ids, f"the id {headers['event-id']} is that of two messages")
        ids.add(headers["event-id"])
        expect(headers["origin"] and headers["schema"].rpartition("/")[2], f"origin or schema of {record.place} is empty: {headers}")
        place = record.place[:2]
        expect(newest.get(place, 0) <= record.timestamp, f"the time goes back at {record.place}")
        newest[place] = record.timestamp
    origins = collections.Counter(dict(record.headers)["origin"] for record in records)
    return f"{len(records)} records, origins {dict(origins)}"


def same(house):
    """What the publisher made is what the listener serves: key, value, time and headers, in order per key."""
    ours, theirs = (by_key(house.records[broker.name]) for broker in house.brokers)
    expect_same_keys(ours, theirs)
    for key, records in ours.items():
        one, other = [record.content for record in records], [record.content for record in theirs[key]]
        if one != other:
            lost, more = set(one) - set(other), set(other) - set(one)
            raise Failed(
                f"{key}: {len(one)} of ours, {len(other)} of Apache's; only ours {sorted(lost)[:SHOWN]}, only Apache's {sorted(more)[:SHOWN]}"
                + ("" if lost or more else f", {len(other) - len(set(other))} twice, or in another order")
            )
    return f"{len(house.records['ours'])} records of {len(ours)} keys"


def expect_same_keys(wanted, came):
    missing, more = sorted(wanted.keys() - came.keys()), sorted(came.keys() - wanted.keys())
    expect(not missing and not more, f"of {len(wanted)} keys {len(missing)} are missing, as {missing[:SHOWN]}, and there are more, as {more[:SHOWN]}")


def by_key(records):
    keys = collections.defaultdict(list)
    for record in records:
        keys[record.topic, record.key].append(record)
    return keys


def seeks(house, broker, client):
    """The first record that is not older: before all, at a record, between two, at the last, after all."""
    topic = "voice-callthread"
    records = [record for record in house.records[broker.name] if record.topic == topic]
    times = sorted(record.timestamp for record in records)
    moments = [times[0] - 1, times[len(times) // 3], times[len(times) // 2] + 1, times[-1], times[-1] + 1]
    wanted = {(moment, place): first(records, place, moment) for moment in moments for place in range(PARTITIONS)}
    expect_equal("first records by (time, partition)", wanted, client.times(broker, topic, PARTITIONS, moments))
    return f"{len(wanted)} places"


def first(records, partition, moment):
    return next((record.offset for record in records if record.partition == partition and record.timestamp >= moment), None)


def reads_on(house, broker):
    """From a time to the end."""
    topic = "voice-agentstate"
    records = [record for record in house.records[broker.name] if record.topic == topic]
    moment = sorted(record.timestamp for record in records)[len(records) // 2]
    kcat = house.clients["kcat"]
    run = kcat.from_time(broker, topic, moment)
    expect_equal("exit code", 0, run.finish())
    wanted = [record for record in records if record.timestamp >= moment]
    expect_same_places(wanted, sorted(run.records, key=lambda record: record.place))
    return f"{len(wanted)} of {len(records)} records"


def knows_ends(house, broker):
    found = house.clients["kafkajs"].ends(broker)
    wanted = {topic: [(0, end) for end in ends] for topic, ends in house.ends[broker.name].items()}
    expect_equal("beginnings and ends", wanted, found)
    return f"{len(found)} topics"


def tools(house, broker):
    """kafka-topics, kafka-get-offsets and kafka-configs."""
    listed = run_tool(house, broker, TOPICS_TOOL, "--list").split()
    expect_equal("topics listed", TOPICS, sorted(name for name in listed if not name.startswith("__")))
    shown = run_tool(house, broker, TOPICS_TOOL, "--describe", "--topic", "voice-callthread")
    for wanted in [f"PartitionCount: {PARTITIONS}", "ReplicationFactor: 1", *(f"Partition: {place}\tLeader: " for place in range(PARTITIONS))]:
        expect(wanted in shown, f"kafka-topics --describe does not say {wanted!r}: {shown}")
    offsets = run_tool(house, broker, OFFSETS, "--topic", "voice-callthread").split()
    wanted = [f"voice-callthread:{place}:{end}" for place, end in enumerate(house.ends[broker.name]["voice-callthread"])]
    expect_equal("kafka-get-offsets", wanted, sorted(offsets))
    settings = run_tool(house, broker, CONFIGS, "--describe", "--all", "--topic", "voice-callthread")
    for wanted in ("cleanup.policy=delete", "retention.ms="):
        expect(wanted in settings, f"kafka-configs does not say {wanted}: {settings[:500]}")
    return f"{len(listed)} topics"


def run_tool(house, broker, main, *words):
    done = house.java.run(main, "--bootstrap-server", broker.bootstrap, "--command-config", broker.java(), *words)
    if done.returncode != 0:
        raise Failed(f"{main.rpartition('.')[2]} {' '.join(map(str, words))}: exit {done.returncode}: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout


