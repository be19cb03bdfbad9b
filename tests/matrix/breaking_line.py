"""A line to a homeserver that breaks: a share of all requests ends with a reset connection, half of
them before the homeserver heard of it, half after it did what was asked.
"""

from __future__ import annotations

import random
import socket
import struct

from aiohttp import web

from tests.matrix.slow_line import SlowLine

NO_LINGERING = struct.pack("ii", 1, 0)


class BreakingLine(SlowLine):
    """Use as `async with`. `share` of the requests break while `breaking`; `broken` counts them."""

    def __init__(self, homeserver: str, rng: random.Random, *, share: float) -> None:
        super().__init__(homeserver, rng)
        self.share = share
        self.broken = 0

    async def _pass_on(self, request: web.Request) -> web.Response:
        breaks = self._rng.random() < self.share
        if not breaks or self._rng.random() < 0.5:
            answer = await super()._pass_on(request)
        if not breaks:
            return answer
        self.broken += 1
        transport = request.transport
        if transport is not None:
            # RST, not FIN: nobody could take this for an answer that has ended.
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
            transport.abort()
        return web.Response()
