"""Lets our bot run for a long time under light use, and watches what it holds on to.

    python bench/soak.py [--minutes 30] [--quick]
    python bench/soak.py --chat rocketchat [--quick]

Matrix: every second somebody types something in one of twenty rooms or opens a join page; calls are
opened, looked into and ended. Memory, open files and asyncio tasks are read every ten seconds. The
first fifth is warming up; the growth is the difference of the medians of the second and the last
fifth.

Rocket.Chat: 10,000 messages in 50 rooms, a tenth of them commands, over a line that breaks again
and again; the growth is the difference of the medians of the first and the last quarter.
The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from bench.chat import keep_byte_code, tell
from bench.matrix.arena import Arena
from bench.meter import Meter
from bench.running import OURS
from bench.stage import Stage
from tests.rocketchat.soak import LONG, SHORT, Plan, soak

LINK = re.compile(r"http://127\.0\.0\.1:\d+/j/[\w-]+")
TYPED = ("help", "", "status", "who", "my", "strat", "end", 'start "Soak" new', "help start")
EVERY_SECONDS = 1.0
SAMPLE_SECONDS = 10.0
SILENCE_SECONDS = 10.0


@dataclass(slots=True)
class Soak:
    """What was done, and the samples that were taken meanwhile, oldest first."""

    stage: Stage
    meter: Meter
    metrics: str
    rss: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    pages: int = 0

    async def run(self, minutes: float, sample_seconds: float) -> None:
        """Use the bot and watch it, side by side, for so long."""
        async with httpx.AsyncClient() as browser:
            using = asyncio.create_task(self._use(browser))
            watching = asyncio.create_task(self._watch(browser, sample_seconds))
            ended, _ = await asyncio.wait(
                {using, watching}, timeout=minutes * 60, return_when=asyncio.FIRST_EXCEPTION
            )
            for task in (using, watching):
                task.cancel()
            await asyncio.gather(using, watching, return_exceptions=True)
            for task in ended:
                await task  # raises what broke off the run
        await self.stage.replies.answers_to(self.asked, silence=SILENCE_SECONDS)

    async def _use(self, browser: httpx.AsyncClient) -> None:
        while True:
            number = random.randrange(len(self.stage.rooms))
            line = f"!bbb {random.choice(TYPED)}".strip()
            self.asked.append(await self.stage.senders[number].say(self.stage.rooms[number], line))
            if link := self._a_link(self.stage.rooms[number]):
                self.pages += 1
                (await browser.get(link)).raise_for_status()
            await asyncio.sleep(EVERY_SECONDS)

    def _a_link(self, room: str) -> str | None:
        """The join page of the room's latest card."""
        bodies = (one.body for one in reversed(self.stage.replies.messages[room]))
        return next((found.group() for body in bodies if (found := LINK.search(body))), None)

    async def _watch(self, browser: httpx.AsyncClient, every: float) -> None:
        while True:
            self.rss.append(self.meter.rss_mib())
            self.files.append(self.meter.process.num_fds())
            page = (await browser.get(self.metrics)).text
            self.tasks.append(int(float(re.findall(r"^bbb_bot_tasks (\S+)$", page, re.M)[0])))
            await asyncio.sleep(every)

    def figures(self) -> dict[str, float]:
        """The figures by name; of each value the start, the end and the growth between."""
        times = [len(self.stage.replies.times.get(event, ())) for event in self.asked]
        figures: dict[str, float] = {
            "commands": len(self.asked),
            "unanswered": times.count(0),
            "pages": self.pages,
        }
        watched: dict[str, Sequence[float]] = {
            "rss_mib": self.rss,
            "files": self.files,
            "tasks": self.tasks,
        }
        for name, values in watched.items():
            start, end = growth(values)
            figures |= {f"{name}_start": start, f"{name}_end": end}
        return figures


def growth(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the second and of the last fifth. Raises ValueError for fewer than five."""
    if len(values) < 5:
        raise ValueError("too few samples")
    fifth = len(values) // 5
    return round(median(values[fifth : 2 * fifth]), 1), round(median(values[-fifth:]), 1)


async def run(minutes: float, sample_seconds: float) -> dict[str, float]:
    """Soak our bot; the figures."""
    with tempfile.TemporaryDirectory() as directory:
        async with AsyncExitStack() as ending:
            [stage] = await Arena(Path(directory), ending).open([OURS])
            settings = json.loads((Path(directory) / OURS / "config.yaml").read_text())
            metrics = f"http://127.0.0.1:{settings['internal_listen']['port']}/metrics"
            assert stage.meter is not None
            soak = Soak(stage, stage.meter, metrics)
            await soak.run(minutes, sample_seconds)
            return {"minutes": minutes, **soak.figures()}


async def run_in_rocketchat(plan: Plan) -> dict[str, float]:
    """Soak our bot on our test server; the figures."""
    with tempfile.TemporaryDirectory() as directory:
        began = time.monotonic()
        soaked = await soak(Path(directory), plan, seed=random.randrange(10**6))
        return {
            "minutes": round((time.monotonic() - began) / 60, 1),
            "messages": plan.messages,
            "commands": soaked.verdict.asked,
            "unanswered": len(soaked.verdict.lost),
            "answered_twice": len(soaked.verdict.doubled),
            "line_broken": soaked.breaks,
            "rss_mib_start": round(soaked.rss[0], 1),
            "rss_mib_end": round(soaked.rss[-1], 1),
            "rss_mib_growth": round(soaked.growth, 1),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="Let the bot run for a long time.")
    parser.add_argument("--chat", choices=["matrix", "rocketchat"], default="matrix")
    parser.add_argument("--minutes", type=float, default=30.0, help="on Matrix")
    parser.add_argument("--quick", action="store_true", help="some twenty seconds")
    given = parser.parse_args(sys.argv[1:])
    began = time.monotonic()
    keep_byte_code()
    if given.chat == "rocketchat":
        figures = asyncio.run(run_in_rocketchat(SHORT if given.quick else LONG))
    else:
        quick = (1 / 3, 1.0)
        figures = asyncio.run(run(*(quick if given.quick else (given.minutes, SAMPLE_SECONDS))))
    tell(f"took {time.monotonic() - began:.0f} s")
    tell(json.dumps(figures))


if __name__ == "__main__":
    main()
