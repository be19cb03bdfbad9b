"""Kills the bot while it answers, starts it again on the same data, and counts what the rooms show.

The rooms are the judge, never the bot's own database: an observer pages every timeline to its
beginning. `tests/matrix/test_kill.py` shows that this finds a bot that loses and one that repeats.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bot.demo.synapse import Account, Synapse
from tests.canary import BBB_SECRET
from tests.faults.kills import COMMAND, Moments, ask_and_kill, come_to_life, settle
from tests.matrix.client import Observer, Visitor
from tests.matrix.names import fresh
from tests.matrix.our_bot import write_config
from tests.matrix.peer import Peer
from tests.matrix.slow_line import SlowLine
from tests.matrix.verdict import Hall, Reader, Verdict
from tests.our_bot import BOT, Process, free_port

KILLS = 5
ROOMS = 20
VERSIONS = ("11", "12")


@dataclass(frozen=True, slots=True)
class Crowd:
    """`ada` asks in plain rooms and watches all, `bo` asks in encrypted ones, `eve` judges."""

    ada: Observer
    bo: Peer
    eve: Peer
    bot: Account

    async def say(self, hall: Hall) -> str:
        """One command; its event id."""
        who = self.bo if hall.encrypted else self.ada
        return await who.say(hall.room, COMMAND)

    async def ask(self, places: Sequence[Hall], asked: dict[str, Hall]) -> None:
        """Plain and encrypted rooms at the same time, each kind as fast as one person can."""

        async def one_after_the_other(encrypted: bool) -> None:
            for hall in places:
                if hall.encrypted is encrypted:
                    asked[await self.say(hall)] = hall

        await asyncio.gather(one_after_the_other(True), one_after_the_other(False))

    def answered(self) -> set[str]:
        """The commands whose answers ada has seen."""
        answers = (one.answers for one in self.ada.seen if one.sender == self.bot.user_id)
        return {event for event in answers if event}

    def silence(self) -> float:
        """Seconds since ada saw anything."""
        return time.monotonic() - self.ada.seen[-1].at

    async def until(self, done: Callable[[], bool], *, seconds: float) -> bool:
        return await self.ada.until(lambda _: done(), seconds=seconds)

    async def meet(self, halls: Sequence[Hall], last_words: Callable[[], str]) -> None:
        """Return when the bot answers, and its keys are known where they are needed."""
        await come_to_life(self, next(hall for hall in halls if not hall.encrypted), last_words)
        for hall in halls:
            if hall.encrypted:
                await self.bo.knows(hall.room, self.bot.user_id)


async def ordeal(
    synapse: Synapse,
    directory: Path,
    *,
    seed: int,
    commands: int = 300,
    kills: int = KILLS,
    start: Sequence[str] = (*BOT, "run"),
) -> Verdict:
    """Ask `commands` times while the bot is killed. `start` is the bot's command line.

    Raises BotFailed.
    """
    rng = random.Random(seed)
    async with AsyncExitStack() as leaving:
        line = await leaving.enter_async_context(SlowLine(synapse.url, rng))
        crowd = await gather(synapse, directory, leaving)
        halls = await open_halls(synapse, crowd)
        config = write_config(
            directory, crowd.bot, homeserver=line.url, bbb_port=free_port(), bbb_secret=BBB_SECRET
        )
        bot = Process((*start, "--config", config), directory / "output.txt")
        leaving.push_async_callback(bot.stop)
        bot.start()
        await crowd.meet(halls, bot.last_words)
        places = [hall for hall in halls for _ in range(commands // len(halls))]
        asked = await ask_and_kill(crowd, places, bot, rng, kills, Moments())
        await settle(crowd, set(asked), directory / "data")
        exit_code = await bot.stop()
        reader = Reader(crowd.eve, await leaving.enter_async_context(pager(synapse, crowd)))
        return await reader.judge(halls, crowd.bot.user_id, asked, exit_code)


async def gather(synapse: Synapse, directory: Path, leaving: AsyncExitStack) -> Crowd:
    ada, bo, eve, bot = [
        await synapse.register(fresh(f"{name}-of-ordeal")) for name in ("ada", "bo", "eve", "bot")
    ]
    watching = await leaving.enter_async_context(Observer(synapse.url, ada))
    asking, judging = [
        await leaving.enter_async_context(Peer(synapse.url, who, directory / who.device_id))
        for who in (bo, eve)
    ]
    await watching.watch()
    return Crowd(watching, asking, judging, bot)


async def open_halls(synapse: Synapse, crowd: Crowd, rooms: int = ROOMS) -> list[Hall]:
    """Rooms of both versions, every other pair encrypted, with everybody in them."""
    halls = []
    for number in range(rooms):
        encrypted = number % 4 >= 2
        room = await crowd.ada.create_room(
            version=VERSIONS[number % 2], encrypted=encrypted, preset="public_chat"
        )
        halls.append(Hall(room, encrypted))
    for account in (crowd.bo.account, crowd.eve.account, crowd.bot):
        async with Visitor(synapse.url, account) as person:
            for hall in halls:
                await person.join(hall.room)
    return halls


def pager(synapse: Synapse, crowd: Crowd) -> Visitor:
    """The judge once more, to read timelines as the server has them."""
    return Visitor(synapse.url, crowd.eve.account)
