"""Every scenario runs over the console and over Matrix; exceptions stand in one table."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.chat.base import Adapter
from bot.core import Bot, Secrets
from bot.demo.bbb import SimulatedBBB
from bot.demo.synapse import Synapse
from commands.ports import Policy
from storage.open import open_store
from storage.store import Store
from tests import canary
from tests.matrix.conftest import synapse
from tests.scenario.console import ConsoleStage
from tests.scenario.matrix import MatrixStage
from tests.scenario.scene import OTHER, TEAM, Clock, Line, Scene, Stage

__all__ = ["synapse"]

SECRET = canary.BBB_SECRET
BBB = "http://bbb.example"
KEYS = Secrets(canary.LINK_KEY, canary.PSEUDONYM_KEY)

LEFT_OUT: dict[tuple[str, str], str] = {
    ("matrix", "test_too_many_presses_are_left_without_a_word"): (
        "a homeserver takes the same reaction of a person once"
    ),
}
"""(platform, scenario): why this platform cannot play it."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"scenarios left out by a platform: {len(LEFT_OUT) or 'none'}")
    for (platform, scenario), reason in LEFT_OUT.items():
        terminalreporter.write_line(f"  {platform}: {scenario}: {reason}")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path / "data")
    yield store
    await store.close()


@pytest.fixture(params=["console", pytest.param("matrix", marks=pytest.mark.synapse)])
def homeserver(request: pytest.FixtureRequest) -> Synapse | None:
    """The platform of a scenario: a Synapse, or None for the console."""
    reason = LEFT_OUT.get((request.param, request.function.__name__))
    if reason:
        pytest.skip(reason)
    return request.getfixturevalue("synapse") if request.param == "matrix" else None


@pytest.fixture
async def scene(
    homeserver: Synapse | None, clock: Clock, store: Store, tmp_path: Path
) -> AsyncIterator[Scene]:
    """A bot in two channels, with Alice, Bob, Carol and Mallory about."""
    async with AsyncExitStack() as stack:
        bbb = SimulatedBBB(SECRET, now=clock, public_url=BBB)
        line = Line(bbb)
        if homeserver is None:
            stage, bot = await _on_console(store, line, clock, stack)
        else:
            crypto = tmp_path / "crypto"
            stage, bot = await _on_matrix(homeserver, crypto, store, line, clock, stack)
        scene = Scene(bot, bbb, line, clock, stage)
        await scene.begin()
        yield scene


async def _on_console(
    store: Store, line: Line, clock: Clock, stack: AsyncExitStack
) -> tuple[Stage, Bot]:
    stage = ConsoleStage(clock)
    bot = await bot_of(store, line, clock, stage.chat, stack)
    await stage.open(bot.inbox)
    for where in (TEAM, OTHER):
        await stage.welcomes_bot(where)
    return stage, bot


async def _on_matrix(
    homeserver: Synapse,
    crypto: Path,
    store: Store,
    line: Line,
    clock: Clock,
    stack: AsyncExitStack,
) -> tuple[Stage, Bot]:
    stage = MatrixStage(homeserver, clock, crypto)
    adapter = await stage.adapter()
    bot = await bot_of(store, line, clock, adapter, stack)
    stack.push_async_callback(stage.close)
    stack.push_async_callback(adapter.stop)
    await stage.open(adapter, bot.inbox)
    return stage, bot


async def bot_of(
    store: Store,
    line: Line,
    clock: Clock,
    adapter: Adapter,
    stack: AsyncExitStack,
    keys: Secrets = KEYS,
) -> Bot:
    """A bot whose BBB is at the other end of `line`."""
    client = Client(
        name="one",
        url=f"{BBB}/bigbluebutton/api/",
        secrets=[SECRET],
        bot_version="test",
        transport=line,
    )
    servers = ServerPool(
        {"one": client}, chosen="one", origins=[BBB], now=lambda: clock().timestamp()
    )
    stack.push_async_callback(servers.close)
    return Bot(
        store=store,
        adapters=[adapter],
        servers=servers,
        policy=Policy(public_url="https://calls.example.org"),
        keys=keys,
        clock=clock,
    )
