"""The rooms in which one bot is measured, and the things that are done to it there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bench.figures import Measured
from bench.meter import Meter
from bench.replies import Replies, Said

HELP = "!bbb help"
CARD = "!bbb"
ANSWER_SECONDS = 10.0
READY_SECONDS = 60.0
SILENCE_SECONDS = 6.0


class NotReady(Exception):
    """A bot does not answer."""


class Sender(Protocol):
    """Somebody who types."""

    async def say(self, room: str, text: str) -> str:
        """Its id."""


@dataclass(slots=True)
class Stage:
    """One bot, by the chat's id of it, and its rooms; in each room one sender and who watches."""

    name: str
    bot: str
    rooms: Sequence[str]
    senders: Sequence[Sender]
    replies: Replies
    measured: Measured = field(default_factory=Measured)
    meter: Meter | None = None
    _turn: int = 0

    async def greet(self) -> str:
        """Ask for help until it answers; what it says. Raises NotReady after a minute."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            asked = await self.senders[0].say(self.rooms[0], HELP)
            if await self.replies.answer_to(asked, seconds=2.0):
                return self.replies.bodies[asked]
        raise NotReady(f"{self.name} does not answer")

    @asynccontextmanager
    async def measure(self, meter: Meter) -> AsyncIterator[None]:
        """Watch the memory of the idle bot and of all that follows inside."""
        self.measured.rss_idle_mib = meter.rss_mib()
        async with meter:
            self.meter = meter
            yield

    @contextmanager
    def working(self) -> Iterator[None]:
        """What happens inside counts as work of this bot: its processor time is added up."""
        if not self.meter:
            raise ValueError("not being measured")
        before = self.meter.cpu_seconds()
        yield
        self.measured.cpu_seconds += self.meter.cpu_seconds() - before
        self.measured.rss_peak_mib = self.meter.peak_mib

    async def one_help(self) -> None:
        """One command in the next room. An unanswered one counts as the 10 s it was awaited."""
        self._turn = (self._turn + 1) % len(self.rooms)
        began = time.monotonic()
        asked = await self.senders[self._turn].say(self.rooms[self._turn], HELP)
        answered = await self.replies.answer_to(asked, seconds=ANSWER_SECONDS)
        self.measured.latencies.append(answered - began if answered else ANSWER_SECONDS)
        self._count([asked])

    async def burst(self, commands: int) -> None:
        """So many commands as fast as all senders can, all rooms at once."""
        began = time.monotonic()
        pairs = zip(self.senders, self.rooms, strict=True)
        each = commands // len(self.rooms)
        said = await asyncio.gather(*(_say(sender, room, each) for sender, room in pairs))
        asked = [event for events in said for event in events]
        await self.replies.answers_to(asked, silence=SILENCE_SECONDS)
        ends = [self.replies.times[event][0] for event in asked if event in self.replies.times]
        self.measured.bursts.append(len(ends) / (max(ends) - began) if ends else 0.0)
        self.measured.lost_in_bursts.append(self._count(asked))

    async def one_card(self, number: int) -> None:
        """Open the call of a room: from the command to the card. Raises NotReady."""
        room = self.rooms[number]
        before = len(self.replies.messages[room])

        def cards() -> list[Said]:
            messages = self.replies.messages[room][before:]
            return [one for one in messages if self._is_card(one)]

        began = time.monotonic()
        await self.senders[number].say(room, CARD)
        if not await self.replies.wait(lambda: bool(cards()), seconds=ANSWER_SECONDS):
            raise NotReady(f"{self.name} posted no card")
        self.measured.cards.append(cards()[0].at - began)

    def _is_card(self, one: Said) -> bool:
        return one.sender == self.bot and "http" in one.body

    def _count(self, asked: Sequence[str]) -> int:
        """Note how often each was answered; give how many were not."""
        times = [len(self.replies.times.get(event, ())) for event in asked]
        self.measured.answered += sum(1 for answers in times if answers)
        self.measured.duplicated += sum(answers - 1 for answers in times if answers > 1)
        self.measured.lost += times.count(0)
        return times.count(0)


async def _say(sender: Sender, room: str, times: int) -> list[str]:
    return [await sender.say(room, HELP) for _ in range(times)]
