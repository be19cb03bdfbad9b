"""REST on its bad days: what one endpoint or all of them answer instead, how often."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from aiohttp import web

from tests.fakes.rocketchat.profiles import Profile
from tests.fakes.rocketchat.refusals import (
    Failed,
    Forbidden,
    NotFound,
    NotLoggedIn,
    Refusal,
    TooMany,
    answer_of,
)
from tests.fakes.rocketchat.seams import Handler, Seam
from tests.fakes.rocketchat.wire import Json, milliseconds

Strike = Callable[[web.Request], Awaitable[web.StreamResponse]]
Reset = Literal["ms", "past", "missing"]

OF_STATUS: dict[int, Refusal] = {
    400: Failed("Something went wrong"),
    401: NotLoggedIn(),
    403: Forbidden(),
    404: NotFound(),
    429: TooMany(1, {}),
}
"""What the server itself says with a status, in the words of its generation."""

PROXY_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


@dataclass(eq=False)
class Fault:
    """One that was ordered. `struck` counts; it is over after `times`, or when it is stopped."""

    endpoint: str
    strike: Strike
    times: int | None
    after_storing: bool
    struck: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def is_for(self, endpoint: str) -> bool:
        is_over = self.times is not None and self.struck >= self.times
        return self.endpoint in ("*", endpoint) and not is_over

    def stop(self) -> None:
        self.times = self.struck

    def count(self) -> None:
        self.struck += 1
        self._news.set()

    async def has_struck(self, times: int = 1, *, seconds: float = 30.0) -> None:
        """Wait until it struck so often."""
        async with asyncio.timeout(seconds):
            while self.struck < times:
                self._news.clear()
                await self._news.wait()


class RestFaults(Seam):
    """Orders hold for `times` requests (None: until stopped), the oldest that fits first.

    An endpoint is called like "chat.sendMessage" or "/info"; "*" are all. With `after_storing`
    the request is carried out, and only its answer is lost.
    """

    def __init__(self, profile: Profile, clock: Callable[[], datetime]) -> None:
        self._profile = profile
        self._clock = clock
        self._faults: list[Fault] = []

    def fail(
        self,
        endpoint: str = "*",
        *,
        status: int = 500,
        body: str | Json | None = None,
        headers: Mapping[str, str] | None = None,
        times: int | None = 1,
        after_storing: bool = False,
    ) -> Fault:
        """Answer with a status. A text is a page, a mapping JSON, "" nothing at all.

        Without a body: what this generation of the server says with that status, and for statuses
        that it does not use the page of a proxy.
        """

        async def strike(_: web.Request) -> web.StreamResponse:
            said = self._usual_body(status) if body is None else body
            if isinstance(said, str):
                return web.Response(
                    text=said, status=status, headers=headers, content_type="text/html"
                )
            return web.json_response(said, status=status, headers=headers)

        return self._order(endpoint, strike, times, after_storing)

    def refuse(self, endpoint: str, refusal: Refusal, *, times: int | None = 1) -> Fault:
        """Refuse in the words of this generation: `Refused("error-not-allowed")`, ..."""
        status, body = answer_of(refusal, self._profile)
        return self.fail(endpoint, status=status, body=body, times=times)

    def limit(
        self,
        endpoint: str = "*",
        *,
        seconds: int = 1,
        reset: Reset = "ms",
        times: int | None = 1,
    ) -> Fault:
        """429 for `seconds`: X-RateLimit-Reset in milliseconds, in the past, or missing."""

        async def strike(_: web.Request) -> web.StreamResponse:
            status, body = answer_of(TooMany(seconds, {}), self._profile)
            ends = self._clock() + timedelta(seconds=-60 if reset == "past" else seconds)
            headers = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0"}
            if reset != "missing":
                headers["X-RateLimit-Reset"] = str(milliseconds(ends))
            return web.json_response(body, status=status, headers=headers)

        return self._order(endpoint, strike, times, after_storing=False)

    def slow(self, endpoint: str = "*", *, seconds: float, times: int | None = 1) -> Fault:
        """The right answer, later."""

        async def strike(_: web.Request) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            raise _CarryOn

        return self._order(endpoint, strike, times, after_storing=False)

    def hang(
        self, endpoint: str = "*", *, times: int | None = 1, after_storing: bool = False
    ) -> Fault:
        """No answer, until the client goes."""

        async def strike(_: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError("never")

        return self._order(endpoint, strike, times, after_storing)

    def drop(
        self, endpoint: str = "*", *, times: int | None = 1, after_storing: bool = False
    ) -> Fault:
        """The connection is reset instead of an answer."""

        async def strike(request: web.Request) -> web.StreamResponse:
            if request.transport:
                reset(request.transport)
            return web.Response()

        return self._order(endpoint, strike, times, after_storing)

    def cut(
        self, endpoint: str = "*", *, times: int | None = 1, after_storing: bool = False
    ) -> Fault:
        """An answer that ends in the middle."""

        async def strike(request: web.Request) -> web.StreamResponse:
            headers = {"Content-Length": "1000", "Content-Type": "application/json"}
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            await response.write(b'{"success":true,')
            if request.transport:
                request.transport.close()
            return response

        return self._order(endpoint, strike, times, after_storing)

    def stop(self) -> None:
        """End whatever is ordered."""
        self._faults.clear()

    async def rest(
        self, request: web.Request, path: str, params: Json, handle: Handler
    ) -> web.StreamResponse:
        fault = next((one for one in self._faults if one.is_for(path)), None)
        if fault is None:
            return await handle()
        fault.count()
        if fault.after_storing:
            await handle()
        try:
            return await fault.strike(request)
        except _CarryOn:
            return await handle()

    def _usual_body(self, status: int) -> str | Json:
        if status == 500:
            return {"success": False, "error": "Internal server error"}
        if refusal := OF_STATUS.get(status):
            return answer_of(refusal, self._profile)[1]
        return PROXY_PAGE.format(f"{status} of a proxy")

    def _order(
        self, endpoint: str, strike: Strike, times: int | None, after_storing: bool
    ) -> Fault:
        fault = Fault(endpoint, strike, times, after_storing)
        self._faults.append(fault)
        return fault


class _CarryOn(Exception):
    """The handler answers after all."""


def reset(transport: asyncio.Transport) -> None:
    """End a connection with an RST: what was on its way is lost, and nobody says goodbye."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
