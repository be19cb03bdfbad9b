"""An inbox in memory: what a chat adapter hands on, with the position it came with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from storage.records import Channel, Command, Kind, Person


class Inbox:
    """A `bot.chat.base.Intake`. `failures` are raised by the next commits, one each."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.positions: list[str] = []
        self.kept: dict[str, str] = {}
        self.commits: list[tuple[str | None, list[str]]] = []
        self.arrived: list[Person] = []
        self.not_read: list[tuple[Channel, str]] = []
        self.failures: list[Exception] = []
        self._news = asyncio.Event()

    async def accept(
        self, platform: str, position: str | None, commands: Sequence[Command]
    ) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.commits.append((position, [command.text for command in commands]))
        known = {command.id for command in self.commands}
        new = {command.id: command for command in reversed(commands) if command.id not in known}
        self.commands += reversed(new.values())
        if position is not None:
            self.positions.append(position)
            self.kept[platform] = position
        self._news.set()

    async def position(self, platform: str) -> str | None:
        return self.kept.get(platform)

    async def person_arrived(self, person: Person) -> None:
        self.arrived.append(person)
        self._news.set()

    async def unreadable(self, channel: Channel, ref: str) -> None:
        self.not_read.append((channel, ref))
        self._news.set()

    def texts(self, kind: Kind = Kind.MESSAGE) -> list[str]:
        """The command lines, in order."""
        return [command.text for command in self.commands if command.kind is kind]

    def of(self, kind: Kind) -> list[Command]:
        return [command for command in self.commands if command.kind is kind]

    async def until(self, done: Callable[[Inbox], bool], *, seconds: float = 20.0) -> None:
        """Wait until `done` holds. Raises AssertionError when it does not in time."""
        try:
            async with asyncio.timeout(seconds):
                while not done(self):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"only {self.commands} and {self.arrived}") from None

    async def command(self, text: str, kind: Kind = Kind.MESSAGE) -> Command:
        """The first command with this text."""
        await self.until(lambda inbox: text in inbox.texts(kind))
        return next(c for c in self.of(kind) if c.text == text)
