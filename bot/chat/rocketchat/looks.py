"""Looks for what was missed: at once when connected or lost, every few minutes while live, every
few seconds else.
"""

import asyncio
import logging
import math
import time

from bot.chat.backoff import Backoff
from bot.chat.rocketchat.answers import LoggedOut
from bot.chat.rocketchat.catchup import CatchUp
from bot.chat.rocketchat.line import Line
from bot.chat.rocketchat.reading import Reading
from bot.chat.rocketchat.rhythm import Due, Rhythm
from bot.chat.rocketchat.rooms import OwnRooms
from commands.errors import ChatBusy, ChatTrouble
from storage.store import StoreError

log = logging.getLogger(__name__)

_SIDE_BY_SIDE = 4
_PATIENCE = 30.0

_ACCOUNT_GONE = (
    "Rocket.Chat refuses the access token: it was revoked, the account is deactivated, or it is "
    "not that of rocketchat.user_id. Give the bot's account a new personal access token, put it "
    "into the configuration (rocketchat.access_token) and restart. An account that is activated "
    "again is noticed within 5 minutes."
)


class Looks:
    """Asks for memberships and rooms that changed; after that, `line` may be read.

    `trouble`: why this can never work, and what to do; None while there is hope. `settled` is set
    when the first look was taken, or has failed.
    """

    def __init__(
        self,
        *,
        catchup: CatchUp,
        reading: Reading,
        rooms: OwnRooms,
        line: Line,
        due: Due,
        rhythm: Rhythm,
    ) -> None:
        self._catchup = catchup
        self._reading = reading
        self._rooms = rooms
        self._line = line
        self._due = due
        self._rhythm = rhythm
        self._polling_until = -math.inf
        self._complete_at = -math.inf
        self._poll_pause = rhythm.poll
        self._failures = Backoff(first=rhythm.first_pause, longest=rhythm.longest_pause)
        self._late: set[str] = set()  # rooms that could not be asked last time
        self.settled = asyncio.Event()
        self.trouble: str | None = None

    @property
    def is_polling(self) -> bool:
        """Whether the server answered lately."""
        return time.monotonic() < self._polling_until

    async def go_on(self) -> None:
        """Look whenever it is due, for ever."""
        while True:
            await self._due.come()
            self._due.within(await self._look())
            self.settled.set()

    async def _look(self) -> float:
        """Look once; gives the seconds until the next one."""
        live = self._line.live
        try:
            whole = await self._look_at_all(live)
        except LoggedOut:
            self._give_up()
            return self._rhythm.hopeless
        except ChatBusy as busy:
            log.info("look put off: %s", busy, extra={"action": "rocketchat_look_put_off"})
            self._poll_pause = min(self._poll_pause * 2, self._rhythm.longest_pause)
            if self._complete_at > -math.inf:  # where the bot is was known before
                self._line.read_from(live)
            return self._reached(max(busy.retry_after.total_seconds(), self._poll_pause))
        except (ChatTrouble, StoreError) as error:
            log.warning("look failed: %s", error, extra={"action": "rocketchat_look_failed"})
            return self._failures.next()
        except Exception:
            log.exception("look failed", extra={"action": "rocketchat_look_failed"})
            return self._failures.next()
        self._recovered()
        return self._reached(self._pause_after_look(whole=whole))

    def _reached(self, pause: float) -> float:
        """The server answered: it is being polled, until well after this pause."""
        self._polling_until = time.monotonic() + pause + _PATIENCE
        return pause

    def _give_up(self) -> None:
        if not self.trouble:
            log.critical(
                "Rocket.Chat: %s", _ACCOUNT_GONE, extra={"action": "rocketchat_logged_out"}
            )
        self.trouble = _ACCOUNT_GONE

    def _recovered(self) -> None:
        self._poll_pause = max(self._rhythm.poll, self._poll_pause * 0.9)
        if self.trouble:
            log.warning("Rocket.Chat takes the token again", extra={"action": "rocketchat_healed"})
            self.trouble = None
            self._line.try_again()

    def _pause_after_look(self, *, whole: bool) -> float:
        if not self._line.live:
            pause = self._poll_pause
        elif self._line.is_room_by_room:
            pause = self._rhythm.look_without_all
        else:
            pause = self._rhythm.look
        if whole:
            self._failures.reset()
            return pause
        return min(pause, self._failures.next())

    # --- one look ---------------------------------------------------------------------------------

    async def _look_at_all(self, live: int) -> bool:
        """Memberships, then the rooms that changed; whether all could be read.

        With the memberships the live messages can be read: a server that lets us ask little, or a
        room that does not answer, holds up no others.
        """
        began = time.monotonic()
        is_first = self._line.caught_up != live
        period = self._rhythm.look if live else self._rhythm.look_without_all
        complete = is_first or began >= self._complete_at + period
        self._rooms.begin_look()
        base = self._reading.position.base
        await self._reading.changes(await self._catchup.changes(base, complete=complete))
        if complete:
            self._complete_at = began
        self._line.listen_to_rooms()
        try:
            return await self._ask_rooms()
        finally:
            self._line.read_from(live)

    async def _ask_rooms(self) -> bool:
        """Those that could not be asked last time come last; where none answers, that is all.

        Raises what concerns all of them: ChatBusy, LoggedOut, StoreError.
        """
        rooms = sorted(self._reading.position.behind, key=lambda room: room in self._late)
        self._late &= set(rooms)
        whole = True
        for start in range(0, len(rooms), _SIDE_BY_SIDE):
            done = await self._catch_up_side_by_side(rooms[start : start + _SIDE_BY_SIDE])
            whole = whole and all(done)
            if not any(done):
                break
            self._reached(0)
        return whole

    async def _catch_up_side_by_side(self, rooms: list[str]) -> list[bool]:
        """What concerns all of them ends the others."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._catch_up(room)) for room in rooms]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _catch_up(self, room: str) -> bool:
        try:
            done = await self._reading.catch_up(room)
        except (ChatBusy, LoggedOut, StoreError):
            raise
        except ChatTrouble as error:
            log.info("a room waits: %s", error, extra={"action": "room_waits", "room": room})
            done = False
        except Exception:
            log.exception("room not read", extra={"action": "room_not_read", "room": room})
            done = False
        (self._late.discard if done else self._late.add)(room)
        return done
