"""Stands between a real adapter and the bot's inbox, so that a scenario can wait for what came."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.jobs.inbox import Inbox
from storage.records import Channel, Command, Kind, Person
from tests.scenario.scene import Clock

SECONDS = 20.0


class Intake:
    """Hands on to the bot's inbox. `clock`: commands carry its time, where the chat has its own."""

    def __init__(self, inbox: Inbox, clock: Clock | None = None) -> None:
        self._inbox = inbox
        self._clock = clock
        self._news = asyncio.Condition()
        self.seen: set[str] = set()
        self.arrived: list[Person] = []
        self._kinds: Counter[Kind] = Counter()

    async def accept(
        self, platform: str, position: str | None, commands: Sequence[Command]
    ) -> None:
        if self._clock:
            commands = [replace(command, sent_at=self._clock()) for command in commands]
        await self._inbox.accept(platform, position, commands)
        self.seen |= {command.id.partition(":")[2] for command in commands}
        self._kinds.update(command.kind for command in commands)
        await self._tell()

    async def position(self, platform: str) -> str | None:
        return await self._inbox.position(platform)

    async def person_arrived(self, person: Person) -> None:
        await self._inbox.person_arrived(person)
        self.arrived.append(person)
        await self._tell()

    async def unreadable(self, channel: Channel, ref: str) -> None:
        await self._inbox.unreadable(channel, ref)

    def count(self, kind: Kind) -> int:
        """How many of a kind came."""
        return self._kinds[kind]

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, done: Callable[[], bool]) -> None:
        """Raises TimeoutError when it does not happen within 20 s."""
        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(done)
