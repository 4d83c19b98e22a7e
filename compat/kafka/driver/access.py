"""Who sees what at our listener, and who is refused: two tenants with built-in switches, tokens of every kind. Only ours:
Apache Kafka knows no tokens of Cordboard."""

import time

from apache import GROUPS, TOPICS as TOPICS_TOOL
from clients import Broker, WAIT_MS
from cordboard import Cordboard
from faults import Failed, expect, expect_equal
from house import PARTITIONS, SETTLE_S_MAX, TOPICS, DIALECTS, normal
from topics import bind

TENANTS = ["acme", "beta"]
CALLS = 12
REFUSED = ["agent", "supervisor", "service without events", "wrong", "empty", "revoked"]
# kcat refuses an empty password itself; of those that are slow to give up, fewer are played.
REFUSED_BY = {"kcat": REFUSED[:4] + ["revoked"], "kafka-python": ["agent", "wrong", "revoked"], "java console": ["agent", "wrong", "revoked"]}
REFUSED_S_MAX = 60.0
LIMITS = """
[topics]
names = "{names}"
[identity]
failures_per_minute_max = 1000
[requests]
per_second_max = 10000
token_per_second_max = 10000
"""
TENANT = """
[[tenant]]
name = "{tenant}"
[[tenant.boxed]]
name = "box"
outside_prefix = "+"
[[tenant.boxed.extension]]
number = "1001-1009"
[[tenant.boxed.acd_queue]]
number = "6001"
[[tenant.boxed.agent]]
id = "8001-8003"
queues = ["6001"]
[[tenant.team]]
name = "sales"
agents = ["8001"]
"""
# What each client says where a login is refused, and where writing is.
DENIED = ["uthentication failed", "authentication error", "SaslAuthentication", "SASLAuthentication", "uthenticationFailed"]
NO_WRITING = ["uthorization failed", "TopicAuthorization", "uthorizationFailed", "not authorized", "Not authorized", "uthorizationException"]


class Site:
    """Cordboard with two tenants, their calls and everybody's tokens."""

    def __init__(self, house, binary):
        self.house = house
        self.cordboard = Cordboard(binary, house.work / "site", self._configuration("shared"))
        self.tokens = {}

    def _configuration(self, names):
        return LIMITS.format(names=names) + "".join(TENANT.format(tenant=tenant) for tenant in TENANTS)

    def open(self):
        self.cordboard.start()
        make = self.cordboard.token
        for tenant in TENANTS:
            self.tokens[tenant] = make("--tenant", tenant, "--name", f"{tenant}-reports")
            self.tokens[f"{tenant} administrator"] = make("--tenant", tenant, "--name", f"{tenant}-root", "--administrator")
        self.tokens |= {
            "agent": make("--tenant", "acme", "--name", "anna", "--role", "agent", "--agent", "8001"),
            "supervisor": make("--tenant", "acme", "--name", "lead", "--role", "supervisor", "--team", "sales"),
            "service without events": make("--tenant", "acme", "--name", "wallboard", "--grant", "see-queues"),
            "revoked": make("--tenant", "acme", "--name", "gone"),
            "operator": make("--operator", "reporting"),
            "wrong": "cordboard_" + 64 * "0",
            "empty": "",
        }
        self.cordboard.revoke("gone")
        for tenant, calls in zip(TENANTS, (CALLS, CALLS // 2)):
            self.live(tenant, calls)
        self.settle()

    def live(self, tenant, calls):
        """Agents come, calls are answered and end."""
        token = self.tokens[tenant]
        for agent in ("8001", "8002", "8003"):
            device = f"100{agent[-1]}"
            self.cordboard.ask("/api/v1/requests", token, request="TAgentLogin", ThisDN=device, AgentID=agent)
            self.cordboard.ask("/api/v1/requests", token, request="TAgentSetReady", ThisDN=device)
        for call in range(calls):
            self.call(tenant, f"+4930{call:04}", f"100{4 + call % 5}")

    def call(self, tenant, number, device):
        happens = lambda **what: self.cordboard.ask("/api/v1/switches/box/happenings", self.tokens[tenant], **what)
        call = happens(happening="inbound", **{"from": number, "to": device})["call"]
        happens(happening="answer", number=device, call=call)
        happens(happening="hangup", number=number, call=call)

    def settle(self):
        """Until the topics have everything that the streams have."""
        for tenant in TENANTS:
            wanted = sum(len(self.stream(tenant, dialect)) for dialect in DIALECTS)
            has = lambda: sum(end for list_ in self.ends(tenant).values() for _, end in list_) == wanted
            self.house.until(f"{wanted} records of {tenant}", has, SETTLE_S_MAX)

    def stream(self, tenant, dialect):
        topics = DIALECTS[dialect]
        return [line for line in self.cordboard.told(dialect, self.tokens[tenant]) if line.get("channel") in topics]

    def broker(self, who):
        return Broker("ours", self.cordboard.bootstrap, self.house.work, who.replace(" ", "-"), self.tokens[who])

    def ends(self, who):
        return self.house.reference.ends(self.broker(who))

    def read(self, who, client=None):
        ends = {topic: [end for _, end in places] for topic, places in self.ends(who).items()}
        records = (client or self.house.reference).read(self.broker(who), ends)
        return sorted(records, key=lambda record: record.place)

    def rename(self):
        """The same data with the other way of calling topics."""
        self.cordboard.stop()
        self.cordboard.configure(self._configuration("per_tenant"))
        self.cordboard.start()

    def close(self):
        self.cordboard.stop()


def scenes(site):
    for client in site.house.clients.values():
        yield "ours", client.name, "a tenant sees its own", bind(sees_own, site, client)
        yield "ours", client.name, "writing is refused", bind(cannot_write, site, client)
        for who in REFUSED_BY.get(client.name, REFUSED):
            yield "ours", client.name, f"is refused: {who}", bind(is_refused, site, client, who)
    yield "ours", "java console", "the newer protocol of groups is refused", bind(no_new_groups, site)
    yield "ours", "kafka-python", "no topic is made", bind(cannot_create, site)
    yield "ours", "java tools", "no topic is made", bind(cannot_create_by_tool, site)
    yield "ours", "all", "the operator sees all tenants", bind(sees_all, site)
    yield "ours", "kafka-python", "groups belong to their owner", bind(groups_are_owned, site)


def scenes_new(site):
    """What happens while they play, so that they are played by themselves."""
    for client in site.house.clients.values():
        if "wait" in client.can:
            yield "ours", client.name, "a waiting consumer gets what is new", bind(gets_new, site, client)


def scenes_renamed(site, before):
    yield "ours", "all", "topics named by tenant keep their offsets", bind(renamed, site, before)
    yield "ours", "all", "no token is in the log or the metrics", bind(says_no_token, site)


def sees_own(site, client):
    """Nothing but its own, all of it: what its stream says."""
    seen = 0
    for tenant in TENANTS:
        records = site.read(tenant, client)
        expect_equal("whose records", {tenant}, {dict(record.headers)["tenant"] for record in records})
        expect(all(record.key.partition(":")[0] == tenant for record in records), f"a key is not of {tenant}")
        told = [(line["channel"], line["position"], normal(line["value"])) for dialect in DIALECTS for line in site.stream(tenant, dialect)]
        came = [(record.topic, dict(record.headers)["position"], normal(record.value)) for record in records]
        expect_equal(f"messages of {tenant}", sorted(told), sorted(came))
        seen += len(records)
    return f"{seen} records"


def sees_all(site):
    """One tenant's partitions after the other's, the same records at the same offsets."""
    all_ = site.read("operator")
    expect_equal("topics", TOPICS, sorted({record.topic for record in all_}))
    expect_equal("partitions", {2 * PARTITIONS}, {len(places) for places in site.ends("operator").values()})
    for place, tenant in enumerate(TENANTS):
        own = [record._replace(partition=record.partition + place * PARTITIONS) for record in site.read(tenant)]
        first = place * PARTITIONS
        expect_equal(f"records of {tenant}", own, [record for record in all_ if first <= record.partition < first + PARTITIONS])
    return f"{len(all_)} records"


def is_refused(site, client, who):
    """With what each client calls an authentication error, and soon."""
    began = time.monotonic()
    try:
        records = client.read(site.broker(who), {"voice-callthread": [1, 1, 1, 1]})
    except Failed as fault:
        text = str(fault)
    else:
        raise Failed(f"it read {len(records)} records")
    expect(any(word in text for word in DENIED), f"it does not speak of authentication: {text}")
    expect(site.tokens[who] == "" or site.tokens[who] not in text, "the error has the token in it")
    return f"in {time.monotonic() - began:.1f} s"


def cannot_write(site, client):
    before = site.ends("acme")
    run = client.produce(site.broker("acme"), "voice-callthread", [{"key": "acme:1", "value": "{}"}])
    try:
        run.finish(REFUSED_S_MAX)
        text = run.refusal()
    finally:
        run.kill()
    expect(any(word in text for word in NO_WRITING), f"it does not speak of authorization: {text[-600:]}")
    after = site.read("acme")
    expect(not any(record.key == "acme:1" for record in after), "the record was written")
    return f"{len(before)} topics as before"


def cannot_create(site):
    puppet = site.house.clients["kafka-python"]
    run = puppet.run(site.broker("acme").job(do="create", topic="mine"))
    try:
        run.finish(REFUSED_S_MAX)
        text = run.refusal()
    finally:
        run.kill()
    expect(any(word in text for word in NO_WRITING), f"it does not speak of authorization: {text[-600:]}")
    expect("mine" not in site.ends("acme"), "the topic was made")
    return "refused"


def cannot_create_by_tool(site):
    broker = site.broker("operator")
    done = site.house.java.run(
        TOPICS_TOOL, "--bootstrap-server", broker.bootstrap, "--command-config", broker.java(), "--create", "--topic", "mine", "--partitions", 1
    )
    text = done.stdout + done.stderr
    expect(done.returncode != 0 and any(word in text for word in NO_WRITING), f"exit {done.returncode}: {text[-600:]}")
    return "refused"


def no_new_groups(site):
    """`group.protocol=consumer` is not spoken here, and whoever wants it is told so, instead of waiting for ever."""
    run = site.house.clients["java console"].member(site.broker("acme"), "new-protocol", ["voice-callthread"], protocol="consumer")
    try:
        run.finish(REFUSED_S_MAX)
    finally:
        run.kill()
    expect(not run.records and "UnsupportedVersion" in run.refusal(), f"it is not told that this is not spoken: {run.refusal()[-600:]}")
    return "refused"


def groups_are_owned(site):
    """The same name of another owner is another group."""
    puppet, group, topic = site.house.clients["kafka-python"], "shared-name", "voice-agentstate"
    counts = {}
    for who in (*TENANTS, "operator"):
        run = puppet.member(site.broker(who), group, [topic], eager=True)
        try:
            wanted = sum(end for _, end in site.ends(who)[topic])
            run.until(lambda _: len(run.records) >= wanted, SETTLE_S_MAX, f"{wanted} records of {who}")
            counts[who] = wanted
            puppet.end(run)
        finally:
            run.kill()
    broker = site.broker("acme")
    words = ("--bootstrap-server", broker.bootstrap, "--command-config", broker.java())
    site.house.java.run(GROUPS, *words, "--delete", "--group", group)
    listed = {}
    for who in (*TENANTS, "operator"):
        broker = site.broker(who)
        done = site.house.java.run(GROUPS, "--bootstrap-server", broker.bootstrap, "--command-config", broker.java(), "--list")
        expect_equal(f"exit of --list of {who}: {done.stderr[-300:]}", 0, done.returncode)
        listed[who] = group in done.stdout.split()
    expect_equal("who still has the group", {"acme": False, "beta": True, "operator": True}, listed)
    return f"{counts}"


def gets_new(site, client):
    """It waits at the end; what is new comes before its own wait is over."""
    run = client.wait_for_one(site.broker("acme"), "voice-callthread", PARTITIONS)
    try:
        run.wait("waits")
        number = f"+4989{abs(hash(client.name)) % 10_000:04}"
        site.call("acme", number, "1009")
        run.wait("record", WAIT_MS / 1000 - 1)
        return f"{len(run.records)} records"
    finally:
        run.kill()


def renamed(site, before):
    """{who: records} of before; the same records at the same places of topics of another name, for each who sees them."""
    for tenant in TENANTS:
        own = {record.place: record for record in site.read(tenant)}
        expect_equal("topics of the tenant", [f"{tenant}.{topic}" for topic in TOPICS], sorted(site.ends(tenant)))
        for record in before[tenant]:
            new = record._replace(topic=f"{tenant}.{record.topic}")
            expect_equal("a record under its new name", new, own.get(new.place))
    everything = sorted(f"{tenant}.{topic}" for tenant in TENANTS for topic in TOPICS)
    expect_equal("topics of the operator", everything, sorted(site.ends("operator")))
    expect_equal("partitions of the operator's topics", {PARTITIONS}, {len(places) for places in site.ends("operator").values()})
    return f"{sum(map(len, before.values()))} records, {len(everything)} topics"


def says_no_token(site):
    log = site.cordboard.log.read_text(encoding="utf-8", errors="replace")
    metrics = site.cordboard.get("/metrics")[1]
    for who, token in site.tokens.items():
        for place, text in (("log", log), ("metrics", metrics)):
            expect(not token or token.removeprefix("cordboard_")[:32] not in text, f"the {place} has the token of: {who}")
    return f"{len(site.tokens)} tokens, {len(log.splitlines())} lines of log"
