"""The realtime connection, kept up: lost, it is made again. What is heard waits here to be read."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.chat.backoff import Backoff
from bot.chat.rocketchat.ddp.events import (
    MY_MESSAGES,
    Event,
    Live,
    Lost,
    MessageSeen,
    SubscriptionChanged,
    messages_of,
)
from bot.chat.rocketchat.ddp.protocol import Session
from bot.chat.rocketchat.rhythm import Due, Rhythm, set_within
from bot.chat.rocketchat.rooms import OwnRooms

log = logging.getLogger(__name__)

MOST_BUFFERED = 5_000
"""Live events that wait to be read; beyond that they are left to the next look."""

_AT_ONCE = 100


class Connect(Protocol):
    """One connection from its beginning to its end (`ddp.connection.converse`)."""

    def __call__(
        self, session: Session, on_event: Callable[[Event], None], /
    ) -> Awaitable[Lost]: ...


class Line:
    """One connection after the other, numbered from 1; a look follows the beginning and the end of
    each, and until it has, what is heard is not read.

    A live message only comes sooner than the look that would find it. So nothing heard has to be
    kept at any price: what is too much to hold brings the next look forward.
    """

    def __init__(
        self,
        *,
        connect: Connect,
        session: Callable[[], Session],
        rooms: OwnRooms,
        due: Due,
        rhythm: Rhythm,
    ) -> None:
        self._connect = connect
        self._new_session = session
        self._rooms = rooms
        self._due = due
        self._rhythm = rhythm
        self._session: Session | None = None
        self._number = 0
        self.live = 0
        """The connection that is live; 0: none."""
        self.caught_up = 0
        """The connection before which nothing was missed."""
        self._live_since = math.inf
        self._last_loss = ""
        self._listening: set[str] | None = None  # rooms subscribed to one by one
        self._backoff = Backoff(first=rhythm.first_pause, longest=rhythm.longest_pause)
        self._try_again = asyncio.Event()
        self._heard: deque[Event] = deque()
        self._news = asyncio.Event()

    @property
    def is_whole(self) -> bool:
        """Whether it is live, and nothing was missed before."""
        return self.live != 0 and self.caught_up == self.live

    @property
    def is_room_by_room(self) -> bool:
        """Whether it hears rooms one by one: some may not be subscribed to yet."""
        return self._listening is not None

    # --- kept up ----------------------------------------------------------------------------------

    async def keep_up(self) -> None:
        """Connect, for ever."""
        while True:
            self._number += 1
            self._heard.clear()  # a look follows the end of the last connection
            self._listening = None
            self._session = self._new_session()
            lost = await self._talk(self._session)
            self.live = 0
            self._due.within(0)
            self._try_again.clear()
            pause = self._pause_after(lost)
            self._tell_loss(lost, pause)
            await set_within(self._try_again, pause)

    def try_again(self) -> None:
        """Wait no longer for the next try."""
        self._try_again.set()

    async def _talk(self, session: Session) -> Lost:
        try:
            return await self._connect(session, self._hear)
        except Exception:  # whatever it is, the bot must come back
            log.exception("connection failed", extra={"action": "rocketchat_connection_failed"})
            return Lost("an error of ours")

    def _pause_after(self, lost: Lost) -> float:
        """Whether the account is gone for good, the look tells that follows each loss."""
        if time.monotonic() - self._live_since >= self._rhythm.steady:
            self._backoff.reset()
        self._live_since = math.inf
        return self._rhythm.hopeless if lost.terminal else self._backoff.next()

    def _tell_loss(self, lost: Lost, pause: float) -> None:
        """The same over and over, where there are no websockets: once is enough."""
        log.log(
            logging.DEBUG if lost.reason == self._last_loss else logging.WARNING,
            "no live connection to Rocket.Chat: %s",
            lost.reason,
            extra={"action": "rocketchat_lost", "pause_s": round(pause, 1)},
        )
        self._last_loss = lost.reason

    # --- heard ------------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        """Between two frames: only note it."""
        match event:
            case Live():
                self.live = self._number
                self._live_since = time.monotonic()
                self._last_loss = ""
                if MY_MESSAGES in event.refused:
                    self._listen_singly()
                self._due.within(0)
            case MessageSeen() | SubscriptionChanged():
                if len(self._heard) >= MOST_BUFFERED:
                    self._heard.clear()
                    self._due.within(self._rhythm.poll)
                self._heard.append(event)
                self._news.set()

    def read_from(self, connection: int) -> None:
        """Nothing was missed before this connection (0: none): what it hears may be read."""
        self.caught_up = connection
        self._news.set()

    async def heard(self) -> list[Event]:
        """The next events, in their order; waits until there are some that may be read."""
        while not (self._heard and self.caught_up == self._number):
            self._news.clear()
            await self._news.wait()
        return [self._heard.popleft() for _ in range(min(_AT_ONCE, len(self._heard)))]

    # --- room by room -----------------------------------------------------------------------------

    def _listen_singly(self) -> None:
        """Where the messages of all rooms at once are refused: those of each room."""
        log.warning("subscribing room by room", extra={"action": "rocketchat_room_by_room"})
        self._listening = set()
        self.listen_to_rooms()

    def listen_to_rooms(self) -> None:
        """The bot may have come or gone: where it hears them one by one, hear those there are."""
        if self._listening is None or self._session is None:
            return
        rooms = set(self._rooms.all())
        for room in self._listening - rooms:
            self._session.unsubscribe(messages_of(room))
        self._session.subscribe(messages_of(room) for room in sorted(rooms))
        self._listening = rooms
