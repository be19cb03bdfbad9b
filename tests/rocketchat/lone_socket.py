"""A realtime server that does what a test tells it to, down to the bytes."""

from __future__ import annotations

import asyncio
import json
import logging
import socket as sockets
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

BOT, TOKEN = "uid-of-the-bot", "canary-of-the-realtime-login-7Gh3"
CONNECTED = {"msg": "connected", "session": "s"}

_SILENT = logging.Logger("a server in the same process", level=logging.CRITICAL)

Act = Callable[["Partner"], Awaitable[None]]


class Partner:
    """The server's end of one socket."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    @property
    def transport(self) -> asyncio.Transport:
        return self.socket.transport

    async def says(self, *frames: object) -> None:
        for frame in frames:
            raw = isinstance(frame, str | bytes)
            await self.socket.send(frame if raw else json.dumps(frame))

    async def hears(self, msg: str) -> dict[str, Any]:
        """The next frame, which must be such a one."""
        frame: dict[str, Any] = json.loads(await self.socket.recv())
        assert frame["msg"] == msg, frame
        return frame

    async def logs_in(self, *, pinged: bool = False) -> None:
        """Let the client in; `pinged`: there was a ping before."""
        await self.hears("connect")
        if pinged:
            await self.hears("pong")
        await self.says(CONNECTED)
        login = await self.hears("method")
        await self.says({"msg": "result", "id": login["id"], "result": {"id": BOT}})

    async def goes_live(self, *, pinged: bool = False) -> None:
        await self.logs_in(pinged=pinged)
        for _ in range(3):
            await self.says({"msg": "ready", "subs": [(await self.hears("sub"))["id"]]})

    async def waits_for_the_end(self) -> None:
        await self.socket.wait_closed()

    def resets(self) -> None:
        """Break off with a RST."""
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def message(id: str, **more: object) -> dict[str, Any]:
    """A frame with a message in a joined channel."""
    document = {"_id": id, "rid": "GENERAL", "msg": "!bbb help", "u": {"_id": "ana"}, **more}
    access = {"roomParticipant": True, "roomType": "c", "roomName": "general"}
    fields = {"eventName": "__my_messages__", "args": [document, access]}
    return {"msg": "changed", "collection": "stream-room-messages", "id": "id", "fields": fields}


@asynccontextmanager
async def partner(
    act: Act, *, tls: ssl.SSLContext | None = None, **more: Any
) -> AsyncIterator[str]:
    """Serves `act` on loopback; gives the address of the workspace."""

    async def handle(socket: ServerConnection) -> None:
        await act(Partner(socket))

    server = serve(
        handle, "127.0.0.1", 0, ssl=tls, close_timeout=0.1, logger=_SILENT, max_size=None, **more
    )
    async with server as serving:
        port = serving.sockets[0].getsockname()[1]
        yield f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"


@asynccontextmanager
async def speaker(answer: bytes | None, *, after: bytes = b"\r\n\r\n") -> AsyncIterator[str]:
    """A TCP server that hears whoever comes out to `after`, says this and hangs up; with None it
    says nothing, ever.
    """

    handlers: set[asyncio.Task[None] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        with suppress(OSError, asyncio.IncompleteReadError):
            if answer is None:
                await reader.read()
            else:
                await (reader.readuntil(after) if after else reader.read(1))
                writer.write(answer)
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.gather(*filter(None, handlers))
