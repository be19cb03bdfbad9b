"""Which accounts are programs: the bot does not take commands from them, lest two of them talk.

Kept in memory for a while. Where the server shows neither type nor roles nobody can know; against
loops with those stands the limit on how much the bot says.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from bot.chat.rocketchat.rest import RestApi
from bot.chat.rocketchat.shapes import mapping
from commands.errors import ChatTrouble

log = logging.getLogger(__name__)

_KEPT_SECONDS = 3600.0
_MOST = 5_000
_PATIENCE = 3.0
_TYPES = ("bot", "app")


class Robots:
    """Asks `users.info` once an hour about whoever types commands."""

    def __init__(self, rest: RestApi, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self._clock = clock
        self._known: dict[str, tuple[bool, float]] = {}

    async def has(self, user_id: str) -> bool:
        """Whether this account is a program's; False as well when the server does not answer."""
        is_one, until = self._known.get(user_id, (False, 0.0))
        if until > self._clock():
            return is_one
        try:
            async with asyncio.timeout(_PATIENCE):
                user = mapping((await self._rest.get("users.info", userId=user_id)).get("user"))
        except (ChatTrouble, TimeoutError) as error:
            log.info("type of an account not known: %s", error, extra={"action": "author_unknown"})
            return False
        roles = user.get("roles")
        is_one = user.get("type") in _TYPES or (isinstance(roles, list) and "bot" in roles)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[user_id] = is_one, self._clock() + _KEPT_SECONDS
        return is_one
