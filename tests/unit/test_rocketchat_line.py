"""The realtime connection kept up, with connections that say what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.chat.rocketchat.ddp.events import MY_MESSAGES, Event, Live, Lost, Subscription, messages_of
from bot.chat.rocketchat.ddp.protocol import Session
from bot.chat.rocketchat.line import Line
from bot.chat.rocketchat.rhythm import Due, Rhythm
from bot.chat.rocketchat.rooms import OwnRooms
from bot.clock import utc_now

ROOM = "ROOM"


class Asked(Session):
    """Remembers what it was asked to listen to."""

    def __init__(self) -> None:
        super().__init__("BOT", "a token")
        self.singly: list[Subscription] = []

    def subscribe(self, subscriptions: object) -> None:
        self.singly += subscriptions  # type: ignore[operator]


async def test_what_one_connection_was_refused_the_next_may_have() -> None:
    """A look that ends while it connects must not make it listen twice to each room."""
    sessions: list[Asked] = []
    connecting = asyncio.Event()

    def session() -> Session:
        sessions.append(Asked())
        return sessions[-1]

    async def connect(session: Session, on_event: Callable[[Event], None], /) -> Lost:
        if len(sessions) == 1:
            on_event(Live((MY_MESSAGES,)))
            assert line.is_room_by_room
            return Lost("it broke off")
        connecting.set()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    rooms = OwnRooms("BOT")
    rooms.listed([{"_id": "s1", "rid": ROOM, "t": "c"}], at=utc_now())
    rhythm = Rhythm(first_pause=0.01)
    line = Line(connect=connect, session=session, rooms=rooms, due=Due(), rhythm=rhythm)
    task = asyncio.create_task(line.keep_up())
    async with asyncio.timeout(20):
        await connecting.wait()
    line.listen_to_rooms()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert [one.singly for one in sessions] == [[messages_of(ROOM)], []]
