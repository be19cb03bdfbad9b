"""A slow line to a homeserver: every posted event is under way for a while, there and back.

A client that dies while its message is on the way there has said nothing; one that dies while
the answer is on the way back has said something and does not know. A fast line rarely shows it.
"""

from __future__ import annotations

import asyncio
import random

import aiohttp
from aiohttp import web
from yarl import URL

MOST_SECONDS = 0.15
SKIPPED = frozenset({"host", "content-length", "connection", "transfer-encoding"})


class SlowLine:
    """Use as `async with`; `url` is the homeserver's address as seen through it."""

    def __init__(self, homeserver: str, rng: random.Random) -> None:
        self._homeserver = homeserver
        self._rng = rng
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession | None = None
        self.url = ""

    async def __aenter__(self) -> SlowLine:
        self._http = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        # A handler ends with its client: what was not passed on yet never is.
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._http:
            await self._http.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        await self._travel(request)
        answer = await self._ask(request, body)
        await self._travel(request)
        return answer

    async def _ask(self, request: web.Request, body: bytes) -> web.Response:
        assert self._http
        headers = {k: v for k, v in request.headers.items() if k.lower() not in SKIPPED}
        url = f"{self._homeserver}{request.raw_path}"
        async with self._http.request(
            request.method, _exact(url), data=body, headers=headers
        ) as got:
            return web.Response(
                status=got.status, body=await got.read(), content_type=got.content_type
            )

    async def _travel(self, request: web.Request) -> None:
        if "/send/" in request.path:
            await asyncio.sleep(self._rng.uniform(0, MOST_SECONDS))


def _exact(url: str) -> URL:
    return URL(url, encoded=True)
