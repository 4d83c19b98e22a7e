"""A client by hand, where no library would do: one that can stop reading."""

import asyncio
import base64
import json
import os
import socket
import struct

from faults import Failed, expect

RECORD_END = b"\x1e"
SMALL_BUFFER_BYTES = 4096
LARGE_BUFFER_BYTES = 1 << 20
TEXT_FRAME = 0x81


class Raw:
    """A WebSocket of the hub, without negotiation, in JSON."""

    def __init__(self, port, token):
        self._port, self._token = port, token
        self._plain = self._reader = self._writer = None

    async def open(self):
        """A small receive buffer: what is not read stays with the server."""
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        plain.setblocking(False)
        self._plain = plain
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self._port))
        self._reader, self._writer = await asyncio.open_connection(sock=plain, limit=SMALL_BUFFER_BYTES)
        status = await self._upgrade()
        expect(status == 101, f"the upgrade was answered {status}")
        self._send({"protocol": "json", "version": 1})
        handshake = await self._frame()
        expect(handshake == b"{}" + RECORD_END, f"the handshake was answered {handshake!r}")

    async def _upgrade(self):
        lines = [
            "GET /rte HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            f"Authorization: Bearer {self._token}",
        ]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])

    def begin(self, method):
        """Invokes without waiting for the answer."""
        self._send({"type": 1, "invocationId": method, "target": method, "arguments": []})

    async def invoke(self, method, *arguments):
        self._send({"type": 1, "invocationId": method, "target": method, "arguments": list(arguments)})
        while True:
            for message in (await self._frame()).split(RECORD_END):
                told = json.loads(message) if message else {}
                if told.get("type") == 3:
                    if "error" in told:
                        raise Failed(f"{method} was answered by the error {told['error']!r}")
                    return told.get("result")

    async def read_to_end(self):
        """Reads what is still there; gives how many bytes, when the other side has ended."""
        self._plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LARGE_BUFFER_BYTES)
        read = 0
        try:
            while piece := await self._reader.read(SMALL_BUFFER_BYTES):
                read += len(piece)
        except ConnectionError:
            pass
        return read

    def close(self):
        self._writer.transport.abort()

    def _send(self, message):
        payload = json.dumps(message).encode() + RECORD_END
        mask = os.urandom(4)
        length = len(payload)
        head = bytes([TEXT_FRAME, 0x80 | length]) if length < 126 else bytes([TEXT_FRAME, 0x80 | 126]) + struct.pack(">H", length)
        self._writer.write(head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)))

    async def _frame(self):
        head = await self._reader.readexactly(2)
        expect(head[0] == TEXT_FRAME, f"a frame begins with {head.hex()}")
        length = head[1]
        if length == 126:
            length = struct.unpack(">H", await self._reader.readexactly(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", await self._reader.readexactly(8))[0]
        return await self._reader.readexactly(length)
