"""A homeserver from a script: for the answers that a real one gives only on bad days."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

ME = "@bot:example.org"
DEVICE = "DEVICE"
ROOM = "!room-without-a-server"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(
    body: Mapping[str, Any] | str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """Answer with JSON, or with a page where `body` is a text."""

    async def answer(_: web.Request) -> web.StreamResponse:
        if isinstance(body, str):
            return web.Response(text=body, status=status, headers=headers, content_type="text/html")
        return web.json_response(body, status=status, headers=headers)

    return answer


def refuses(status: int, errcode: str, **more: Any) -> Answer:
    return says({"errcode": errcode, "error": "no", **more}, status)


async def hangs(_: web.Request) -> web.StreamResponse:
    """Nothing, until the client goes."""
    await asyncio.Event().wait()
    raise AssertionError("never")


async def is_cut(request: web.Request) -> web.StreamResponse:
    """An answer that ends in the middle."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"next_batch":')
    assert request.transport
    request.transport.close()
    return response


async def drops(request: web.Request) -> web.StreamResponse:
    """The connection ends without an answer."""
    assert request.transport
    request.transport.close()
    return web.Response()


def message(number: int, text: str = "") -> dict[str, Any]:
    return {
        "type": "m.room.message",
        "event_id": f"${number}",
        "sender": "@ada:example.org",
        "origin_server_ts": 1_700_000_000_000 + number,
        "content": {"msgtype": "m.text", "body": text or f"!bbb say {number}"},
    }


def synced(
    position: str, *events: Mapping[str, Any], limited: bool = False, prev_batch: str = "p"
) -> dict[str, Any]:
    """The body of a sync answer with these new events in ROOM."""
    if not events and not limited:
        return {"next_batch": position}
    timeline = {"events": list(events), "limited": limited, "prev_batch": prev_batch}
    return {"next_batch": position, "rooms": {"join": {ROOM: {"timeline": timeline}}}}


class Homeserver:
    """Use as `async with`. Scripts are used up in order; after its end `/sync` waits for ever.

    `counts` says how often which kind of request came, `since` from where was synced.
    """

    def __init__(self) -> None:
        self.syncs: deque[Answer] = deque()
        self.pages: deque[Answer] = deque()
        self.sends: deque[Answer] = deque()
        self.others: dict[str, Answer] = {}
        self.counts: Counter[str] = Counter()
        self.since: list[str | None] = []
        self.url = ""
        self._came = asyncio.Event()

    async def __aenter__(self) -> Homeserver:
        app = web.Application()
        app.router.add_route("*", "/_matrix/client/v3/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def asked(self, kind: str, times: int, *, seconds: float = 20.0) -> None:
        """Wait until this kind of request came so often."""
        try:
            async with asyncio.timeout(seconds):
                while self.counts[kind] < times:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise AssertionError(f"only {self.counts}") from None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        kind, answer = self._next(request)
        self.counts[kind] += 1
        self._came.set()
        return await answer(request)

    def _next(self, request: web.Request) -> tuple[str, Answer]:
        path = request.match_info["path"]
        if path == "sync":
            self.since.append(request.query.get("since"))
            return "sync", self.syncs.popleft() if self.syncs else hangs
        if path.endswith("/messages"):
            return "page", self.pages.popleft()
        if "/send/" in path:
            return "send", self.sends.popleft()
        found = next((known for known in self.others if path.endswith(known)), None)
        if found:
            return found, self.others[found]
        if path == "account/whoami":
            return "whoami", says({"user_id": ME, "device_id": DEVICE})
        return "other", refuses(404, "M_NOT_FOUND")


def page(*events: Mapping[str, Any], end: str | None = None) -> Answer:
    """A page of messages, newest first."""
    return says({"chunk": list(events), **({"end": end} if end else {})})
