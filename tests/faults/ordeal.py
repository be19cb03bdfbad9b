"""One bot on paper, its BBB, and what must be so when all its lives are over."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from bot.demo.bbb import SimulatedBBB
from bot.demo.bbb.meeting import Meeting, Plan
from bot.demo.bbb.run import serving
from bot.demo.bbb.state import State
from tests.faults.lives import KILLED, NEVER, SECRET, Life, Lives
from tests.faults.paper import Paper


class Counted(State):
    """Keeps every meeting it ever made, also when it has forgotten it."""

    made: list[Meeting]

    def create(self, plan: Plan) -> tuple[Meeting, bool]:
        meeting, was_there = super().create(plan)
        if not was_there:
            self.made.append(meeting)
        return meeting, was_there


@dataclass(slots=True)
class Ordeal:
    """`rounds` times the same commands in new channels, whatever happens to the bot meanwhile."""

    lives: Lives
    paper: Paper
    bbb: SimulatedBBB
    made: list[Meeting]
    url: str
    broken: str = ""
    rounds: int = 0

    def ask(self) -> None:
        """Eight commands, side by side in three channels; five calls, of which two are ended."""
        self.rounds += 1
        for room in ("a", "b"):
            channel = f"#{room}{self.rounds}"
            for line in ('start "Budget"', 'create "Help desk"', "end"):
                self.paper.say(channel, line)
        self.paper.say(f"#c{self.rounds}", 'call @bo "Talk"')
        self.paper.say(f"#c{self.rounds}", "help")

    def begin(self, deadly: str = NEVER, nth: int = 1, press: str = "") -> Life:
        return self.lives.on_paper(self.url, deadly, nth, broken=self.broken, press=press)

    async def finish(self, *, press: str = "") -> None:
        """Live on until everything is answered. Raises AssertionError when a life ends badly."""
        code = await self.begin(press=press).end()
        assert code == 0, self.lives.last_words()

    async def die(self, deadly: str, nth: int, *, press: str = "") -> bool:
        """A life with a fail point; whether it came there. Otherwise it has ended well."""
        code = await self.begin(deadly, nth, press).end()
        assert code in (0, KILLED), self.lives.last_words()
        return code == KILLED

    def judge(self) -> None:
        """Each command has one answer, each call was made once; nothing else was said or made."""
        assert (self.paper.lost(), self.paper.answered_twice()) == ([], [])
        assert len(self.paper.posts()) == len(self.paper.asked) + 2 * self.rounds
        for person in ("ada", "bo"):
            assert len(self.paper.posts_in(f"dm:{person}")) == self.rounds
        assert set(Counter(one.meeting_id for one in self.made).values()) == {1}
        assert len(self.made) == 3 * self.rounds
        assert self.known() == {one.internal_id for one in self.made}
        assert len(self.open_calls()) == self.rounds

    def open_calls(self) -> set[str]:
        """By BBB's own ids; the bot knows of all of them, and of no other as open."""
        at_bbb = {one.internal_id for one in self.bbb.state.meetings() if not one.is_over}
        open_here = self.known("WHERE state <> 'ended'")
        assert open_here - at_bbb == set(), "open for the bot only"
        assert at_bbb - open_here == set(), "open at BBB only"
        return at_bbb

    def known(self, where: str = "") -> set[str]:
        """The meetings in the bot's database, by BBB's own ids."""
        file = self.lives.directory / "data" / "bbb-bot.db"
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return {one for (one,) in database.execute(f"SELECT internal_id FROM meeting {where}")}


@asynccontextmanager
async def ordeal(directory: Path) -> AsyncIterator[Ordeal]:
    """A bot that has not lived yet."""
    bbb = SimulatedBBB(SECRET)
    bbb.state.__class__ = Counted
    assert isinstance(bbb.state, Counted)
    bbb.state.made = made = []
    async with serving(bbb) as url:
        yield Ordeal(Lives(directory), Paper(directory), bbb, made, url)
