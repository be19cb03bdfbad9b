"""Entering rooms, patiently while the server has trouble, and leaving them with a reason."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client, at
from commands.errors import ChatUnavailable

log = logging.getLogger(__name__)

JOIN_SECONDS = 60.0  # a room of another server can take long
_PAUSES = (1.0, 5.0, 30.0, 120.0, 600.0)

Sleep = Callable[[float], Awaitable[None]]


class Doors:
    """Both to be used beside the sync: they may take many minutes."""

    def __init__(self, client: Client, sleep: Sleep = asyncio.sleep) -> None:
        self._client = client
        self._sleep = sleep

    async def enter(self, room: str, *, via: str) -> bool:
        """Join a room, asking the server `via` where ours is not in it; whether we are in."""
        path, query = at("join", room), {"server_name": via}
        return await self._done(path, {}, query=query, seconds=JOIN_SECONDS)

    async def leave(self, room: str, reason: str = "") -> bool:
        """Leave a room or decline an invitation; people see the reason. Whether it was done."""
        body = {"reason": reason} if reason else {}
        return await self._done(at("rooms", room, "leave"), body)

    async def _done(
        self,
        path: str,
        body: dict[str, str],
        *,
        query: dict[str, str] | None = None,
        seconds: float = 30.0,
    ) -> bool:
        for pause in _PAUSES:
            try:
                await self._client.ask("POST", path, query=query, body=body, seconds=seconds)
                return True
            except MatrixError as error:
                if error.is_for_good:
                    return False
            except ChatUnavailable:
                pass
            await self._sleep(pause)
        return False
