"""A line on which every message of a client travels for a while, there and back, and on which some
answers are lost: the server has stored the message, and whoever sent it does not know.
"""

from __future__ import annotations

import asyncio
import random

from aiohttp import web

from tests.fakes.rocketchat.faults.rest import PROXY_PAGE, reset
from tests.fakes.rocketchat.seams import Handler, Seam
from tests.fakes.rocketchat.wire import Json

MOST_SECONDS = 0.1
LOST = 0.1


class LossyLine(Seam):
    """`lost` counts the answers that never arrived."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.lost = 0

    async def rest(
        self, request: web.Request, path: str, params: Json, handle: Handler
    ) -> web.StreamResponse:
        if path != "chat.sendMessage":
            return await handle()
        await self._travel()
        if request.transport is None:  # a client that dies on the way there has said nothing
            return web.Response()
        answer = await handle()
        await self._travel()
        return self._spoiled(request) if self._rng.random() < LOST else answer

    async def _travel(self) -> None:
        await asyncio.sleep(self._rng.uniform(0, MOST_SECONDS))

    def _spoiled(self, request: web.Request) -> web.StreamResponse:
        """The page of a proxy, or nothing at all."""
        self.lost += 1
        if self._rng.random() < 0.5:
            page = PROXY_PAGE.format("502 Bad Gateway")
            return web.Response(text=page, status=502, content_type="text/html")
        reset(request.transport)
        return web.Response()
