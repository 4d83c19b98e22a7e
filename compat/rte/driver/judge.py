"""Judges what clients of the hub were told: its shape by the catalogue, its completeness by the tenant's own stream."""

import asyncio
import json
import pathlib
import time
import uuid

import jsonschema

from faults import Failed, expect, expect_equal

STATES = {"UserStatus", "QueueStatus"}
SUBSCRIPTION = [
    "id",
    "allRootEntities",
    "rootEntityId",
    "rootEntityType",
    "organizationId",
    "eventType",
    "entityType",
    "entityId",
    "allEntities",
]
REPEATED = ["rootEntityId", "rootEntityType", "eventType", "entityType", "entityId"]
# Steps of a call's story; those of one step come at the same moment, in any order.
STORY = [{"UserCallInUserAllocated"}, {"UserCallInUserConnected"}, {"UserCallInDisconnected", "UserWrapUpStarted"}, {"UserWrapUpTerminated"}]
SETTLE_S = 2.0  # what the stream said longer ago has been told to every client, and longer after a subscription is in it
CATCH_UP_S_MAX = 15.0
FAULTS_SHOWN = 3
# An outside judge: the documents' own lists, where somebody has laid them beside the checkout.
DOCUMENTS = pathlib.Path("../shared/reference/enreach/events.json")
GUIDS = {"Guid", "Guid?"}
KINDS = {
    "string": str,
    "String": str,
    "int": int,
    "uint": int,
    "long": int,
    "short": int,
    "bool": bool,
    "float": (int, float),
    "DateTime": str,
    "RootEntityType": str,
    "EventType": str,
    "EntityType": str,
    "CallEventPublicityCategory": int,
    "SpeakerRole": int,
    "SupervisionState": int,
    "TranscribeRealtimeType": str,
    "UserSettingLevelEnum": str,
    "AvailabilityStatusesAVA": str,
    "TerminalTypeId": str,
    "TerminalStatus": str,
    "WrapUpType": str,
}


class Catalogue:
    """What the binary itself says that it tells, and beside it what the documents say."""

    @classmethod
    async def read(cls, binary):
        told = json.loads(await _output(binary, "catalogue", "--json", "enreach"))
        self = cls()
        self.entries = {entry["name"]: entry for entry in told["events"]}
        names = list(self.entries)
        schemas = [json.loads(await _output(binary, "catalogue", "--json", "enreach", name)) for name in names]
        self.validators = {
            name: jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
            for name, schema in zip(names, schemas)
        }
        self.order = {name: [field["name"] for field in entry["fields"]] for name, entry in self.entries.items()}
        self.documented = _documents()
        return self

    def names(self, kind):
        """Names of the events of an entity of this kind: User, Queue, CallList."""
        return [name for name in self.entries if name.startswith(kind)]

    def check(self, value):
        """One `MessageReceived`, whole."""
        expect_equal("members of MessageReceived", ["subscription", "data"], list(value))
        subscription, data = value["subscription"], value["data"]
        expect_equal("members of the subscription", SUBSCRIPTION, list(subscription))
        for name in REPEATED:
            expect_equal(f"{name} of subscription and data", subscription[name], data[name])
        expect_equal("flags of the subscription", (False, False), (subscription["allRootEntities"], subscription["allEntities"]))
        expect_equal("organisation and root", subscription["rootEntityId"], subscription["organizationId"])
        name = data["eventType"]
        expect(name in self.entries, f"{name} is not in the catalogue")
        expect_equal(f"members of {name}", self.order[name], list(data))
        fault = jsonschema.exceptions.best_match(self.validators[name].iter_errors(data))
        expect(fault is None, f"{name} is not as its JSON Schema says: {fault and fault.message} at {fault and fault.json_path}: {data}")
        if name in self.documented:
            self.documented[name].check(data)


class Documented:
    """One event as the documents describe it."""

    def __init__(self, event):
        self.name, self.ttl = event["event_type"], event["message_ttl_seconds"]
        self.fields = event["fields"]
        names = {field["name"]: field["wire_name"] for field in self.fields}
        self.order = [names[name] for name in event["field_order"]]

    def check(self, data):
        expect_equal(f"members of {self.name} as documented", self.order, list(data))
        if isinstance(self.ttl, int):
            expect_equal(f"messageTTLSeconds of {self.name}", self.ttl, data["messageTTLSeconds"])
        for field in self.fields:
            self._check(field, data[field["wire_name"]])

    def _check(self, field, value):
        what = f"{self.name}.{field['wire_name']}: {value!r}"
        if value is None:
            may = field["nullable"] or field["type"] in ("string", "String") or field["type"].startswith(("Dictionary", "List"))
            expect(may, f"{what} may not be null")
        elif field["type"] in GUIDS:
            expect(_is_guid(value), f"{what} is no Guid")
        else:
            kind = KINDS.get(field["type"].removesuffix("?"))
            is_bool = isinstance(value, bool)
            right = kind is None or (isinstance(value, kind) and (kind is bool) == is_bool)
            expect(right, f"{what} is no {field['type']}")


def check_shapes(catalogue, messages):
    """All of them; says how many of how many kinds there were."""
    faults = []
    for _, value in messages:
        try:
            catalogue.check(value)
        except (Failed, KeyError, TypeError) as fault:
            text = str(fault) if isinstance(fault, Failed) else f"{type(fault).__name__} {fault} in {value}"
            if text not in faults:
                faults.append(text)
    expect(not faults, f"{len(faults)} kinds of wrong messages: " + "; ".join(faults[:FAULTS_SHOWN]))
    return len({value["data"]["eventType"] for _, value in messages})


def story(messages):
    """(user, call) of the first call that was followed from its offer to the end of its wrap-up, in this order, by a user
    who was told to be talking."""
    steps, talked = {}, set()
    for _, value in messages:
        data = value["data"]
        name, user = data["eventType"], data["entityId"]
        if name == "UserStatus" and data["talking"]:
            talked.add(user)
        key = (user, data.get("callId"))
        step, seen = steps.get(key, (0, set()))
        if name in STORY[step]:
            seen = seen | {name}
            steps[key] = (step + 1, set()) if seen == STORY[step] else (step, seen)
            if steps[key][0] == len(STORY):
                if user in talked:
                    return key
                del steps[key]
    return None


class Window:
    """A time in which a client held subscriptions: what it was told is compared with the stream."""

    def __init__(self, stream, wanted, began):
        self.stream, self.wanted, self.began = stream, wanted, began
        self.ended = None

    def end(self):
        self.ended = time.monotonic()

    def expected(self):
        """(when, body) of what the stream said that is subscribed and is no state."""
        for at, data in self.stream.said:
            name = data["eventType"]
            if name not in STATES and (data["entityId"], name) in self.wanted:
                yield at, data

    def check(self, messages):
        """Nothing lost in between, nothing twice, nothing else, in order; gives how many were compared. States are told
        newest first, so of them only the order counts."""
        check_states(messages)
        came = [value["data"] for _, value in messages if value["data"]["eventType"] not in STATES]
        wanted = list(self.expected())
        places = {data["id"]: place for place, (_, data) in enumerate(wanted)}
        for data in came:
            expect(data["id"] in places, f"told to the client and not in the stream: {data}")
            expect_equal("an event told and the same in the stream", wanted[places[data["id"]]][1], data)
        order = [places[data["id"]] for data in came]
        doubles = len(order) - len(set(order))
        expect(doubles == 0, f"{doubles} of {len(order)} events were told twice")
        expect(order == sorted(order), "events were told in another order than the stream's")
        last = max(order, default=-1)
        must = [place for place, (at, _) in enumerate(wanted) if self.began + SETTLE_S < at and (place <= last or at < self.ended - SETTLE_S)]
        told = set(order)
        lost = [wanted[place][1] for place in must if place not in told]
        expect(not lost, f"{len(lost)} of {len(must)} events of the stream were lost, among them {lost[:FAULTS_SHOWN]}")
        return len(order)


def check_states(messages):
    """Of one thing a state is never followed by an older one or told twice."""
    newest = {}
    for _, value in messages:
        data = value["data"]
        if data["eventType"] in STATES:
            key = (data["eventType"], data["entityId"])
            before = newest.get(key)
            expect(before is None or before["id"] != data["id"], f"told twice: {data}")
            expect(before is None or _moment(before) <= _moment(data), f"{before} was told before the older {data}")
            newest[key] = data


def _moment(data):
    """A timestamp that compares as text: .NET leaves out zeros at the end."""
    whole, _, fraction = data["timestamp"].rstrip("Z").partition(".")
    return whole, fraction.ljust(7, "0")


def _is_guid(value):
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def _documents():
    if not DOCUMENTS.exists():
        return {}
    events = [event for event in json.loads(DOCUMENTS.read_text(encoding="utf-8")) if event["entity"] != "Misc"]
    return {event["event_type"]: Documented(event) for event in events if event["has_example"]}


async def _output(*command):
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit {process.returncode}")
    return output.decode()
