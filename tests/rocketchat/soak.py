"""A long day in Rocket.Chat: thousands of messages in many rooms, a tenth of them commands, people
who edit and react, and a line that breaks again and again. The rooms are the judge.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from tests.canary import BBB_SECRET
from tests.faults.kills import come_to_life, settle
from tests.our_bot import BOT, Process, free_port
from tests.rocketchat.flapping_line import FlappingLine
from tests.rocketchat.kill import Crowd, Verdict, gathered, judge
from tests.rocketchat.our_bot import write_config

TYPED = ("help", "status", "who", "rooms", "help start", "strat")
A_COMMAND_IN = 10
CHANGED = 0.2
"""So many messages in one are followed by an edit of an old one, or by a reaction to it."""
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """`pace`: messages a second. The line holds for `up` seconds at most, is down for `down`.

    Before that it is down while `warming_up` messages are said: the largest look there will be.
    """

    messages: int
    rooms: int
    pace: float
    up: float = 20.0
    down: float = 2.0
    warming_up: int = 0


LONG = Plan(messages=10_000, rooms=50, pace=50.0, warming_up=2_000)
SHORT = Plan(messages=300, rooms=10, pace=100.0, up=2.0, down=0.2, warming_up=50)


@dataclass(frozen=True, slots=True)
class Soaked:
    """`rss` in MiB, oldest first: a sample for each hundredth of the messages."""

    verdict: Verdict
    rss: Sequence[float]
    breaks: int

    @property
    def growth(self) -> float:
        """Of the median of the last quarter over that of the first."""
        quarter = len(self.rss) // 4
        return median(self.rss[-quarter:]) - median(self.rss[:quarter])


async def soak(directory: Path, plan: Plan, *, seed: int) -> Soaked:
    """Live through it. Raises BotFailed."""
    rng = random.Random(seed)
    async with AsyncExitStack() as leaving:
        crowd = await leaving.enter_async_context(gathered(rng, plan.rooms))
        line = await leaving.enter_async_context(FlappingLine(crowd.server.url, rng))
        config = write_config(
            directory,
            url=line.url,
            user_id=crowd.bot.id,
            token=crowd.bot.token,
            bbb_port=free_port(),
            bbb_secret=BBB_SECRET,
        )
        bot = Process((*BOT, "run", "--config", config), directory / "output.txt")
        leaving.push_async_callback(bot.stop)
        bot.start()
        await come_to_life(crowd, crowd.rooms[0], bot.last_words)
        asked: dict[str, str] = {}
        line.tear()
        await _talk(crowd, rng, plan.warming_up, plan.pace, asked, None)
        line.mend()
        flapping = asyncio.create_task(line.flap(up=plan.up, down=plan.down))
        leaving.callback(flapping.cancel)
        rss = await _talk(crowd, rng, plan.messages, plan.pace, asked, psutil.Process(bot.pid))
        flapping.cancel()
        line.mend()
        await settle(crowd, set(asked), directory / "data")
        verdict = judge(crowd, asked, exit_code=await bot.stop())
        return Soaked(verdict, rss, line.breaks)


async def _talk(
    crowd: Crowd,
    rng: random.Random,
    messages: int,
    pace: float,
    asked: dict[str, str],
    bot: psutil.Process | None,
) -> list[float]:
    """Say so many messages; note the commands among them; the samples of the bot's memory."""
    rss: list[float] = []
    said: list[str] = []
    for number in range(messages):
        room = rng.choice(crowd.rooms)
        is_command = number % A_COMMAND_IN == 0
        text = f"!bbb {rng.choice(TYPED)}" if is_command else f"so much for {number}"
        ref = str(crowd.server.say(crowd.ada, room, text)["_id"])
        if is_command:
            asked[ref] = text
        else:
            said.append(ref)
        if said and rng.random() < CHANGED:
            _change(crowd, rng, said, list(asked))
        if bot and number % (messages // 100) == 0:
            rss.append(bot.memory_info().rss / MIB)
        await asyncio.sleep(rng.uniform(0, 2 / pace))
    return rss


def _change(crowd: Crowd, rng: random.Random, said: Sequence[str], asked: Sequence[str]) -> None:
    """An old message comes again, whole: a command is not carried out once more, and what is
    made one by an edit is none.
    """
    if rng.random() < 0.5:
        ref = rng.choice(asked)
        crowd.server.react(crowd.ada, ref, ":thumbsup:", on=rng.random() < 0.5)
    else:
        crowd.server.edit(crowd.ada, rng.choice(said), "!bbb help")
