"""Kills the bot while it answers, starts it again on the same data, and counts what the rooms show.

The rooms are the judge, never the bot's own database: an observer pages every timeline to its
beginning. `tests/matrix/test_kill.py` shows that this finds a bot that loses and one that repeats.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.demo.synapse import Account, Synapse
from tests.canary import BBB_SECRET
from tests.matrix.client import Observer, Visitor
from tests.matrix.names import fresh
from tests.matrix.our_bot import BOT, Process, free_port, write_config
from tests.matrix.peer import Peer
from tests.matrix.pending import nothing_pending
from tests.matrix.slow_line import SlowLine
from tests.matrix.verdict import Hall, Reader, Verdict

COMMAND = "!bbb help"
KILLS = 5
ROOMS = 20
VERSIONS = ("11", "12")
ALIVE_SECONDS = 60.0
END_SECONDS = 180.0
SILENCE_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.5
MOST_OF_WORK = 0.8
MOST_OF_A_START = 3.0
KILLED_WHILE_STARTING = 0.4
DEAD_SECONDS = 0.3
"""Long enough for what the server had accepted to be seen, and not taken for a sign of new life."""


class BotFailed(Exception):
    """The bot did not come to life, or ended by itself. With its last words."""


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

    def answered(self) -> set[str]:
        """The commands whose answers ada has seen."""
        answers = (one.answers for one in self.ada.seen if one.sender == self.bot.user_id)
        return {event for event in answers if event}


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
        await come_to_life(crowd, halls, bot)
        asked = await _ask_and_kill(crowd, halls, bot, rng, commands, kills)
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


class Talker(Protocol):
    """A bot that leaves something to be read when it did not do what it should."""

    def last_words(self) -> str: ...


async def come_to_life(crowd: Crowd, halls: Sequence[Hall], bot: Talker) -> None:
    """Return when the bot answers, and its keys are known where they are needed."""
    plain = next(hall for hall in halls if not hall.encrypted)
    deadline = time.monotonic() + ALIVE_SECONDS
    while not crowd.answered():
        if time.monotonic() > deadline:
            raise BotFailed(f"the bot never answered:\n{bot.last_words()}")
        await crowd.say(plain)
        await crowd.ada.until(lambda _: bool(crowd.answered()), seconds=2)
    for hall in halls:
        if hall.encrypted:
            await crowd.bo.knows(hall.room, crowd.bot.user_id)


async def _ask_and_kill(
    crowd: Crowd,
    halls: Sequence[Hall],
    bot: Process,
    rng: random.Random,
    commands: int,
    kills: int,
) -> dict[str, Hall]:
    """Ask in batches; a kill falls into each but the last. The commands by event id."""
    asked: dict[str, Hall] = {}
    places = [hall for hall in halls for _ in range(commands // len(halls))]
    rng.shuffle(places)
    batches = kills + 1
    for number in range(batches):
        asking = asyncio.create_task(_ask(crowd, places[number::batches], asked))
        if number < kills:
            await _kill(crowd, bot, rng)
        await asking
    return asked


async def _ask(crowd: Crowd, places: Sequence[Hall], asked: dict[str, Hall]) -> None:
    """Plain and encrypted rooms at the same time, each kind as fast as one person can."""

    async def one_after_the_other(encrypted: bool) -> None:
        for hall in places:
            if hall.encrypted is encrypted:
                asked[await crowd.say(hall)] = hall

    await asyncio.gather(one_after_the_other(True), one_after_the_other(False))


async def _kill(crowd: Crowd, bot: Process, rng: random.Random) -> None:
    """SIGKILL at a random moment, of its start or of its work, and start again."""
    if rng.random() < KILLED_WHILE_STARTING:
        await asyncio.sleep(rng.uniform(0, MOST_OF_A_START))
    else:
        await _sign_of_life(crowd, bot)
        await asyncio.sleep(rng.uniform(0, MOST_OF_WORK))
    if not await bot.kill():
        raise BotFailed(f"the bot ended by itself:\n{bot.last_words()}")
    await asyncio.sleep(DEAD_SECONDS)
    bot.start()


async def _sign_of_life(crowd: Crowd, bot: Process) -> None:
    before = len(crowd.answered())
    if not await crowd.ada.until(lambda _: len(crowd.answered()) > before, seconds=ALIVE_SECONDS):
        raise BotFailed(f"no answer since the last start:\n{bot.last_words()}")


async def settle(crowd: Crowd, asked: set[str], data: Path) -> None:
    """Return when all is answered and nothing waits, or when nothing waits and all is silent."""
    began = time.monotonic()
    while time.monotonic() < began + END_SECONDS:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        silence = time.monotonic() - max(began, crowd.ada.seen[-1].at)
        enough = asked <= crowd.answered() or silence > SILENCE_SECONDS
        if enough and nothing_pending(data):
            return
