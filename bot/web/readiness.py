"""`/readyz`: whether the bot can do its work, part by part."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

log = logging.getLogger(__name__)

_SECONDS = 5


class Part(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Health:
    """How the parts are. `chats` by platform; `bbb` all servers together."""

    database: Part
    chats: Mapping[str, Part]
    bbb: Part

    @property
    def status(self) -> Part:
        """DOWN without a database or any chat; DEGRADED while anything else is wanting."""
        if Part.DOWN is self.database or all(c is Part.DOWN for c in self.chats.values()):
            return Part.DOWN
        whole = {self.database, self.bbb, *self.chats.values()} == {Part.OK}
        return Part.OK if whole else Part.DEGRADED


Parts = Callable[[], Awaitable[Health]]


@dataclass(frozen=True, slots=True)
class Readiness:
    parts: Parts

    async def readyz(self, _: Request) -> Response:
        """200 while commands can be taken, BBB or not; else 503. JSON, never why."""
        health = await self._health()
        if health is None:
            return _answer({"status": Part.DOWN}, Part.DOWN)
        parts = {"database": health.database, "chats": dict(health.chats), "bbb": health.bbb}
        return _answer({"status": health.status, "parts": parts}, health.status)

    async def _health(self) -> Health | None:
        try:
            async with asyncio.timeout(_SECONDS):
                return await self.parts()
        except Exception:
            log.exception("the state of the bot is unknown", extra={"action": "readyz_failed"})
            return None


def _answer(content: Mapping[str, object], status: Part) -> Response:
    down = status is Part.DOWN
    return JSONResponse(content, HTTPStatus.SERVICE_UNAVAILABLE if down else HTTPStatus.OK)
