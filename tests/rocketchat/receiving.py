"""A bot that only receives, over the real REST client and socket, with an inbox in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from bot.chat.base import Mode
from bot.chat.rocketchat.ddp.connection import converse
from bot.chat.rocketchat.ddp.protocol import Timings
from bot.chat.rocketchat.inflow import Inflow
from bot.chat.rocketchat.lookups import Lookups
from bot.chat.rocketchat.rest import Rest
from bot.chat.rocketchat.rhythm import Rhythm
from bot.chat.rocketchat.rooms import OwnRooms
from bot.chat.shapes import nested
from tests.fakes.rocketchat import RocketChat, Seam, User
from tests.fakes.rocketchat.seams import Handler
from tests.matrix.intake import Inbox

TIMINGS = Timings(step=5.0, ping_after=5.0, dead_after=10.0, tick=0.05, close=0.1)
RARELY = Rhythm(look=600.0, look_without_all=600.0, poll=0.2, first_pause=0.05, longest_pause=0.2)
"""Looks while live never come in a test: what is received then was heard."""

OFTEN = Rhythm(
    look=0.3, look_without_all=0.3, poll=0.2, first_pause=0.05, longest_pause=0.2, hopeless=0.3
)
"""Whatever was not heard is found by a look soon."""


@asynccontextmanager
async def receiving(
    server: RocketChat,
    bot: User,
    inbox: Inbox,
    *,
    rhythm: Rhythm = RARELY,
    timings: Timings = TIMINGS,
    mode: Mode | None = Mode.LIVE,
    lookups_of: Callable[[Rest], Lookups] = Lookups,
) -> AsyncIterator[Inflow]:
    """The bot receives, in this mode already, while the block runs."""
    rest = Rest(server.url, bot.id, bot.token)
    inflow = Inflow(
        user_id=bot.id,
        token=bot.token,
        rest=rest,
        connect=lambda session, hear: converse(server.url, session, ssl=None, on_event=hear),
        intake=inbox,
        prefixes=("!bbb",),
        lookups=lookups_of(rest),
        rooms=OwnRooms(bot.id),
        rhythm=rhythm,
        timings=timings,
    )
    try:
        await inflow.start()
        if mode is not None:
            await comes_to(inflow, mode)
        yield inflow
    finally:
        await inflow.stop()
        await rest.close()


async def comes_to(inflow: Inflow, mode: Mode) -> None:
    """Wait until it is in this mode."""
    await until(lambda: inflow.mode is mode, lambda: f"it is {inflow.mode}, not {mode}")


async def until(
    done: Callable[[], bool], otherwise: Callable[[], str] = lambda: "", *, seconds: float = 20.0
) -> None:
    """Wait for something. Raises AssertionError when it does not come in time."""
    try:
        async with asyncio.timeout(seconds):
            while not done():  # noqa: ASYNC110 - nothing tells when it is
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(otherwise()) from None


class Deaf(Seam):
    """While `on`, messages for which `which` holds are stored and never sent out."""

    def __init__(self, which: Callable[[Any], bool] = lambda document: True) -> None:
        self.on = True
        self._which = which

    async def outgoing(self, session: Any, text: str) -> str | None:
        fields = json.loads(text).get("fields") or {}
        is_message = fields.get("eventName") == "__my_messages__"
        return None if self.on and is_message and self._which(fields["args"][0]) else text


class Spoils(Seam):
    """On their way, messages with this in their text get some other keys."""

    def __init__(self, mark: str, keys: dict[str, Any]) -> None:
        self._mark = mark
        self._keys = keys

    async def outgoing(self, session: Any, text: str) -> str | None:
        frame = json.loads(text)
        args = nested(frame, "fields", "args")
        if not args or self._mark not in str(nested(args[0], "msg")):
            return text
        return json.dumps(
            {**frame, "fields": {**frame["fields"], "args": [{**args[0], **self._keys}, *args[1:]]}}
        )


class NoSockets(Seam):
    """While `on`, something before the server knows nothing of websockets."""

    on = True

    async def connecting(self, request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=400, text="<html>Bad Request</html>") if self.on else None


class Gate(Seam):
    """While closed, one REST call waits."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._passing = asyncio.Event()
        self.open()

    def open(self) -> None:
        self._passing.set()

    def close(self) -> None:
        self._passing.clear()

    async def rest(
        self, request: web.Request, path: str, params: Any, handle: Handler
    ) -> web.StreamResponse:
        if path == self._path:
            await self._passing.wait()
        return await handle()


class Answers(Seam):
    """While `on`, one REST call gets this answer instead of the server's."""

    def __init__(
        self,
        path: str,
        status: int,
        body: Any,
        *,
        headers: dict[str, str] | None = None,
        which: Callable[[Any], bool] = lambda params: True,
    ) -> None:
        self.on = True
        self.times = 0
        self._path, self._status, self._body = path, status, body
        self._headers = headers
        self._which = which

    async def rest(
        self, request: web.Request, path: str, params: Any, handle: Handler
    ) -> web.StreamResponse:
        if not self.on or path != self._path or not self._which(params):
            return await handle()
        self.times += 1
        return web.json_response(self._body, status=self._status, headers=self._headers)
