"""What every client goes through, one phase after the other. A phase gives the words for its line."""

import asyncio
import time
import uuid

from faults import Failed, expect, expect_equal
from judge import CATCH_UP_S_MAX, SETTLE_S, SUBSCRIPTION, Window, check_shapes, story

EVENTS_DOCUMENTED = 36
CHUNK_ITEMS = 150  # about 14 KB: the limit of a message is 32 KB
STORY_S_MAX = 90.0
BACK_S_MAX = 30.0
FLOW_S_MAX = 30.0
HOLD_S = 3.0  # how long a client that came back is watched
BACK_AGAIN_S = 1.0  # after the first message it may still be opening its connection
SILENCE_S = 2.0
AFTERGLOW_S = 1.0


class House:
    """What the clients of one run share."""

    def __init__(self, cordboard, catalogue, stream):
        self.cordboard, self.catalogue, self.stream = cordboard, catalogue, stream
        self.users, self.queues = [], []
        self.old_token, self.old_token_at = None, 0.0
        self.stands = asyncio.Event()  # the server is there

    async def look_around(self):
        self.users = [user["Id"] for user in await self.cordboard.rest("/users")]
        self.queues = [queue["Id"] for queue in await self.cordboard.rest("/queues")]
        self.old_token, self.old_token_at = (await self.cordboard.rest("/token/me/rte/"))["Token"], time.monotonic()
        expect(self.users and self.queues, "GET /users and GET /queues tell of nobody")

    @property
    def account(self):
        return self.cordboard.accounts["administrator"]

    def wanted(self):
        """Everything of every user and queue."""
        names = self.catalogue.names
        users = [(user, name) for user in self.users for name in names("User")]
        return users + [(queue, name) for queue in self.queues for name in names("Queue")]


async def meets(house, client):
    """Connects with a token by REST, asks everything that can be asked, subscribes to good and bad items in one call."""
    await client.open(house.account)
    surplus = [{"EntityId": house.users[0], "EventName": "UserStatus"}]
    available = await client.invoke("AvailableSubscriptions", surplus)
    expect_equal("number of AvailableSubscriptions", EVENTS_DOCUMENTED, len(set(available)))
    expect_equal("AvailableSubscriptions", sorted(house.catalogue.entries), sorted(available))
    expect_equal("ActiveSubscriptions of a new connection", [], await client.invoke("activesubscriptions"))
    queue, user = house.queues[0], house.users[0]
    items = [
        (queue, "QueueStatus", True, None),
        ("not a guid", "NoSuchEvent", False, "Invalid EntityId"),
        (user, "NoSuchEvent", False, "Invalid event name"),
        (str(uuid.uuid4()), "UserStatus", False, "Unauthorized"),
        (user, "userstatus", True, None),
    ]
    asked = [{"EntityId": entity, "EventName": name} for entity, name, _, _ in items]
    expected = [{"subscribed": good, "message": why, "entityId": entity, "eventName": name.lower()} for entity, name, good, why in items]
    results = await client.invoke("Subscribe", asked)
    expect_equal("results of Subscribe", expected, results)
    expect_equal("members of a result, in order", list(expected[0]), list(results[0]))
    await check_active(client, {(queue, "QueueStatus"), (user, "UserStatus")})
    try:
        await client.invoke("NoSuchMethod")
    except Failed as fault:
        expect("Unknown hub method 'NoSuchMethod'" in str(fault), f"a method that there is not: {fault}")
    else:
        raise Failed("a method that there is not was answered by a result")
    return f"{len(available)} names, {len(results)} results as documented"


async def follows(house, client):
    """Follows a call of the demonstration from its offer to the end of wrap-up; every message is looked at."""
    client.messages.clear()
    await subscribe(house, client)
    user, call = await client.until(lambda: story(client.messages), STORY_S_MAX, "call from offer to the end of wrap-up")
    queue_told = lambda: any(value["data"]["eventType"] == "QueueStatus" for _, value in client.messages)
    await client.until(queue_told, FLOW_S_MAX, "QueueStatus")
    kinds = check_shapes(house.catalogue, client.messages)
    return f"call {call[:8]} of user {user[:8]} from offer to wrap-up; {len(client.messages)} messages of {kinds} kinds in shape"


async def is_cut(house, client):
    """The network breaks without a word."""
    compared = 0
    if client.again != "stateful":
        compared = await close_window(house, client)
    places, opened = len(client.facts), client.cutter.opened
    client.cutter.cut(client.cut_gently)
    if client.again == "stateful":
        return await comes_back_to_its_state(house, client, opened)
    if client.may_ask_again and await asks_again(house, client, places):
        return f"asked again without a new connection; {compared} events before as in the stream"
    how = await comes_back(house, client, places)
    return f"{how}; {compared} events before as in the stream"


async def asks_again(house, client, places):
    """Whether polling just went on; what it was told meanwhile may have been lost with the poll that was cut."""
    await asyncio.sleep(HOLD_S)
    messages = len(client.messages)
    goes_on = lambda: len(client.messages) > messages or len(client.facts) > places
    await client.until(goes_on, FLOW_S_MAX, "message or word after the cut")
    if len(client.facts) > places:
        return False
    await check_active(client, set(house.wanted()))
    client.messages.clear()
    client.window = Window(house.stream, set(house.wanted()), time.monotonic())
    return True


async def comes_back_to_its_state(house, client, opened):
    """Stateful reconnect: as if nothing had been; cut again in the midst of it."""
    cuts = 3
    for cut in range(cuts):
        if cut:
            await asyncio.sleep(BACK_AGAIN_S)
            opened = client.cutter.opened
            client.cutter.cut()
        messages = len(client.messages)
        await client.until(lambda: client.cutter.opened > opened and len(client.messages) > messages, FLOW_S_MAX, "message after the cut")
    await check_active(client, set(house.wanted()))
    said = [fact["said"] for fact in client.facts if fact["said"] in ("reconnecting", "closed")]
    expect_equal("what a stateful reconnect says", [], said)
    await asyncio.sleep(HOLD_S)
    compared = await close_window(house, client)
    client.messages.clear()
    client.window = Window(house.stream, set(house.wanted()), time.monotonic())
    return f"cut {cuts} times, nothing lost, nothing twice of {compared} events"


async def outlives(house, client):
    """The server went away and came back: a new connection, on which subscriptions are made anew."""
    if client.again == "once":  # what it says of a server that is not there cannot be relied on
        await house.stands.wait()
        await reopen(house, client)
        return await goes_on(house, client, "connected anew")
    return await comes_back(house, client, client.place)


async def comes_back(house, client, places):
    """Reconnects by itself where the client can, else is opened anew; then subscribes again and is told again."""
    how = "reconnected by itself"
    if client.again == "no":
        await client.wait(("closed", "reconnecting"), BACK_S_MAX, places)
        await house.stands.wait()
        await reopen(house, client)
        how = "connected anew"
    else:
        fact = await client.wait(("reconnected", "closed"), BACK_S_MAX, places)
        expect(fact["said"] == "reconnected", f"it did not reconnect but closed: {fact}")
    return await goes_on(house, client, how)


async def goes_on(house, client, how):
    expect_equal("ActiveSubscriptions after a reconnect", [], await client.invoke("ActiveSubscriptions"))
    client.messages.clear()
    await subscribe(house, client)
    await client.until(lambda: len(client.messages) > 20, FLOW_S_MAX, "more than 20 messages after the reconnect")
    await asyncio.sleep(HOLD_S)
    check_shapes(house.catalogue, client.messages)
    return f"{how}, subscribed again"


async def reopen(house, client):
    """As an application does it whose client has no reconnect of its own."""
    deadline = time.monotonic() + BACK_S_MAX
    while True:
        try:
            return await client.open(house.account)
        except Failed:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.3)


async def leaves(house, client):
    """Unsubscribes from some, from all, and stops."""
    compared = await close_window(house, client)
    user, queue = house.users[0], house.queues[0]
    items = [(user, "UserStatus"), (queue, "QUEUESTATUS"), ("not a guid", "UserStatus"), (user, "NoSuchEvent")]
    results = await client.invoke("Unsubscribe", [{"EntityId": entity, "EventName": name} for entity, name in items])
    told = [(result["entityId"], result["eventName"], result["message"]) for result in results]
    whys = [None, None, "Invalid EntityId", "Invalid event name"]
    expect_equal("results of Unsubscribe", [(entity, name.lower(), why) for (entity, name), why in zip(items, whys)], told)
    await check_active(client, set(house.wanted()) - {(user, "UserStatus"), (queue, "QueueStatus")})
    expect_equal("result of UnsubscribeAll", True, await client.invoke("UnsubscribeAll"))
    expect_equal("ActiveSubscriptions after UnsubscribeAll", [], await client.invoke("ActiveSubscriptions"))
    await asyncio.sleep(AFTERGLOW_S)
    messages = len(client.messages)
    await asyncio.sleep(SILENCE_S)
    expect_equal("messages after UnsubscribeAll", 0, len(client.messages) - messages)
    await client.stop()
    return f"unsubscribed, silent, stopped; {compared} events before as in the stream"


async def subscribe(house, client):
    wanted = house.wanted()
    for start in range(0, len(wanted), CHUNK_ITEMS):
        chunk = wanted[start : start + CHUNK_ITEMS]
        results = await client.invoke("Subscribe", [{"EntityId": entity, "EventName": name} for entity, name in chunk])
        refused = [result for result in results if not result["subscribed"]]
        expect(not refused, f"{len(refused)} subscriptions were refused, the first of them: {refused[:1]}")
    client.window = Window(house.stream, set(wanted), time.monotonic())


async def close_window(house, client):
    """Ends the comparison with the stream: what the stream has by now must come to the client soon."""
    if house.stream.fault:
        raise house.stream.fault
    client.window.end()
    last = [data["id"] for at, data in client.window.expected() if client.window.began + SETTLE_S < at < client.window.ended - SETTLE_S][-1:]
    if last:
        has = lambda: any(value["data"]["id"] == last[0] for _, value in reversed(client.messages))
        await client.until(has, CATCH_UP_S_MAX, "event that the stream told")
    return client.window.check(client.messages)


async def check_active(client, wanted):
    active = await client.invoke("ActiveSubscriptions")
    held = {(subscription["entityId"], subscription["eventType"]) for subscription in active}
    expect(held == wanted, f"ActiveSubscriptions: {len(wanted - held)} are missing, {len(held - wanted)} too many")
    expect_equal("number of ActiveSubscriptions", len(wanted), len(active))
    for subscription in active:
        expect_equal("members of an active subscription", SUBSCRIPTION, list(subscription))
        expect_equal("flags of an active subscription", (False, False), (subscription["allRootEntities"], subscription["allEntities"]))
        expect_equal("organisation and root", subscription["rootEntityId"], subscription["organizationId"])
        kind = "Queue" if subscription["eventType"].startswith("Queue") else "User"
        expect_equal("entityType of " + subscription["eventType"], kind, subscription["entityType"])
        uuid.UUID(subscription["id"])


