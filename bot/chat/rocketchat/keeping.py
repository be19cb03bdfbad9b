"""What the store keeps of receiving: commands, together with how far the bot has read."""

import logging
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.chat.base import Intake
from bot.chat.rocketchat.position import Position, dumped, loaded
from bot.chat.rocketchat.receive import PLATFORM
from bot.chat.rocketchat.rooms import OwnRooms
from storage.records import Command

log = logging.getLogger(__name__)

KEEP_SECONDS = 5.0
"""How often a position without commands is kept: to read idle talk again is harmless."""


class Keeper:
    """`position` is how far the bot has read; it moves only when the store has kept it, or when
    nothing is lost by reading the same again. All methods but `tell` raise StoreError.
    """

    def __init__(self, intake: Intake, rooms: OwnRooms) -> None:
        self._intake = intake
        self._rooms = rooms
        self._untold: list[Command] = []
        self._kept = Position()
        self._kept_at = -math.inf
        self.position = Position()
        self.is_new = True
        """Whether nothing was ever kept: then everything there is now is history."""

    async def load(self) -> None:
        """What the store knows, also of the rooms."""
        if kept := await self._intake.position(PLATFORM):
            try:
                self.position = self._kept = loaded(kept)
            except ValueError:
                log.warning("begun anew", extra={"action": "position_unreadable"}, exc_info=True)
                return
            self._rooms.recall(self.position.rooms)
            self.is_new = False

    def tell(self, commands: Iterable[Command]) -> None:
        """What has come and gone; kept with whatever is kept next."""
        if not self.is_new:
            self._untold += commands

    async def keep(
        self, position: Position, commands: Sequence[Command] = (), *, urgent: bool = False
    ) -> None:
        """Commands always together with the position, all else now and then."""
        position = replace(position, rooms=self._rooms.memberships())
        commands = [*self._untold, *commands]
        idle = position != self._kept and time.monotonic() - self._kept_at >= KEEP_SECONDS
        if commands or urgent or idle or self.is_new:
            await self._intake.accept(PLATFORM, dumped(position), commands)
            self._kept, self._kept_at = position, time.monotonic()
            self._untold, self.is_new = [], False
        self.position = position
