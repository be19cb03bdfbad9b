"""A line to a server that breaks again and again, whatever is on it: requests, sockets, answers."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import suppress
from urllib.parse import urlsplit

CHUNK = 64 * 1024
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER so that closing a connection resets it."""


class FlappingLine:
    """Use as `async with`; `url` is the server's address as seen through it."""

    def __init__(self, server: str, rng: random.Random) -> None:
        parts = urlsplit(server)
        self._goal = (parts.hostname, parts.port)
        self._rng = rng
        self._ends: set[asyncio.StreamWriter] = set()
        self._down = False
        self.breaks = 0
        self.url = ""

    async def __aenter__(self) -> FlappingLine:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._break()
        await self._server.wait_closed()

    async def flap(self, *, up: float, down: float) -> None:
        """Break for ever: it holds for `up` seconds at most, and is broken for `down` at most."""
        while True:
            await asyncio.sleep(self._rng.uniform(0, up))
            self.tear()
            await asyncio.sleep(self._rng.uniform(0, down))
            self.mend()

    def tear(self) -> None:
        """It is broken from now on."""
        self._down = True
        self._break()

    def mend(self) -> None:
        """It holds from now on."""
        self._down = False

    def _break(self) -> None:
        self.breaks += 1
        for end in list(self._ends):
            end.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        resets_when_closed(writer)
        self._ends.add(writer)
        try:
            if not self._down:
                await self._pass_on(reader, writer)
        finally:
            writer.transport.abort()
            self._ends.discard(writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._goal)
        self._ends.add(back)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, back))
                group.create_task(_copy(there, writer))
        finally:
            back.transport.abort()
            self._ends.discard(back)


def resets_when_closed(writer: asyncio.StreamWriter) -> None:
    end: socket.socket = writer.get_extra_info("socket")
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def _copy(source: asyncio.StreamReader, goal: asyncio.StreamWriter) -> None:
    """Until one end is closed, which closes the other."""
    with suppress(OSError):
        while chunk := await source.read(CHUNK):
            goal.write(chunk)
            await goal.drain()
    goal.close()
