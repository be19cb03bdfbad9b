"""Which accounts are programs: the bot does not take commands from them, lest two of them talk.

Where the server shows neither type nor roles nobody can know; against loops with those stands the
limit on how much the bot says.
"""

import asyncio
import logging

from bot.chat.remembering import Remembered
from bot.chat.rocketchat.lookups import Account, Lookups
from commands.errors import ChatTrouble

log = logging.getLogger(__name__)

_KEPT_SECONDS = 3600.0
_PATIENCE = 3.0


class Robots:
    """Asks once an hour about whoever types commands."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._account = Remembered(self._asked, seconds=_KEPT_SECONDS)

    async def has(self, user_id: str) -> bool:
        """Whether this account is a program's; False as well when the server does not say."""
        try:
            async with asyncio.timeout(_PATIENCE):
                account = await self._account(user_id)
        except (ChatTrouble, TimeoutError) as error:
            log.info("type of an account not known: %s", error, extra={"action": "author_unknown"})
            return False
        return account is not None and account.robot

    async def _asked(self, user_id: str) -> Account | None:
        return await self._lookups.account(user_id)
