"""The life of receiving: stay connected, look what was missed, read what is heard.

    line        connect, log in, subscribe ... lost: wait, again
    looks       at once when connected or lost; every few minutes while live; every few seconds else
    live        buffered from connecting on, read when a look has caught up

What cannot be read now brings the next look forward, which finds it.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bot.chat.base import ChatMisconfigured, Intake, Mode
from bot.chat.rocketchat.catchup import CatchUp
from bot.chat.rocketchat.ddp.events import Event, SubscriptionChanged
from bot.chat.rocketchat.ddp.protocol import Session, Timings
from bot.chat.rocketchat.line import Connect, Line
from bot.chat.rocketchat.looks import Looks
from bot.chat.rocketchat.lookups import Lookups
from bot.chat.rocketchat.reading import Reading
from bot.chat.rocketchat.receive import Reader
from bot.chat.rocketchat.rest import RestApi
from bot.chat.rocketchat.rhythm import Due, Rhythm
from bot.chat.rocketchat.rooms import OwnRooms
from storage.store import StoreError

log = logging.getLogger(__name__)

_STOP_SECONDS = 3.0


class Inflow:
    """Receives for one account; `rooms` are filled with where the bot is."""

    def __init__(
        self,
        *,
        user_id: str,
        token: str,
        rest: RestApi,
        connect: Connect,
        intake: Intake,
        prefixes: tuple[str, ...],
        lookups: Lookups,
        rooms: OwnRooms,
        rhythm: Rhythm | None = None,
        timings: Timings | None = None,
    ) -> None:
        self._rhythm = rhythm or Rhythm()
        self._due = Due()
        catchup = CatchUp(rest)
        self._reading = Reading(
            intake=intake,
            reader=Reader(user_id, prefixes),
            rooms=rooms,
            catchup=catchup,
            lookups=lookups,
        )
        self._line = Line(
            connect=connect,
            session=lambda: Session(user_id, token, timings=timings),
            rooms=rooms,
            due=self._due,
            rhythm=self._rhythm,
        )
        self._looks = Looks(
            catchup=catchup,
            reading=self._reading,
            rooms=rooms,
            line=self._line,
            due=self._due,
            rhythm=self._rhythm,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; returns after the first look, or when it failed and is tried again.

        To a new bot, what was said before its first look is history: it listens only after that.
        Raises ChatMisconfigured and StoreError.
        """
        await self._reading.load()
        self._begin("looks", self._looks.go_on())
        if self._reading.is_new:
            await self._looks.settled.wait()
        self._begin("socket", self._line.keep_up())
        self._begin("live", self._read_live())
        await self._looks.settled.wait()
        if self.trouble:
            raise ChatMisconfigured(self.trouble)

    def _begin(self, name: str, part: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(part, name=f"rocketchat {name}"))

    async def stop(self) -> None:
        """Finish what is being read, hang up. Never raises."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._reading.finish()
        except TimeoutError:
            log.warning("not finished in time", extra={"action": "rocketchat_stop_late"})
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def look_now(self) -> None:
        """Somebody was told that the account is gone, unless that is known."""
        if not self.trouble:
            self._due.within(0)

    @property
    def trouble(self) -> str | None:
        """Why this can never work, and what to do; None while there is hope."""
        return self._looks.trouble

    @property
    def mode(self) -> Mode:
        """How messages come: live, by asking every few seconds, or not at all."""
        if self.trouble:
            return Mode.DOWN
        if self._line.is_whole:
            return Mode.LIVE
        return Mode.POLLING if self._looks.is_polling else Mode.DOWN

    async def _read_live(self) -> None:
        while True:
            if not await self._read(await self._line.heard()):
                self._due.within(self._rhythm.poll)
            await asyncio.sleep(0)

    async def _read(self, events: list[Event]) -> bool:
        try:
            whole = await self._reading.heard(events)
        except StoreError as error:
            log.warning("live messages wait: %s", error, extra={"action": "store_trouble"})
            return False
        except Exception:
            log.exception("live messages not read", extra={"action": "live_not_read"})
            return False
        if any(isinstance(event, SubscriptionChanged) for event in events):
            self._line.listen_to_rooms()
        return whole
