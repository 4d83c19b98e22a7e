"""Groups of consumers: who has which partitions, what is committed, and what is when one dies. The same of both brokers."""

import datetime
import time

from apache import GROUPS
from clients import SAY_S_MAX
from faults import Failed, expect, expect_equal
from house import PARTITIONS, check_commits
from topics import bind, first, run_tool

VOICE = ["voice-agentstate", "voice-callthread"]
WAIT_AT = 250  # what a member that shall die reads; it commits every 100
DEATH_S_MAX = 40.0  # a session is 6 s


def scenes(house):
    for broker in house.brokers:
        for name in ("kafka-python", "kafkajs"):
            yield broker.name, name, "one of two members dies", bind(one_dies, house, broker, house.clients[name])
        yield broker.name, "all", "kcat, kafka-python and Java in a group", bind(mixed, house, broker)


def one_dies(house, broker, client):
    """Two share the partitions; one is killed with records uncommitted; the other goes on from what was committed. The
    tool sees it, and sets the offsets anew."""
    group = f"two-{client.name}"
    dying = client.member(broker, group, VOICE, hold=True, wait_at=WAIT_AT)
    staying = client.member(broker, group, VOICE, hold=True, eager=True)
    try:
        shares = wait_shared([dying, staying], len(VOICE) * PARTITIONS)
        expect_equal("members of the tool", sorted(map(text_of, shares)), sorted(members(house, broker, group).values()))
        expect_equal("state", "Stable", state(house, broker, group))
        dying.tell({"do": "go"})
        dying.wait("waits")
        staying.tell({"do": "go"})
        dying.kill()
        wanted = {record.place for record in house.records[broker.name] if record.topic in VOICE}
        seen = lambda _: wanted <= {record.place for run in (dying, staying) for record in run.records}
        staying.until(seen, DEATH_S_MAX, f"{len(wanted)} records after the death")
        check_commits([dying, staying])
        again = len(dying.records) + len(staying.records) - len(wanted)
        expect(again > 0, "what the dead member had not committed did not come again")
        client.end(staying)
    finally:
        dying.kill()
        staying.kill()
    rows = offsets(house, broker, group)
    ends = {(topic, place): end for topic in VOICE for place, end in enumerate(house.ends[broker.name][topic])}
    expect_equal("committed at the end", {key: (end, end, 0) for key, end in ends.items() if end}, {key: row for key, row in rows.items() if ends[key]})
    reset(house, broker, group)
    return f"{len(wanted)} records, {again} of them again"


def reset(house, broker, group):
    """--to-earliest, --to-datetime, and the group is gone when it is deleted."""
    topic = "voice-callthread"
    set_to = lambda *words: run_tool(house, broker, GROUPS, "--reset-offsets", "--group", group, "--topic", topic, *words, "--execute")
    set_to("--to-earliest")
    committed = {place: row[0] for (name, place), row in offsets(house, broker, group).items() if name == topic}
    expect_equal("offsets after --to-earliest", dict.fromkeys(range(PARTITIONS), 0), committed)
    records = [record for record in house.records[broker.name] if record.topic == topic]
    moment = sorted(record.timestamp for record in records)[len(records) // 2]
    when = datetime.datetime.fromtimestamp(moment / 1000, datetime.timezone.utc)
    set_to("--to-datetime", f"{when:%Y-%m-%dT%H:%M:%S}.{moment % 1000:03}Z")
    committed = {place: row[0] for (name, place), row in offsets(house, broker, group).items() if name == topic}
    ends = house.ends[broker.name][topic]
    wanted = {place: ends[place] if (offset := first(records, place, moment)) is None else offset for place in range(PARTITIONS)}
    expect_equal("offsets after --to-datetime", wanted, committed)
    expect(group in run_tool(house, broker, GROUPS, "--list").split(), f"--list does not name {group}")
    run_tool(house, broker, GROUPS, "--delete", "--group", group)
    expect(group not in run_tool(house, broker, GROUPS, "--list").split(), f"--list still names {group}")


def mixed(house, broker):
    """Members by three different clients share the partitions of a topic; one is killed, and the others have them all."""
    topic, group = "voice-callthread", "mixed"
    runs = {}
    try:
        for name in ("kafka-python", "kcat", "java console"):
            runs[name] = house.clients[name].member(broker, group, [topic], eager=True)
        wait_members(house, broker, group, 3, [(topic, place) for place in range(PARTITIONS)])
        wanted = {record.place for record in house.records[broker.name] if record.topic == topic}
        seen = lambda _: wanted <= {record.place for run in runs.values() for record in run.records}
        runs["kafka-python"].until(lambda facts: seen(facts) or None, SAY_S_MAX, "whole topic by three members")
        runs["kcat"].kill()
        wait_members(house, broker, group, 2, [(topic, place) for place in range(PARTITIONS)])
        for name in ("kafka-python", "java console"):
            house.clients[name].end(runs[name])
        ends = house.ends[broker.name][topic]
        committed = {place: row[0] for (_, place), row in offsets(house, broker, group).items()}
        expect_equal("committed at the end", {place: end for place, end in enumerate(ends) if end}, {place: committed[place] for place, end in enumerate(ends) if end})
    finally:
        for run in runs.values():
            run.kill()
    return f"{len(wanted)} records"


def wait_shared(runs, partitions):
    """What each has, when each has something and together they have everything once."""
    deadline = time.monotonic() + SAY_S_MAX
    while True:
        shares = [last_share(run) for run in runs]
        everything = [place for share in shares for place in share]
        if all(shares) and len(everything) == len(set(everything)) == partitions:
            return shares
        if time.monotonic() > deadline:
            raise Failed(f"{partitions} partitions are not shared out: {shares}; {[run.refusal() for run in runs]}")
        time.sleep(0.1)


def last_share(run):
    told = [fact for fact in list(run.facts) if fact["said"] == "assigned"]
    return [tuple(place) for place in told[-1]["partitions"]] if told else []


def wait_members(house, broker, group, count, partitions):
    """Until the tool sees so many members, and that they have these partitions, each once, and each member some."""
    deadline = time.monotonic() + DEATH_S_MAX
    while True:
        found = members(house, broker, group)
        shares = [list(places_of(share)) for share in found.values() if share != "-"]
        if len(shares) == count and sorted(place for share in shares for place in share) == partitions:
            return
        if time.monotonic() > deadline:
            raise Failed(f"the group {group} has not {count} members that share {partitions}: {found}")


def members(house, broker, group):
    """{member: what it has, as `topic:0,1;topic:2`} as the tool says it."""
    return {row["CONSUMER-ID"]: row["CURRENT-ASSIGNMENT"] for row in rows(house, broker, group, "--members", "--verbose")}


def state(house, broker, group):
    found = rows(house, broker, group, "--state")
    return found[0]["STATE"] if found else "none"


def offsets(house, broker, group):
    """{(topic, partition): (committed, end, lag)} as the tool says it."""
    number = lambda text: None if text == "-" else int(text)
    return {
        (row["TOPIC"], int(row["PARTITION"])): (number(row["CURRENT-OFFSET"]), number(row["LOG-END-OFFSET"]), number(row["LAG"]))
        for row in rows(house, broker, group, "--offsets")
    }


def rows(house, broker, group, *words):
    """The table that the tool prints; of a group that is just being shared out anew it may print none."""
    lines = [line for line in run_tool(house, broker, GROUPS, "--describe", "--group", group, *words).splitlines() if line.strip()]
    if not lines or not lines[0].startswith("GROUP"):
        return []
    head = lines[0].replace("COORDINATOR (ID)", "COORDINATOR ID").split()
    return [dict(zip(head, line.split())) for line in lines[1:]]


def text_of(share):
    topics = sorted({topic for topic, _ in share})
    return ";".join(f"{topic}:{','.join(str(place) for name, place in sorted(share) if name == topic)}" for topic in topics)


def places_of(text):
    for part in text.split(";"):
        topic, _, list_ = part.partition(":")
        for place in list_.split(","):
            yield topic, int(place)
