"""A TCP proxy whose connections can be cut without a word, as a broken network does it."""

import asyncio
import socket
import struct

LOCAL_IP = "127.0.0.1"
PIECE_BYTES = 65536
LINGER_OFF = struct.pack("ii", 1, 0)  # closing sends a reset instead of an end


class Cutter:
    def __init__(self, target_port):
        self.target_port, self.port = target_port, None
        self.opened = 0  # connections so far
        self._server, self._tasks = None, set()
        # Of each connection the client's end, then the server's; the oldest first, so that clients that come back at
        # once find nothing half cut.
        self._sockets = []

    async def start(self):
        self._server = await asyncio.start_server(self._carry, LOCAL_IP, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self):
        return f"http://{LOCAL_IP}:{self.port}"

    def cut(self, gently=False):
        """Drops what is open; new connections are let through. Gently: the client finds an end instead of a reset."""
        for at, writer in enumerate(self._sockets):
            if gently and at % 2 == 0:
                writer.write_eof()
                continue
            raw = writer.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_OFF)
            writer.transport.abort()
        self._sockets.clear()

    async def close(self):
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader, writer):
        self.opened += 1
        try:
            onward_reader, onward_writer = await asyncio.open_connection(LOCAL_IP, self.target_port)
        except OSError:
            writer.transport.abort()
            return
        pair = [writer, onward_writer]
        self._sockets += pair
        ways = [self._pump(reader, onward_writer), self._pump(onward_reader, writer)]
        tasks = [asyncio.create_task(way) for way in ways]
        self._tasks.update(tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.difference_update(tasks)
        self._sockets = [socket for socket in self._sockets if socket not in pair]

    @staticmethod
    async def _pump(reader, writer):
        try:
            while piece := await reader.read(PIECE_BYTES):
                writer.write(piece)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            if not writer.transport.is_closing():
                writer.close()
