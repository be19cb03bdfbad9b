"""Kills a bot while it answers, starts it again on the same data, and waits until all is done.

What differs between platforms is a `Crowd`: people who ask, and who see what is answered. The rooms
are the judge in the end, never the bot's own database.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from tests.faults.lives import KILLED, Life, Lives
from tests.faults.pending import nothing_pending

COMMAND = "!bbb help"
ALIVE_SECONDS = 60.0
END_SECONDS = 180.0
SILENCE_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.2
KILLED_WHILE_STARTING = 0.4
DEATHS_IN_A_ROW = 4
"""A command that was begun in ten lives without an end is given up, as is right."""

Place = TypeVar("Place")


class BotFailed(Exception):
    """The bot did not come to life, or ended by itself. With its last words."""


class Crowd(Protocol[Place]):
    """People in the rooms of one platform."""

    async def say(self, place: Place) -> str:
        """One `COMMAND`; its id."""

    async def ask(self, places: Sequence[Place], asked: dict[str, Place]) -> None:
        """One in each of these places, as fast as people can; each is noted once it was said."""

    def answered(self) -> set[str]:
        """The commands whose answers were seen."""

    def silence(self) -> float:
        """Seconds since anything was seen."""

    async def until(self, done: Callable[[], bool], *, seconds: float) -> bool:
        """Watch until this holds, at most so long; whether it does."""


class Victim(Protocol):
    """A bot that can be killed and started again on the same data."""

    def start(self) -> None: ...

    async def kill(self) -> bool:
        """False when it had ended by itself before."""

    def last_words(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Moments:
    """When it dies: at most so many seconds after its start, or after its next answer.

    `dead` is long enough for what the server had accepted to be seen, and not taken for a sign of
    new life.
    """

    starting: float = 3.0
    working: float = 0.8
    dead: float = 0.3


async def come_to_life(crowd: Crowd[Place], place: Place, last_words: Callable[[], str]) -> None:
    """Return when the bot answers. Raises BotFailed."""
    deadline = time.monotonic() + ALIVE_SECONDS
    while not crowd.answered():
        if time.monotonic() > deadline:
            raise BotFailed(f"the bot never answered:\n{last_words()}")
        await crowd.say(place)
        await crowd.until(lambda: bool(crowd.answered()), seconds=2)


async def ask_and_kill(
    crowd: Crowd[Place],
    places: Sequence[Place],
    bot: Victim,
    rng: random.Random,
    kills: int,
    moments: Moments,
) -> dict[str, Place]:
    """Ask once in each place, in batches; a kill falls into each but the last.

    The commands by id. Raises BotFailed.
    """
    asked: dict[str, Place] = {}
    shuffled = rng.sample(places, len(places))
    batches = kills + 1
    for number in range(batches):
        asking = asyncio.create_task(crowd.ask(shuffled[number::batches], asked))
        if number < kills:
            await _kill(crowd, bot, rng, moments)
        await asking
    return asked


async def _kill(crowd: Crowd[Place], bot: Victim, rng: random.Random, moments: Moments) -> None:
    """SIGKILL at a random moment, of its start or of its work, and start again."""
    if rng.random() < KILLED_WHILE_STARTING:
        await asyncio.sleep(rng.uniform(0, moments.starting))
    else:
        await _sign_of_life(crowd, bot)
        await asyncio.sleep(rng.uniform(0, moments.working))
    if not await bot.kill():
        raise BotFailed(f"the bot ended by itself:\n{bot.last_words()}")
    await asyncio.sleep(moments.dead)
    bot.start()


async def _sign_of_life(crowd: Crowd[Place], bot: Victim) -> None:
    before = len(crowd.answered())
    if not await crowd.until(lambda: len(crowd.answered()) > before, seconds=ALIVE_SECONDS):
        raise BotFailed(f"no answer since the last start:\n{bot.last_words()}")


async def settle(
    crowd: Crowd[Place], asked: set[str], data: Path, *, longest: float = SILENCE_SECONDS
) -> None:
    """Return when all is answered and nothing waits, or nothing waits and long was silence."""
    began = time.monotonic()
    while time.monotonic() < began + END_SECONDS:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        silence = min(crowd.silence(), time.monotonic() - began)
        enough = asked <= crowd.answered() or silence > longest
        if enough and nothing_pending(data):
            return


@dataclass(slots=True)
class Deaths(Generic[Place]):
    """Lives of one bot that end at named points, and whole ones between them.

    `begin` starts a life, with a fail point or without; `asked` holds the commands by id; `silence`
    is how many seconds of it mean that nothing comes any more.
    """

    crowd: Crowd[Place]
    lives: Lives
    begin: Callable[..., Life]
    asked: dict[str, Place] = field(default_factory=dict)
    silence: float = SILENCE_SECONDS

    async def at_each(self, points: Sequence[str], places: Sequence[Sequence[Place]]) -> None:
        """Once at each point, while a command waits in each of the places of its turn."""
        for number, point in enumerate(points, 1):
            turn = places[number % len(places)]
            await self._ask(turn)
            code = await self.begin(point).end()
            assert code == KILLED, f"{point}: {code}\n{self.lives.last_words()}"
            if number % DEATHS_IN_A_ROW == 0 or number == len(points):
                await self._live_on(turn)

    async def _ask(self, places: Sequence[Place]) -> None:
        for place in places:
            self.asked[await self.crowd.say(place)] = place

    async def _live_on(self, places: Sequence[Place]) -> None:
        """A life in which all is answered, also what is asked in it: only then it has begun."""
        life = self.begin()
        try:
            await self._ask(places)
            data = self.lives.directory / "data"
            await settle(self.crowd, set(self.asked), data, longest=self.silence)
            assert await life.stop() == 0, self.lives.last_words()
        finally:
            await life.kill()
