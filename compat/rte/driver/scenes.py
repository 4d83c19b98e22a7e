"""What is played once, beside the clients that go through all phases."""

import asyncio
import json
import pathlib
import re
import time
import uuid

import phases
from client import Client, with_cutter
from cordboard import TOKEN_S
from faults import Failed, expect, expect_equal
from raw import Raw

SLOW_S = 20.0  # http.stream_write_ms_max is 10 s
SLOW_END_S_MAX = 10.0
LONG_ANSWERS = 20  # of more than half a megabyte each: the buffers in between are full at once
NORMAL_S = 5.0
SAMPLE_S_MAX = 30.0
DOCS_S_MAX = 40.0
TOKEN_SPARE_S = 1.5
CLIENTS_MD = pathlib.Path("docs/clients.md")
# Fenced blocks of docs/clients.md: the language, the name of the file it becomes, the program that runs it.
DOCUMENTED = [("js", "wallboard.js", "node"), ("java", "Wallboard.java", "java"), ("python", "by_pysignalr.py", "python"), ("python", "by_signalrcore.py", "python")]
NEGOTIATE = "/rte/negotiate?negotiateVersion=1"
TOKEN_KEYS = ("WssEndpoint", "WSSEndpoint", "Token")
SCENES = []


def scene(name):
    def keep(function):
        SCENES.append((name, function))
        return function

    return keep


@scene("rest token")
async def answers_both_spellings(run):
    """`GET /token/{userid}/rte/`, by `me` and by the user's own id; nothing without a password."""
    cordboard = run.house.cordboard
    me = await cordboard.rest("/users/me")
    for user in ("me", me["Id"]):
        answer = await cordboard.rest(f"/token/{user}/rte/")
        expect(all(key in answer for key in TOKEN_KEYS), f"the answer has {list(answer)}")
        expect_equal("both spellings of the endpoint", answer["WssEndpoint"], answer["WSSEndpoint"])
        expect(answer["WSSEndpoint"].startswith("http://"), f"the endpoint is {answer['WSSEndpoint']}")
        expect_equal("parts of the token", 3, len(answer["Token"].split(".")))
    for headers in ({}, {"Authorization": "Basic bm9ib2R5Om5vdGhpbmc="}):
        status, _, _ = await asyncio.to_thread(cordboard.get, "/token/me/rte/", **headers)
        expect_equal("status without a good password", 401, status)
    return "WssEndpoint and WSSEndpoint, by me and by id; 401 else"


@scene("tokens")
async def bad_ones_are_refused(run):
    """No token, nonsense, a changed signature, no signature, the secret itself: 401 on every way in."""
    cordboard = run.house.cordboard
    good = (await cordboard.rest("/token/me/rte/"))["Token"]
    head, body, signature = good.split(".")
    flipped = signature[:-2] + ("A" if signature[-2] != "A" else "B") + signature[-1]
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
    bad = {
        "none": None,
        "nonsense": "nonsense",
        "a changed signature": f"{head}.{body}.{flipped}",
        "no signature": f"{head}.{body}.",
        "alg none": f"{unsigned}.{body}.",
    }
    for what, token in bad.items():
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        query = "" if token is None else f"&access_token={token}"
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
        tries = [
            ("negotiate", "POST", NEGOTIATE, headers),
            ("negotiate by query", "POST", NEGOTIATE + query, {}),
            ("a WebSocket", "GET", "/rte", {**upgrade, **headers}),
            ("events", "GET", f"/rte?id={uuid.uuid4()}{query}", {"Accept": "text/event-stream"}),
            ("a poll", "GET", f"/rte?id={uuid.uuid4()}", headers),
        ]
        for way, method, path, headers_of_way in tries:
            status, _, _ = await asyncio.to_thread(cordboard.get, path, method, **headers_of_way)
            expect_equal(f"status of {way} with {what}", 401, status)
    status, _, _ = await asyncio.to_thread(cordboard.get, NEGOTIATE, "POST", Authorization=f"Bearer {good}")
    expect_equal("status with the good token", 200, status)
    return f"{len(bad)} kinds, 401 at negotiate, WebSocket, events and poll"


@scene("tokens")
async def expired_ones_are_refused(run):
    """A connection that stands outlives its token; a new one needs a new one."""
    cordboard = run.house.cordboard
    await asyncio.sleep(max(0.0, run.house.old_token_at + TOKEN_S + TOKEN_SPARE_S - time.monotonic()))
    status, _, _ = await asyncio.to_thread(cordboard.get, NEGOTIATE, "POST", Authorization=f"Bearer {run.house.old_token}")
    expect_equal("status with an expired token", 401, status)
    return f"401 after {TOKEN_S} s"


@scene("node, bad token")
async def is_told_401(run):
    client = await fresh(run, "node", "bad token", {})
    try:
        await client.open(run.house.account, token="a.b.c")
    except Failed as fault:
        expect("401" in str(fault), f"it says {fault}")
        return "negotiation fails with 401"
    raise Failed("it connected with a.b.c as its token")


@scene("node, events messagepack")
async def cannot_be(run):
    """Server-sent events carry no bytes: the client finds so in what negotiate offers."""
    client = await fresh(run, "node", "events messagepack", {"transport": "ServerSentEvents", "protocol": "messagepack"})
    try:
        await client.open(run.house.account)
    except Failed as fault:
        expect("Binary" in str(fault), f"it says {fault}")
        return "refused by the client: no Binary there"
    raise Failed("it connected")


@scene("chromium, foreign origin")
async def is_refused(run):
    """A page of an origin that nobody configured gets neither a token nor a connection."""
    house = run.house
    good = await house.cordboard.rest("/token/me/rte/")
    browser = await run.browser()
    foreign = run.join(Client("foreign", browser.page("foreign"), await with_cutter(house.cordboard.port), {}))
    for what, wishes in [
        ("with everything in hand", {"hub": good["WSSEndpoint"], "token": good["Token"]}),
        ("by WebSocket without negotiation", {"hub": good["WSSEndpoint"], "token": good["Token"], "skip": True, "transport": "WebSockets"}),
    ]:
        try:
            await foreign.open(house.account, **wishes)
        except Failed:
            continue
        raise Failed(f"a page of a foreign origin connected {what}")
    status, headers, _ = await asyncio.to_thread(
        house.cordboard.get, NEGOTIATE, "POST", Origin="https://foreign.example", Authorization=f"Bearer {good['Token']}"
    )
    expect("Access-Control-Allow-Origin" not in headers, "a foreign origin is allowed by name")
    return f"no connection; negotiate answers {status} without Access-Control-Allow-Origin"


@scene("node, sample of the documents")
async def runs_in_node(run):
    return await plays_sample(run, await fresh(run, "node", "sample", {}))


@scene("chromium, sample of the documents")
async def runs_on_a_page(run):
    browser = await run.browser()
    cutter = await with_cutter(run.house.cordboard.port)
    return await plays_sample(run, run.join(Client("sample", browser.page("sample"), cutter, {})))


async def plays_sample(run, client):
    house = run.house
    user, queue = house.users[0], house.queues[0]
    account = {"user": house.account["user"], "secret": house.account["secret"]}
    await client.command(do="sample", api=client.cutter.url, userId=user, queueId=queue, **account)
    first = await client.wait(("open", "failed"), SAMPLE_S_MAX)
    expect(first["said"] == "open", f"the sample fails: {first}")
    printed = lambda: [fact["text"] for fact in client.facts if fact["said"] == "console"]
    after = lambda words: next((text.removeprefix(words) for text in printed() if text.startswith(words)), None)
    results = json.loads(after("Subscription result: "))
    good = [{"subscribed": True, "message": None, "entityId": entity, "eventName": name} for entity, name in [(user, "userstatus"), (queue, "queuestatus")]]
    expect_equal("its results", good, results)
    expect_equal("its available events", phases.EVENTS_DOCUMENTED, len(json.loads(after("Available subscriptions "))))
    expect_equal("its active subscriptions", 2, len(json.loads(after("Active subscriptions "))))
    details = await client.until(lambda: after("Message details: "), SAMPLE_S_MAX, "message printed by the sample")
    house.catalogue.check(json.loads(details))
    await client.command(do="leave")
    await client.wait(("closed",), SAMPLE_S_MAX)
    expect_equal("its last words", "true", after("UnsubscribeAll result: "))
    return f"{len(printed())} lines printed as documented"


@scene("node, an agent")
async def sees_itself_only(run):
    """Rights are looked at item by item: oneself yes, another agent no, and no word more than Unauthorized."""
    house = run.house
    me = (await house.cordboard.rest("/users/me", "agent"))["Id"]
    other = next(user for user in house.users if user != me)
    client = await fresh(run, "node", "agent", {})
    await client.open(house.cordboard.accounts["agent"])
    names = house.catalogue.names("User")
    for entity, good in ((me, True), (other, False), (str(uuid.uuid4()), False)):
        results = await client.invoke("Subscribe", [{"EntityId": entity, "EventName": name} for name in names])
        wanted = {(good, None if good else "Unauthorized")}
        expect_equal("what an agent may", wanted, {(result["subscribed"], result["message"]) for result in results})
    await phases.check_active(client, {(me, name) for name in names})
    await client.stop()
    return f"{len(names)} events of itself, none of others"


@scene("raw, slow reader")
async def harms_nobody(run):
    """One that never reads is dropped in the end; another beside it is told everything meanwhile."""
    house = run.house
    token = (await house.cordboard.rest("/token/me/rte/"))["Token"]
    slow = Raw(house.cordboard.port, token)
    await slow.open()
    items = [{"EntityId": entity, "EventName": name} for entity, name in house.wanted()]
    for start in range(0, len(items), phases.CHUNK_ITEMS):
        await slow.invoke("Subscribe", items[start : start + phases.CHUNK_ITEMS])
    for _ in range(LONG_ANSWERS):
        slow.begin("ActiveSubscriptions")
    client = await fresh(run, "node", "beside a slow reader", {"transport": "WebSockets"})
    await client.open(house.account)
    await phases.subscribe(house, client)
    compared, began = 0, time.monotonic()
    while time.monotonic() - began < SLOW_S:
        await asyncio.sleep(NORMAL_S)
        compared = await phases.close_window(house, client)
    try:
        read = await asyncio.wait_for(slow.read_to_end(), SLOW_END_S_MAX)
    except TimeoutError:
        raise Failed(f"who read nothing for {SLOW_S:g} s was not dropped") from None
    finally:
        slow.close()
    await client.stop()
    return f"dropped within {SLOW_S:g} s with {read} bytes unread; {compared} events told to the other as in the stream"


@scene("docs/clients.md")
async def programs_run(run):
    """The programs of the page, as they stand there."""
    blocks = re.findall(r"^```(js|java|python)\n(.*?)^```$", CLIENTS_MD.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    expect_equal("languages of the programs", [language for language, _, _ in DOCUMENTED], [language for language, _ in blocks])
    plays = [run_documented(run, name, program, text) for (_, name, program), (_, text) in zip(DOCUMENTED, blocks)]
    seconds = await asyncio.gather(*plays)
    return f"{len(seconds)} programs print UserStatus"


async def run_documented(run, name, program, text):
    house, path = run.house, run.work / name
    path.write_text(text, encoding="utf-8")
    account = {"CORDBOARD_URL": house.cordboard.url, "CORDBOARD_USER": house.account["user"], "CORDBOARD_SECRET": house.account["secret"]}
    command = run.programs.documented(program, path)
    process = await asyncio.create_subprocess_exec(
        *command, env={**run.programs.environment(), **account}, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=run.log
    )
    try:
        async with asyncio.timeout(DOCS_S_MAX):
            while line := (await process.stdout.readline()).decode():
                if line.startswith("UserStatus "):
                    return
        raise Failed(f"{name} ended without a UserStatus")
    except TimeoutError:
        raise Failed(f"{name} printed no UserStatus within {DOCS_S_MAX:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@scene("openapi")
async def is_valid(run):
    """/openapi.json is OpenAPI 3.1 as an outside validator understands it."""
    status, _, body = await asyncio.to_thread(run.house.cordboard.get, "/openapi.json")
    expect_equal("status of /openapi.json", 200, status)
    document = json.loads(body)
    from openapi_spec_validator import validate

    validate(document)
    expect(document["openapi"].startswith("3.1"), f"it is OpenAPI {document['openapi']}")
    return f"OpenAPI {document['openapi']}, {len(document['paths'])} paths, valid"


async def fresh(run, program, name, wishes):
    """A client of its own for one scene."""
    cutter = await with_cutter(run.house.cordboard.port)
    return run.join(Client(name, await run.process(program), cutter, wishes))
