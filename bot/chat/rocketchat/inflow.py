"""The life of receiving: stay connected, look what was missed, read what is heard.

    socket      connect, log in, subscribe ... lost: wait, again
    looks       at once when connected or lost; every few minutes while live; every few seconds else
    live        buffered from connecting on, read when a look has caught up

A live message only comes sooner than the look that would find it. So nothing heard has to be kept
at any price: what cannot be read now, or is too much to hold, brings the next look forward.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from bot.chat.backoff import Backoff
from bot.chat.base import ChatMisconfigured, Intake, Mode
from bot.chat.rocketchat.answers import LoggedOut
from bot.chat.rocketchat.catchup import CatchUp
from bot.chat.rocketchat.ddp.events import (
    MY_MESSAGES,
    Event,
    Live,
    Lost,
    MessageSeen,
    SubscriptionChanged,
    messages_of,
)
from bot.chat.rocketchat.ddp.protocol import Session, Timings
from bot.chat.rocketchat.lookups import Lookups
from bot.chat.rocketchat.reading import Reading
from bot.chat.rocketchat.receive import Reader
from bot.chat.rocketchat.rest import RestApi
from bot.chat.rocketchat.rooms import OwnRooms
from commands.errors import ChatBusy, ChatTrouble
from storage.store import StoreError

log = logging.getLogger(__name__)

MOST_BUFFERED = 5_000
"""Live events that wait to be read; beyond that they are left to the next look."""

_AT_ONCE = 100
_SIDE_BY_SIDE = 4
_STOP_SECONDS = 3.0
_PATIENCE = 30.0

_ACCOUNT_GONE = (
    "Rocket.Chat refuses the access token: it was revoked, the account is deactivated, or it is "
    "not that of rocketchat.user_id. Give the bot's account a new personal access token, put it "
    "into the configuration (rocketchat.access_token) and restart. An account that is activated "
    "again is noticed within 5 minutes."
)


class Connect(Protocol):
    """One connection from its beginning to its end (`ddp.connection.converse`)."""

    def __call__(
        self, session: Session, on_event: Callable[[Event], None], /
    ) -> Awaitable[Lost]: ...


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often what is done, in seconds."""

    look: float = 180.0
    """While live: the server may drop a message without a word."""
    look_without_all: float = 15.0
    """While live on rooms one by one: some may not be subscribed to yet."""
    poll: float = 3.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    steady: float = 60.0
    """So long live, and the next loss is a new one."""
    hopeless: float = 300.0
    """Until the next try when only an administrator can help."""


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
        self._user_id = user_id
        self._token = token
        self._connect = connect
        self._rhythm = rhythm or Rhythm()
        self._timings = timings
        self.rooms = rooms
        """Where the bot is."""
        self._catchup = CatchUp(rest)
        self._reading = Reading(
            intake=intake,
            reader=Reader(user_id, prefixes),
            rooms=self.rooms,
            catchup=self._catchup,
            lookups=lookups,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._settled = asyncio.Event()
        self.trouble: str | None = None
        """Why this can never work, and what to do; None while there is hope."""

        self._session: Session | None = None
        self._connection = 0
        self._live = 0  # the connection that is live, 0: none
        self._caught_up = 0  # the connection before which nothing was missed
        self._live_since = math.inf
        self._last_loss = ""
        self._listening: set[str] | None = None  # rooms subscribed to one by one
        self._sockets = Backoff(first=self._rhythm.first_pause, longest=self._rhythm.longest_pause)
        self._try_again = asyncio.Event()

        self._heard: deque[Event] = deque()
        self._news = asyncio.Event()

        self._due = -math.inf
        self._stirred = asyncio.Event()
        self._polling_until = -math.inf
        self._complete_at = -math.inf
        self._poll_pause = self._rhythm.poll
        self._failures = Backoff(first=self._rhythm.first_pause, longest=self._rhythm.longest_pause)
        self._late: set[str] = set()  # rooms that could not be asked last time

    # --- life -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin; returns after the first look, or when it failed and is tried again.

        Raises ChatMisconfigured and StoreError.
        """
        await self._reading.load()
        parts = {"socket": self._stay_connected, "looks": self._look_on, "live": self._read_live}
        self._tasks = [
            asyncio.create_task(part(), name=f"rocketchat {name}") for name, part in parts.items()
        ]
        await self._settled.wait()
        if self.trouble:
            raise ChatMisconfigured(self.trouble)

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

    @property
    def mode(self) -> Mode:
        """How messages come: live, by asking every few seconds, or not at all."""
        if self.trouble:
            return Mode.DOWN
        if self._live and self._caught_up == self._live:
            return Mode.LIVE
        return Mode.POLLING if time.monotonic() < self._polling_until else Mode.DOWN

    # --- the socket -------------------------------------------------------------------------------

    async def _stay_connected(self) -> None:
        while True:
            self._connection += 1
            self._heard.clear()  # a look has followed the end of the last connection
            self._session = Session(self._user_id, self._token, timings=self._timings)
            lost = await self._talk(self._session)
            self._live = 0
            self._look_by(0)
            self._try_again.clear()
            pause = self._pause_after(lost)
            self._tell_loss(lost, pause)
            await _set_within(self._try_again, pause)

    def _tell_loss(self, lost: Lost, pause: float) -> None:
        """The same over and over, where there are no websockets: once is enough."""
        log.log(
            logging.DEBUG if lost.reason == self._last_loss else logging.WARNING,
            "no live connection to Rocket.Chat: %s",
            lost.reason,
            extra={"action": "rocketchat_lost", "pause_s": round(pause, 1)},
        )
        self._last_loss = lost.reason

    async def _talk(self, session: Session) -> Lost:
        try:
            return await self._connect(session, self._hear)
        except Exception:  # whatever it is, the bot must come back
            log.exception("connection failed", extra={"action": "rocketchat_connection_failed"})
            return Lost("an error of ours")

    def _pause_after(self, lost: Lost) -> float:
        """Whether the account is gone for good, the look tells that follows each loss."""
        if time.monotonic() - self._live_since >= self._rhythm.steady:
            self._sockets.reset()
        self._live_since = math.inf
        return self._rhythm.hopeless if lost.terminal else self._sockets.next()

    def _give_up(self) -> None:
        if not self.trouble:
            log.critical(
                "Rocket.Chat: %s", _ACCOUNT_GONE, extra={"action": "rocketchat_logged_out"}
            )
        self.trouble = _ACCOUNT_GONE

    def _hear(self, event: Event) -> None:
        """Between two frames: only note it."""
        match event:
            case Live():
                self._live = self._connection
                self._live_since = time.monotonic()
                self._last_loss = ""
                self._listen_singly(refused=MY_MESSAGES in event.refused)
                self._look_by(0)
            case MessageSeen() | SubscriptionChanged():
                if len(self._heard) >= MOST_BUFFERED:
                    self._heard.clear()
                    self._look_by(self._rhythm.poll)
                self._heard.append(event)
                self._news.set()

    def _listen_singly(self, *, refused: bool) -> None:
        """Where the messages of all rooms at once are refused: those of each room."""
        self._listening = set() if refused else None
        if refused:
            log.warning("subscribing room by room", extra={"action": "rocketchat_room_by_room"})
            self._listen_to_rooms()

    def _listen_to_rooms(self) -> None:
        if self._listening is None or self._session is None:
            return
        rooms = set(self.rooms.all())
        for room in self._listening - rooms:
            self._session.unsubscribe(messages_of(room))
        self._session.subscribe(messages_of(room) for room in sorted(rooms))
        self._listening = rooms

    # --- live -------------------------------------------------------------------------------------

    async def _read_live(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._heard and self._caught_up == self._connection:
                events = [self._heard.popleft() for _ in range(min(_AT_ONCE, len(self._heard)))]
                if not await self._read(events):
                    self._look_by(self._rhythm.poll)
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
            self._listen_to_rooms()
        return whole

    # --- looks ------------------------------------------------------------------------------------

    async def _look_on(self) -> None:
        while True:
            while (left := self._due - time.monotonic()) > 0:
                self._stirred.clear()
                await _set_within(self._stirred, left)
            self._due = math.inf
            self._look_by(await self._look())
            self._settled.set()

    def _look_by(self, seconds: float) -> None:
        """Look in so many seconds at the latest."""
        self._due = min(self._due, time.monotonic() + seconds)
        self._stirred.set()

    async def _look(self) -> float:
        """Look once; gives the seconds until the next one."""
        live = self._live
        try:
            whole = await self._look_at_all(live)
        except LoggedOut:
            self._give_up()
            return self._rhythm.hopeless
        except ChatBusy as busy:
            log.info("look put off: %s", busy, extra={"action": "rocketchat_look_put_off"})
            self._poll_pause = min(self._poll_pause * 2, self._rhythm.longest_pause)
            if self._complete_at > -math.inf:
                self._read_from(live)  # where the bot is was known before: no need to hold back
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

    async def _look_at_all(self, live: int) -> bool:
        """Memberships, then the rooms that changed; whether all could be read.

        With the memberships the live messages can be read: a server that lets us ask little, or a
        room that does not answer, holds up no others.
        """
        began = time.monotonic()
        complete = self._caught_up != live or began >= self._complete_at + self._rhythm.look
        self.rooms.begin_look()
        base = self._reading.position.base
        await self._reading.changes(await self._catchup.changes(base, complete=complete))
        if complete:
            self._complete_at = began
        self._listen_to_rooms()
        try:
            return await self._ask_rooms()
        finally:
            self._read_from(live)

    def _read_from(self, live: int) -> None:
        """Read what was buffered on this connection, and then what comes."""
        self._caught_up = live
        self._news.set()

    async def _ask_rooms(self) -> bool:
        """Those that could not be asked last time come last; where none answers, that is all.

        Raises what concerns all of them: ChatBusy, LoggedOut, StoreError.
        """
        rooms = sorted(self._reading.position.behind, key=lambda room: room in self._late)
        self._late &= set(rooms)
        whole = True
        for start in range(0, len(rooms), _SIDE_BY_SIDE):
            some = rooms[start : start + _SIDE_BY_SIDE]
            done = await asyncio.gather(*(self._catch_up(room) for room in some))
            whole = whole and all(done)
            if not any(done):
                break
            self._reached(0)
        return whole

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

    def _recovered(self) -> None:
        self._poll_pause = max(self._rhythm.poll, self._poll_pause * 0.9)
        if self.trouble:
            log.warning("Rocket.Chat takes the token again", extra={"action": "rocketchat_healed"})
            self.trouble = None
            self._try_again.set()

    def _pause_after_look(self, *, whole: bool) -> float:
        if not self._live:
            pause = self._poll_pause
        elif self._listening is None:
            pause = self._rhythm.look
        else:
            pause = self._rhythm.look_without_all
        if whole:
            self._failures.reset()
            return pause
        return min(pause, self._failures.next())


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until it is set, or so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
