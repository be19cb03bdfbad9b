"""How a chat is heard: in the readiness, in the metrics, and in the log when it changes."""

import logging
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.chat.base import Mode
from bot.chat.console import LocalChat
from bot.demo.bbb import SimulatedBBB
from bot.web.readiness import Part
from storage.open import open_store
from tests.scenario.conftest import bot_of
from tests.scenario.scene import Clock, Line


class Fickle(LocalChat):
    """A chat that is heard as the test wants."""

    heard = Mode.LIVE

    @property
    def mode(self) -> Mode:
        return self.heard


@pytest.mark.parametrize(
    ("mode", "part"),
    [(Mode.LIVE, Part.OK), (Mode.POLLING, Part.DEGRADED), (Mode.DOWN, Part.DOWN)],
)
async def test_how_a_chat_is_heard_is_told(
    mode: Mode, part: Part, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot.core")
    clock = Clock()
    chat = Fickle(clock=clock, prefixes=["!bbb"])
    async with AsyncExitStack() as stack:
        store = await open_store(tmp_path / "data")
        stack.push_async_callback(store.close)
        bot = await bot_of(store, Line(SimulatedBBB("secret")), clock, chat, stack)
        await bot.measure()
        chat.heard = mode
        for _ in range(2):
            await bot.measure()

        assert (await bot.health()).chats == {"console": part}
        gauges = {one: f'platform="console"}} {float(one is mode)}' for one in Mode}
        page = bot.metrics.page().decode()
        for one, gauge in gauges.items():
            assert f'bbb_bot_chat_mode{{mode="{one}",{gauge}' in page
    said = ["console is live", f"console is {mode}"]
    assert caplog.messages == said[: 1 if mode is Mode.LIVE else 2]
    assert caplog.records[-1].levelno == (logging.INFO if mode is Mode.LIVE else logging.WARNING)
