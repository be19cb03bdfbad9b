"""A bare realtime client and a bare REST client: they send what they are told and hide nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection, connect

from tests.fakes.rocketchat import RocketChat, User

Json = dict[str, Any]
MEGABYTES = 4 * 1024 * 1024


class Line:
    """One realtime socket. `frames` is all that came so far."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Json] = []
        self._numbers = 0

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def next(self, *, seconds: float = 30.0) -> Any:
        """The next frame, whatever it is. Raises ConnectionClosed and TimeoutError."""
        async with asyncio.timeout(seconds):
            text = await self.socket.recv()
        frame = json.loads(text)
        self.frames.append(frame)
        return frame

    async def frame(self, fits: Callable[[Json], Any], *, seconds: float = 30.0) -> Json:
        """The next frame that fits; pings are answered on the way."""
        while True:
            frame: Json = await self.next(seconds=seconds)
            if frame.get("msg") == "ping":
                await self.send(**{**frame, "msg": "pong"})
            if fits(frame):
                return frame

    async def connect(self) -> None:
        await self.send(msg="connect", version="1", support=["1"])
        await self.frame(lambda frame: frame.get("msg") == "connected")

    async def log_in(self, user: User) -> Json:
        """The answer to a login with the user's token."""
        return await self.call("login", {"resume": user.token})

    async def call(self, method: str, *params: Any, seconds: float = 30.0) -> Json:
        number = self._number()
        await self.send(msg="method", method=method, id=number, params=list(params))
        return await self.frame(lambda frame: _answers(frame, number), seconds=seconds)

    async def subscribe(self, name: str, *params: Any, seconds: float = 30.0) -> Json:
        """The `ready` or `nosub`."""
        number = self._number()
        await self.send(msg="sub", id=number, name=name, params=list(params))
        return await self.frame(lambda frame: _answers(frame, number), seconds=seconds)

    async def message(self, text: str, *, seconds: float = 30.0) -> Json:
        """The document of the next message with this text."""
        frame = await self.frame(
            lambda frame: text in (one.get("msg") for one in _documents(frame)), seconds=seconds
        )
        document: Json = frame["fields"]["args"][0]
        return document

    def _number(self) -> str:
        self._numbers += 1
        return str(self._numbers)


def _answers(frame: Json, number: str) -> bool:
    return (frame.get("msg") in ("result", "nosub") and frame.get("id") == number) or (
        frame.get("msg") == "ready" and number in frame["subs"]
    )


def _documents(frame: Json) -> list[Json]:
    if frame.get("collection") != "stream-room-messages":
        return []
    return [frame["fields"]["args"][0]]


@asynccontextmanager
async def line(server: RocketChat) -> AsyncIterator[Line]:
    """An open socket on which nothing was said."""
    address = server.url.replace("http", "ws", 1) + "/websocket"
    async with connect(address, max_size=MEGABYTES, ping_interval=None) as socket:
        yield Line(socket)


@asynccontextmanager
async def listening(server: RocketChat, user: User) -> AsyncIterator[Line]:
    """A socket on which somebody hears all messages and what becomes of the subscriptions."""
    async with line(server) as one:
        await one.connect()
        await one.log_in(user)
        assert "error" not in await one.subscribe("stream-room-messages", "__my_messages__", False)
        events = f"{user.id}/subscriptions-changed"
        assert "error" not in await one.subscribe("stream-notify-user", events, False)
        yield one


class Rest:
    """Requests in somebody's name, or in nobody's; `sends` are the headers of each.

    `headers` are those of the last answer.
    """

    def __init__(
        self, session: aiohttp.ClientSession, server: RocketChat, user: User | None = None
    ) -> None:
        self._session = session
        self.base = f"{server.url}/api/v1/"
        self.sends = {"X-Auth-Token": user.token, "X-User-Id": user.id} if user else {}

    async def get(self, path: str, **query: Any) -> tuple[int, Any]:
        """Status and JSON (or text)."""
        return await self.ask("GET", path, params=query)

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        return await self.ask("POST", path, json=body)

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        asked = self._session.request(method, self.base + path, headers=self.sends, **more)
        async with asked as answer:
            self.headers = answer.headers
            text = await answer.text()
        is_json = answer.content_type == "application/json"
        return answer.status, json.loads(text) if is_json else text


@asynccontextmanager
async def rest(
    server: RocketChat, user: User | None = None, *, seconds: float = 30.0
) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds)) as session:
        yield Rest(session, server, user)
