"""Every scenario runs over the console, Rocket.Chat and Matrix; exceptions stand in one table."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
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
from tests.fakes.rocketchat import RocketChat
from tests.matrix.conftest import synapse
from tests.rocketchat.ticking import Ticking
from tests.scenario.console import ConsoleStage
from tests.scenario.matrix import MatrixStage
from tests.scenario.rocketchat import RocketChatStage
from tests.scenario.scene import OTHER, TEAM, Clock, Line, Scene, Stage

__all__ = ["synapse"]

SECRET = canary.BBB_SECRET
BBB = "http://bbb.example"
KEYS = Secrets(canary.LINK_KEY, canary.PSEUDONYM_KEY)

Opening = Callable[[Store, Line, AsyncExitStack], Awaitable[tuple[Stage, Bot]]]

NO_UPGRADES = "Rocket.Chat never puts a new room in the place of an old one"
LEFT_OUT: dict[tuple[str, str], str] = {
    ("matrix", "test_too_many_presses_are_left_without_a_word"): (
        "a homeserver takes the same reaction of a person once"
    ),
    **{
        ("rocketchat", scenario): NO_UPGRADES
        for scenario in (
            "test_rooms_links_and_settings_go_along_into_the_channel_that_takes_the_place",
            "test_in_a_replaced_channel_nothing_is_carried_out_any_more",
            "test_the_card_of_a_living_call_is_posted_anew_and_followed_there",
        )
    },
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


PLATFORMS = ["console", "rocketchat", pytest.param("matrix", marks=pytest.mark.synapse)]


@pytest.fixture(params=PLATFORMS)
def opening(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Opening:
    """Opens the stage of a scenario on one platform, with a bot on it."""
    reason = LEFT_OUT.get((request.param, request.function.__name__))
    if reason:
        pytest.skip(reason)
    if request.param == "console":
        return partial(on_console, clock)
    if request.param == "rocketchat":
        return partial(on_rocketchat, clock)
    return partial(_on_matrix, clock, request.getfixturevalue("synapse"), tmp_path / "crypto")


@pytest.fixture
async def scene(opening: Opening, clock: Clock, store: Store) -> AsyncIterator[Scene]:
    """A bot in two channels, with Alice, Bob, Carol and Mallory about."""
    async with AsyncExitStack() as stack:
        bbb = SimulatedBBB(SECRET, now=clock, public_url=BBB)
        line = Line(bbb)
        stage, bot = await opening(store, line, stack)
        scene = Scene(bot, bbb, line, clock, stage)
        await scene.begin()
        yield scene


async def on_console(
    clock: Clock, store: Store, line: Line, stack: AsyncExitStack
) -> tuple[Stage, Bot]:
    stage = ConsoleStage(clock)
    bot = await bot_of(store, line, clock, stage.chat, stack)
    await stage.open(bot.inbox)
    for where in (TEAM, OTHER):
        await stage.welcomes_bot(where)
    return stage, bot


async def on_rocketchat(
    clock: Clock, store: Store, line: Line, stack: AsyncExitStack
) -> tuple[Stage, Bot]:
    server = await stack.enter_async_context(RocketChat(clock=Ticking(clock)))
    stage = RocketChatStage(server, clock)
    adapter = stage.adapter()
    bot = await bot_of(store, line, clock, adapter, stack)
    stack.push_async_callback(adapter.stop)
    await stage.open(adapter, bot.inbox)
    return stage, bot


async def _on_matrix(
    clock: Clock,
    homeserver: Synapse,
    crypto: Path,
    store: Store,
    line: Line,
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
