"""The restore drill: backed up while it runs, lost, restored by the words of docs/operations.md."""

from __future__ import annotations

import asyncio
import re
import shlex
from asyncio.subprocess import create_subprocess_exec
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.backup import back_up
from bot.core import Secrets
from bot.demo.bbb import SimulatedBBB
from bot.keys import open_data_dir, open_keys
from commands.visits import Go
from storage.open import open_store
from tests.scenario.conftest import BBB, SECRET, bot_of
from tests.scenario.console import ConsoleStage
from tests.scenario.scene import OTHER, TEAM, Clock, Line, Scene

DOCS = Path(__file__).parents[2] / "docs" / "operations.md"
DATA, BACKUP = "/var/lib/bbb-bot", "bbb-bot-2026-01-31.tar.gz"
"""As the documentation names them."""


class House:
    """A chat and a BBB that outlive the bot, and the directory the bot's data is in."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.clock = Clock()
        self.stage = ConsoleStage(self.clock)
        self.bbb = SimulatedBBB(SECRET, now=self.clock, public_url=BBB)

    async def move_in(self, stack: AsyncExitStack) -> Scene:
        """A bot on the data as it is."""
        keys = open_keys(open_data_dir(self.data))
        store = await open_store(self.data)
        stack.push_async_callback(store.close)
        line = Line(self.bbb)
        secrets = Secrets(keys.link, keys.pseudonym)
        bot = await bot_of(store, line, self.clock, self.stage.chat, stack, secrets)
        await self.stage.open(bot.inbox)
        return Scene(bot, self.bbb, line, self.clock, self.stage)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "data")


async def restore(data: Path, backup: Path) -> None:
    """Type what the documentation says under "In earnest"."""
    section = DOCS.read_text().partition("In earnest:")[2].partition("\n### ")[0]
    commands = re.findall(r"^ {8}(\S.*)$", section, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["mv", "install", "tar"]
    for command in commands:
        words = shlex.split(command.replace(DATA, str(data)).replace(BACKUP, str(backup)))
        typed = await create_subprocess_exec(*words)
        assert await typed.wait() == 0, command


async def test_after_the_restore_commands_work_and_links_are_open(
    house: House, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.tar.gz"
    async with AsyncExitStack() as stack:
        scene = await house.move_in(stack)
        await scene.stage.welcomes_bot(TEAM)
        await scene.stage.welcomes_bot(OTHER)
        await scene.says("alice", '!bbb create "Help desk"')
        await scene.says("alice", "!bbb start Budget")
        await scene.says("alice", "!bbb join")
        own, card = (await scene.told("alice"))[-1], await _card(scene)
        went = await scene.press(own, remember=True)
        assert isinstance(went, Go)
        backing_up = asyncio.create_task(asyncio.to_thread(back_up, house.data, backup))
        while not backing_up.done():
            await scene.says("bob", "!bbb rooms")
            scene.clock.now += scene.bot.world.policy.edit_every
        await backing_up
        late = await scene.command("alice", "rooms")
        await scene.arrives(late)
        before = len(await scene.stage.messages(TEAM))

    for file in house.data.iterdir():
        file.unlink()
    await restore(house.data, backup)

    async with AsyncExitStack() as stack:
        scene = await house.move_in(stack)
        await scene.arrives(late)  # the restored position is older: the chat gives it again
        assert len(await scene.stage.messages(TEAM)) == before, "something was said twice"
        assert isinstance(await scene.press(own), Go)
        assert isinstance(await scene.press(card, cookie=went.cookie), Go)
        await scene.forward(seconds=60)
        assert "in the call" in await _card(scene)
        await scene.says("alice", "!bbb rooms")
        assert "Help desk" in await scene.last()
        await scene.says("alice", "!bbb start")
        assert "Budget" in await scene.last()
        assert len(house.bbb.state.meetings()) == 1, "another call was made"


async def _card(scene: Scene) -> str:
    """The team's card as it shows now."""
    return next(text for text in await scene.said() if "Budget" in text and "/j/" in text)
