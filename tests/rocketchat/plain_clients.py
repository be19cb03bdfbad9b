"""The smallest REST client, and the smallest DDP client, to look at the test server with."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.fakes.rocketchat import RocketChat, User

SECONDS = 20.0


class Rest:
    """Use as `async with`. Answers are the status and the body; `headers` are the last answer's."""

    def __init__(self, server: RocketChat, user: User | None = None) -> None:
        self._base = f"{server.url}/api/v1/"
        self._auth = {"X-Auth-Token": user.token, "X-User-Id": user.id} if user else {}
        self.headers: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def get(self, path: str, **params: str) -> tuple[int, Any]:
        async with self._http.get(self._base + path, params=params, headers=self._auth) as answer:
            return await self._read(answer)

    async def post(
        self, path: str, headers: dict[str, str] | None = None, **body: Any
    ) -> tuple[int, Any]:
        sent = {**self._auth, **(headers or {})}
        async with self._http.post(self._base + path, json=body, headers=sent) as answer:
            return await self._read(answer)

    async def send(self, **message: Any) -> tuple[int, Any]:
        return await self.post("chat.sendMessage", message=message)

    async def _read(self, answer: aiohttp.ClientResponse) -> tuple[int, Any]:
        self.headers = dict(answer.headers)
        return answer.status, await answer.json()


class Socket:
    """Use as `async with`. Frames are dicts; nothing is answered by itself."""

    def __init__(self, server: RocketChat) -> None:
        self._url = server.url.replace("http", "ws", 1) + "/websocket"

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        self.ws = await self._http.ws_connect(self._url)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def send(self, frame: Any) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.ws.send_str(text)

    async def next(self) -> Any:
        """The next frame; at the end `{"closed": code, "reason": ...}`."""
        async with asyncio.timeout(SECONDS):
            message = await self.ws.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        return {"closed": self.ws.close_code, "reason": message.extra}

    async def until(self, **wanted: Any) -> Any:
        """The next frame with these values; those before it are dropped."""
        while True:
            frame = await self.next()
            if wanted.items() <= frame.items():
                return frame
            if "closed" in frame:
                raise AssertionError(f"closed before {wanted}: {frame}")

    async def connect(self, user: User | None = None) -> None:
        await self.send({"msg": "connect", "version": "1", "support": ["1"]})
        await self.until(msg="connected")
        if user:
            result = await self.call("login", {"resume": user.token})
            assert "error" not in result, result

    async def call(self, method: str, *params: Any) -> Any:
        """The result of a method, `updated` behind it or before."""
        await self.send({"msg": "method", "method": method, "id": method, "params": list(params)})
        return await self.until(msg="result", id=method)

    async def subscribe(self, stream: str, event_name: str) -> Any:
        """`ready` or `nosub`."""
        identity = f"{stream} {event_name}"
        params = [event_name, False]
        await self.send({"msg": "sub", "id": identity, "name": stream, "params": params})
        while True:
            frame = await self.next()
            if frame.get("subs") == [identity] or frame.get("id") == identity:
                return frame

    async def document(self, event_name: str = "__my_messages__") -> Any:
        """The first argument of the next frame of an event."""
        while True:
            frame = await self.until(msg="changed")
            if frame["fields"]["eventName"] == event_name:
                return frame["fields"]["args"][0]
