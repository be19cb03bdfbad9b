"""A bot and people who go on while the homeserver is killed and started under them.

The timelines are the judge: what was asked and what was answered is read from them at the end.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.demo.synapse import Account, Synapse
from tests.faults.pending import nothing_pending
from tests.matrix.client import Visitor, answered_by
from tests.matrix.our_bot import write_config
from tests.our_bot import BOT, Process, free_port

COMMAND = "!bbb help"
ROOMS = 5
PATIENCE_SECONDS = 90.0
AGAIN_SECONDS = 0.1
LOOK_AGAIN_SECONDS = 1.0
TROUBLE = (aiohttp.ClientError, TimeoutError)
NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Count:
    """Commands in the timelines; those without an answer; those with more than one."""

    commands: int
    lost: int
    answered_twice: int


@dataclass(slots=True)
class Endurance:
    """`ada` asks in plain rooms; `account`, `bot`, `data` and `pages` are our bot's; `said` is how
    often she was heard; `enough` makes her stop.
    """

    ada: Visitor
    account: Account
    bot: Process
    data: Path | None
    pages: str
    rooms: list[str]
    said: int = 0
    enough: bool = False

    async def ask(self, commands: int) -> None:
        """Say so many commands more, each again and again until the homeserver took it."""
        last = self.said + commands
        while self.said < last and not self.enough:
            await self._say(self.rooms[self.said % len(self.rooms)])
            self.said += 1

    async def _say(self, room: str) -> None:
        txn = f"endures-{next(NUMBERS)}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                await self.ada.say(room, COMMAND, txn=txn)
                return
            except TROUBLE:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)

    async def while_asking(self, asking: asyncio.Task[None], commands: int) -> None:
        """Return when so many commands were said, or the asking has ended."""
        while self.said < commands and not asking.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def count(self) -> Count:
        """What the timelines show once the bot has nothing left to do, or has not for too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        found = await self._counted()
        while (found.lost or self._is_busy()) and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            found = await self._counted()
        return found

    def _is_busy(self) -> bool:
        return self.data is not None and not nothing_pending(self.data)

    async def _counted(self) -> Count:
        asked: list[str] = []
        answers: Counter[str | None] = Counter()
        for room in self.rooms:
            for event in await self.ada.timeline(room):
                if event["sender"] == self.account.user_id:
                    answers[answered_by(event)] += 1
                elif event.get("content", {}).get("body") == COMMAND:
                    asked.append(event["event_id"])
        times = [answers[event] for event in asked]
        return Count(len(asked), times.count(0), sum(each > 1 for each in times))


@asynccontextmanager
async def endurance(
    synapse: Synapse, directory: Path, *, homeserver: str = "", within: Sequence[str | Path] = ()
) -> AsyncIterator[Endurance]:
    """A bot that answers already. `homeserver` is the address it uses, if not Synapse's own;
    `within` are the words of a program that starts it.
    """
    async with AsyncExitStack() as leaving:
        number = next(NUMBERS)
        accounts = [await synapse.register(f"{name}-endures-{number}") for name in ("ada", "bot")]
        ada, bot = [
            await leaving.enter_async_context(Visitor(synapse.url, each)) for each in accounts
        ]
        rooms = [await ada.create_room(preset="public_chat") for _ in range(ROOMS)]
        for room in rooms:
            await bot.join(room)
        config = write_config(
            directory,
            accounts[1],
            homeserver=homeserver or synapse.url,
            bbb_port=free_port(),
            bbb_secret="none",
        )
        start = (*within, *BOT, "run", "--config", config)
        process = Process(start, directory / "output.txt")
        leaving.push_async_callback(process.stop)
        process.start()
        pages = json.loads(config.read_text())["public_url"]
        endures = Endurance(ada, accounts[1], process, directory / "data", pages, rooms)
        await _come_to_life(endures)
        yield endures


async def _come_to_life(endures: Endurance) -> None:
    """What was said before the bot's first sync is the past to it: something is said until it
    answers.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    room, bot = endures.rooms[0], endures.account.user_id
    while not any(answered_by(e) for e in await endures.ada.timeline(room) if e["sender"] == bot):
        assert time.monotonic() < deadline, f"it never answered:\n{endures.bot.last_words()}"
        await endures.ada.say(room, "!bbb are you there")
        await asyncio.sleep(1)
