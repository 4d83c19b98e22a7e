"""What no client sends: the listener goes on serving those that are well."""

import random
import socket
import struct
import time

from apache import LOCAL_IP
from faults import Failed, expect, expect_equal
from topics import bind

ANSWER_S_MAX = 20.0
API_VERSIONS, METADATA = 18, 3
UNSUPPORTED_VERSION = 35
CONNECTIONS = 200


def scenes(site):
    for title, attack in [
        ("random bytes", random_bytes),
        ("a length of 2 GB", huge_length),
        ("a negative length", negative_length),
        ("half a frame", half_frame),
        ("a length bomb in an array", array_bomb),
        ("requests before the login", without_login),
        ("connections that say nothing", silent_connections),
        ("an HTTP request", http_request),
    ]:
        yield "ours", "nobody's", title, bind(survives, site, attack)
    yield "ours", "nobody's", "ApiVersions in a version of the future", bind(future_versions, site)
    yield "ours", "nobody's", "an API that nobody knows", bind(survives, site, unknown_api)


def survives(site, attack):
    """Others are served during and after it, and memory stays bounded."""
    before = memory_mib(site)
    held = attack(site)
    try:
        records = site.read("beta")
        expect(records, "nothing can be read meanwhile")
    finally:
        for stream in held:
            stream.close()
    expect_equal("readyz", 200, site.cordboard.get("/readyz")[0])
    grown = memory_mib(site) - before
    expect(grown < 300, f"it took {grown} MiB more memory")
    return f"{len(records)} records read meanwhile, {grown:+} MiB"


def random_bytes(site):
    chance = random.Random(5)
    held = []
    for _ in range(40):
        stream = connect(site)
        send(stream, chance.randbytes(chance.randrange(1, 4000)))
        held.append(stream)
    for _ in range(40):  # the length is right, what follows is not
        stream = connect(site)
        body = chance.randbytes(chance.randrange(8, 400))
        send(stream, struct.pack(">i", len(body)) + body)
        held.append(stream)
    return held


def huge_length(site):
    stream = connect(site)
    send(stream, struct.pack(">i", 0x7FFFFFFF) + bytes(1 << 16))
    closed_soon(stream)
    return [stream]


def negative_length(site):
    stream = connect(site)
    send(stream, struct.pack(">i", -1) + bytes(64))
    closed_soon(stream)
    return [stream]


def half_frame(site):
    held = []
    for _ in range(20):
        stream = connect(site)
        send(stream, request(API_VERSIONS, 0)[:9])
        held.append(stream)
    return held


def array_bomb(site):
    """Metadata that says it names two thousand million topics, and Produce so many."""
    held = []
    for api, version in ((METADATA, 1), (0, 3), (1, 4), (18, 3)):
        stream = connect(site)
        send(stream, request(api, version, struct.pack(">i", 0x7FFFFFFF) + bytes(40)))
        held.append(stream)
    return held


def without_login(site):
    """Nothing is told to whoever has not said who it is."""
    stream = connect(site)
    send(stream, request(METADATA, 1, struct.pack(">i", -1)))
    answer = receive(stream)
    expect(b"voice-" not in answer, "topics are named to nobody in particular")
    return [stream]


def silent_connections(site):
    return [connect(site) for _ in range(CONNECTIONS)]


def http_request(site):
    stream = connect(site)
    send(stream, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    closed_soon(stream)
    return [stream]


def unknown_api(site):
    stream = connect(site)
    send(stream, request(999, 0))
    receive(stream)
    return [stream]


def future_versions(site):
    """It is answered in version 0 with the error and what versions there are, as Kafka does."""
    with connect(site) as stream:
        send(stream, request(API_VERSIONS, 99, b"\x00"))
        answer = receive(stream)
        expect(len(answer) > 14, f"it is answered {answer!r}")
        correlation, error, count = struct.unpack(">ihi", answer[4:14])
        expect_equal("correlation", 7, correlation)
        expect_equal("error", UNSUPPORTED_VERSION, error)
        expect(count >= 1, "no versions are told")
        send(stream, request(API_VERSIONS, 0))  # the connection is still good
        again = receive(stream)
        expect_equal("error of version 0", 0, struct.unpack(">h", again[8:10])[0])
        return f"{struct.unpack('>i', again[10:14])[0]} APIs"


def request(api, version, body=b""):
    frame = struct.pack(">hhih", api, version, 7, -1) + body
    return struct.pack(">i", len(frame)) + frame


def connect(site):
    return socket.create_connection((LOCAL_IP, site.cordboard.kafka_port), timeout=ANSWER_S_MAX)


def send(stream, data):
    try:
        stream.sendall(data)
    except OSError:  # it was closed on us, which is its right
        pass


def receive(stream):
    """One frame, or nothing where the connection is closed."""
    try:
        head = stream.recv(4, socket.MSG_WAITALL)
        if len(head) < 4:
            return b""
        return head + stream.recv(struct.unpack(">i", head)[0], socket.MSG_WAITALL)
    except TimeoutError:
        raise Failed(f"it is neither answered nor closed within {ANSWER_S_MAX:g} s") from None
    except OSError:
        return b""


def closed_soon(stream):
    deadline = time.monotonic() + ANSWER_S_MAX
    try:
        while stream.recv(4096):
            expect(time.monotonic() < deadline, "it goes on answering")
    except TimeoutError:
        raise Failed(f"it is not closed within {ANSWER_S_MAX:g} s") from None
    except OSError:
        pass


def memory_mib(site):
    with open(f"/proc/{site.cordboard.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024
