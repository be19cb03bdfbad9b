"""Where faults and checks get between the clients and the server: both REST and sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes.rocketchat.wire import Json

if TYPE_CHECKING:
    from tests.fakes.rocketchat.ddp.session import Session

Handler = Callable[[], Awaitable[web.StreamResponse]]


class Seam:
    """Lets everything pass; a subclass overrides what it wants to see or spoil.

    `server.seams` is the list of those in force: the first is the outermost, next to the client.
    """

    async def rest(
        self, request: web.Request, path: str, params: Json, handle: Handler
    ) -> web.StreamResponse:
        """Around one REST call; `path` is like `chat.sendMessage`, or `/info` for /api/info.

        `params` is the query or the body. Not to call `handle` is to lose the request; to call
        it and answer something else is to lose the answer of what was done.
        """
        return await handle()

    async def connecting(self, request: web.Request) -> web.StreamResponse | None:
        """Before a socket opens; an answer here refuses it."""
        return None

    def opened(self, session: Session) -> None:
        """A socket is open, nothing was sent."""

    def closed(self, session: Session) -> None:
        """A socket is gone."""

    async def incoming(self, session: Session, text: str) -> str | None:
        """A frame from the client; None swallows it."""
        return text

    async def outgoing(self, session: Session, text: str) -> str | None:
        """A frame for the client, in order; None swallows it, waiting holds up those behind it."""
        return text
