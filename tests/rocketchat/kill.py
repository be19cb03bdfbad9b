"""Kills the bot while it answers in Rocket.Chat, where now and then an answer to it is lost, too.

The server's rooms are the judge. `tests/rocketchat/test_kill.py` shows that this finds a bot that
loses answers and one that repeats them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.clock import utc_now
from tests.canary import BBB_SECRET
from tests.fakes.rocketchat import RocketChat
from tests.fakes.rocketchat.records import Room, User
from tests.faults.kills import COMMAND, Moments, ask_and_kill, come_to_life, settle
from tests.faults.lives import KILLED, Life, Lives
from tests.our_bot import free_port
from tests.rocketchat.lossy_line import LossyLine
from tests.rocketchat.our_bot import write_config

ROOMS = 20
MOMENTS = Moments(starting=1.0, working=0.4, dead=0.1)
MOST_BETWEEN_COMMANDS = 0.02
LOOK_AGAIN_SECONDS = 0.02


@dataclass(slots=True)
class Crowd:
    """`ada` asks; everybody sees what the server has stored."""

    server: RocketChat
    ada: User
    bot: User
    rooms: Sequence[Room]
    rng: random.Random
    _seen: int = 0
    _news: float = field(default_factory=time.monotonic)

    async def say(self, room: Room) -> str:
        return str(self.server.say(self.ada, room, COMMAND)["_id"])

    async def ask(self, places: Sequence[Room], asked: dict[str, Room]) -> None:
        for room in places:
            await asyncio.sleep(self.rng.uniform(0, MOST_BETWEEN_COMMANDS))
            asked[await self.say(room)] = room

    def answers(self) -> list[tuple[str, str]]:
        """What the bot said: in answer to which command, and the text."""
        return [
            (document.get("tmid", ""), document["msg"])
            for room in self.rooms
            for document in self.server.state.messages_in(room)
            if document["u"]["_id"] == self.bot.id and "t" not in document
        ]

    def answered(self) -> set[str]:
        answers = self.answers()
        if len(answers) > self._seen:
            self._seen, self._news = len(answers), time.monotonic()
        return {command for command, _ in answers}

    def silence(self) -> float:
        return time.monotonic() - self._news

    async def until(self, done: Callable[[], bool], *, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not done() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return done()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rooms show; `lost` and `doubled` are commands by id.

    `texts` are all that was ever answered: of one command repeated, it should be one text.
    """

    asked: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    texts: frozenset[str]
    answers_lost: int
    exit_code: int


def judge(
    crowd: Crowd, asked: Mapping[str, Room], *, answers_lost: int = 0, exit_code: int = 0
) -> Verdict:
    """Count all answers to the commands `asked`."""
    answers = [(command, text) for command, text in crowd.answers() if command in asked]
    times = Counter(command for command, _ in answers)
    return Verdict(
        asked=len(asked),
        lost=tuple(command for command in asked if not times[command]),
        doubled=tuple(command for command in asked if times[command] > 1),
        texts=frozenset(text for _, text in answers),
        answers_lost=answers_lost,
        exit_code=exit_code,
    )


@asynccontextmanager
async def gathered(rng: random.Random, rooms: int = ROOMS) -> AsyncIterator[Crowd]:
    """A server, a person and the bot in channels and private groups by turns."""
    async with RocketChat(clock=utc_now) as server:
        bot = server.add_user("bbb", roles=("bot", "user"), name="BBB")
        ada = server.add_user("ada", name="Ada")
        halls = [
            server.add_room(f"hall-{number}", kind="cp"[number % 2], owner=ada, members=(ada, bot))
            for number in range(rooms)
        ]
        yield Crowd(server, ada, bot, halls, rng)


def config_for(crowd: Crowd, directory: Path) -> Path:
    return write_config(
        directory,
        url=crowd.server.url,
        user_id=crowd.bot.id,
        token=crowd.bot.token,
        bbb_port=free_port(),
        bbb_secret=BBB_SECRET,
    )


@dataclass(slots=True)
class Program:
    """The whole program as the victim of kills; `broken` names an entry of `BROKEN`."""

    lives: Lives
    config: Path
    broken: str = ""
    _life: Life | None = None

    def start(self) -> None:
        self._life = self.lives.on("rocketchat", self.config, broken=self.broken)

    async def kill(self) -> bool:
        return self._life is not None and await self._life.kill() == KILLED

    async def stop(self) -> int:
        """Its exit code."""
        return await self._life.stop() if self._life else 0

    def last_words(self) -> str:
        return self.lives.last_words()


async def ordeal(
    directory: Path, *, seed: int, commands: int, kills: int, broken: str = ""
) -> Verdict:
    """Ask `commands` times while the bot is killed and answers to it are lost. Raises BotFailed."""
    rng = random.Random(seed)
    async with AsyncExitStack() as leaving:
        crowd = await leaving.enter_async_context(gathered(rng))
        bot = Program(Lives(directory), config_for(crowd, directory), broken)
        leaving.push_async_callback(bot.kill)
        bot.start()
        await come_to_life(crowd, crowd.rooms[0], bot.last_words)
        places = [room for room in crowd.rooms for _ in range(commands // len(crowd.rooms))]
        crowd.server.seams.insert(1, line := LossyLine(rng))
        asked = await ask_and_kill(crowd, places, bot, rng, kills, MOMENTS)
        await settle(crowd, set(asked), directory / "data")
        return judge(crowd, asked, answers_lost=line.lost, exit_code=await bot.stop())
