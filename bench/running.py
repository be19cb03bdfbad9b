"""Starts the bots of a bench, each in a process of its own, until each is seen to answer."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bench.meter import Meter
from bench.stage import NotReady, Stage
from tests.our_bot import BOT, Process, free_port

FLOOR = "floor"
OURS = "bbb-bot"
TEXT = "x" * 600  # what the others answer where our bot does not take part

Programs = Callable[[Stage, str], Sequence[Process]]
"""The processes of a bot in the order to start them, the bot last. The text is for the others."""


async def start(stages: Sequence[Stage], programs: Programs, ending: AsyncExitStack) -> None:
    """Start ours first: the others answer with the same text. Raises NotReady."""
    text = TEXT
    for stage in sorted(stages, key=lambda stage: stage.name != OURS):
        text = await _start(stage, programs(stage, text), ending)


async def _start(stage: Stage, programs: Sequence[Process], ending: AsyncExitStack) -> str:
    for program in programs:
        program.start()
        ending.push_async_callback(program.stop)
    try:
        said = await stage.greet()
    except NotReady as error:
        raise NotReady(f"{error}; it said:\n{programs[-1].last_words()}") from None
    await ending.enter_async_context(stage.measure(Meter.of(programs[-1].pid)))
    return said


def ours(directory: Path, configured: Callable[[int, str], Path]) -> Sequence[Process]:
    """`bbb-bot run` beside a simulated BBB server.

    `configured` writes the configuration for a BBB at this port with this secret.
    """
    port, secret = free_port(), secrets.token_hex(16)
    simulate = (*BOT, "simulate-bbb", "--port", str(port), "--secret", secret)
    return [
        Process(simulate, directory / "bbb.txt"),
        Process((*BOT, "run", "--config", configured(port, secret)), directory / "output.txt"),
    ]


def another(module: str, directory: Path, settings: Mapping[str, str]) -> Sequence[Process]:
    """A bot of the bench: a module that reads its settings from a JSON file."""
    file = directory / "settings.json"
    file.write_text(json.dumps(settings))
    return [Process((sys.executable, "-m", module, file), directory / "output.txt")]
