"""The clients that are played: whose program, over which transport, in which protocol, and how it comes back."""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
# name, program, wishes of `open`. signalrcore comes back by itself only from a connection that was ended, not reset, and
# only where the server answers at once: its `again` is `once`, and it is cut gently.
VARIANTS = [
    ("node websockets json", "node", {"transport": "WebSockets", "again": "automatic"}),
    ("node websockets messagepack", "node", {"transport": "WebSockets", "protocol": "messagepack", "again": "automatic"}),
    ("node websockets json, no negotiation", "node", {"transport": "WebSockets", "skip": True, "again": "automatic"}),
    ("node websockets json, stateful", "node", {"transport": "WebSockets", "again": "stateful"}),
    ("node websockets messagepack, stateful", "node", {"transport": "WebSockets", "protocol": "messagepack", "again": "stateful"}),
    ("node events json", "node", {"transport": "ServerSentEvents", "again": "automatic"}),
    ("node polling json", "node", {"transport": "LongPolling", "again": "automatic"}),
    ("node polling messagepack", "node", {"transport": "LongPolling", "protocol": "messagepack", "again": "automatic"}),
    ("chromium websockets json", "chromium", {"again": "automatic"}),
    ("chromium websockets messagepack, stateful", "chromium", {"transport": "WebSockets", "protocol": "messagepack", "again": "stateful"}),
    ("chromium events json", "chromium", {"transport": "ServerSentEvents", "again": "automatic"}),
    ("chromium polling messagepack", "chromium", {"transport": "LongPolling", "protocol": "messagepack", "again": "automatic", "cut": "asks again"}),
    ("java websockets json", "java", {"transport": "WebSockets"}),
    ("java websockets json, no negotiation", "java", {"transport": "WebSockets", "skip": True}),
    ("java polling json", "java", {"transport": "LongPolling", "cut": "asks again"}),
    ("pysignalr websockets json", "pysignalr", {}),
    ("pysignalr websockets messagepack", "pysignalr", {"protocol": "messagepack"}),
    ("signalrcore websockets json", "signalrcore", {"transport": "WebSockets", "again": "once", "cut": "gently"}),
    ("signalrcore websockets messagepack", "signalrcore", {"transport": "WebSockets", "protocol": "messagepack", "again": "once", "cut": "gently"}),
]


class Programs:
    """How each program is started; `cache` is where run.sh put what they need."""

    def __init__(self, cache):
        self._cache = cache

    def command(self, program, *arguments):
        lib, classes = self._cache / "java" / "lib", self._cache / "java" / "classes"
        known = {
            "node": ["node", HERE / "js" / "node.js"],
            "chromium": ["node", HERE / "js" / "chromium.js"],
            "java": ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", f"{classes}{os.pathsep}{lib}/*", "Puppet"],
            "pysignalr": [sys.executable, HERE / "python" / "by_pysignalr.py"],
            "signalrcore": [sys.executable, HERE / "python" / "by_signalrcore.py"],
        }
        return [str(word) for word in [*known[program], *arguments]]

    def documented(self, program, path):
        """How a program of docs/clients.md is run."""
        lib = self._cache / "java" / "lib"
        known = {"node": ["node"], "java": ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{lib}/*"], "python": [sys.executable]}
        return [str(word) for word in [*known[program], path]]

    def environment(self):
        waits = {"WEBSOCKETS_BACKOFF_INITIAL_DELAY": "0.2", "WEBSOCKETS_BACKOFF_MIN_DELAY": "0.2", "WEBSOCKETS_BACKOFF_MAX_DELAY": "0.5"}
        return {**os.environ, **waits, "NODE_PATH": str(self._cache / "js" / "node_modules"), "PYTHONDONTWRITEBYTECODE": "1"}
