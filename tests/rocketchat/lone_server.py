"""An HTTP server that answers what a test tells it to, for what no Rocket.Chat would say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class LoneServer:
    """`replies` by path ("me", "chat.sendMessage"), each used up from the front but the last."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    """Method, path as sent, headers, body."""
    url: str = ""

    def on(self, path: str, *replies: Reply) -> None:
        self.replies[path] = list(replies)

    def asked(self, path: str) -> int:
        return sum(sent.partition("?")[0].endswith(f"/{path}") for _, sent, _, _ in self.requests)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.raw_path, dict(request.headers), body))
        replies = self.replies.get(request.path.removeprefix("/api/").removeprefix("v1/"))
        if not replies:
            return web.json_response({"success": False, "error": "Resource not found"}, status=404)
        return await (replies.pop(0) if len(replies) > 1 else replies[0])(request)


def says(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """JSON for an object, else the text as HTML."""

    async def reply(_: web.Request) -> web.StreamResponse:
        if isinstance(body, str):
            return web.Response(text=body, status=status, headers=headers, content_type="text/html")
        return web.json_response(body, status=status, headers=headers)

    return reply


class Hangs:
    """No answer before `end`."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.end = asyncio.Event()

    async def __call__(self, _: web.Request) -> web.StreamResponse:
        self.asked.set()
        await self.end.wait()
        return web.json_response({"success": True})


async def drips(request: web.Request) -> web.StreamResponse:
    """A byte now and then, for ever."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)
    except ConnectionError:
        return response


async def breaks(request: web.Request) -> web.StreamResponse:
    """The line is cut instead of an answer."""
    assert request.transport
    request.transport.abort()
    return web.Response()


async def cuts(request: web.Request) -> web.StreamResponse:
    """The line is cut in the middle of the body."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"success": true, "x": "')
    assert request.transport
    request.transport.close()
    return response
