"""Element's own crypto engine reads the bot and is read by it, also where it excludes devices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.demo.synapse import Synapse
from storage.records import Kind
from tests.matrix.bots import Bot, Bots
from tests.matrix.element.peer import Element
from tests.matrix.names import fresh
from tests.requirements import require_element

NO_SHIELD = {"colour": 0, "reason": None}
RED = 2


@pytest.fixture(autouse=True)
def engine() -> None:
    require_element()


@pytest.fixture
async def leaving() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def bots(synapse: Synapse, tmp_path: Path, leaving: AsyncExitStack) -> Bots:
    return Bots(synapse, tmp_path, leaving)


async def element(bots: Bots, *, exclude: bool) -> Element:
    account = await bots.synapse.register(fresh("eve"))
    return await bots.leaving.enter_async_context(
        Element(bots.synapse.url, account, exclude=exclude)
    )


async def room_of(eve: Element, bot: Bot) -> str:
    room = await eve.room(bot.user_id)
    await bot.inbox.until(lambda inbox: bool(inbox.of(Kind.WELCOME)))
    return room


@pytest.mark.parametrize("exclude", [True, False])
async def test_a_signed_bot_is_read_and_reads(bots: Bots, exclude: bool) -> None:
    bot = await bots.new(fresh("trusted"))
    eve = await element(bots, exclude=exclude)
    room = await room_of(eve, bot)

    await eve.say(room, "!bbb start")
    await bot.inbox.command("start")
    await bot.says(room, "here is the link")
    message = await eve.reads("here is the link")

    assert not message.clear and await eve.shield(message) == NO_SHIELD


async def test_an_unsigned_bot_is_excluded_both_ways(bots: Bots) -> None:
    bot = await bots.new(fresh("untrusted"), cross_signing="off")
    eve = await element(bots, exclude=True)
    room = await room_of(eve, bot)

    await eve.say(room, "!bbb start")
    await bot.says(room, "here is the link")

    failure = (await eve.fails_to_read(sender=bot.user_id)).failure
    assert failure == "UNSIGNED_SENDER_DEVICE"
    assert bot.inbox.texts() == []


async def test_an_unsigned_bot_is_shown_with_a_red_shield(bots: Bots) -> None:
    bot = await bots.new(fresh("untrusted"), cross_signing="off")
    eve = await element(bots, exclude=False)
    room = await room_of(eve, bot)

    await bot.says(room, "here is the link")

    shield = await eve.shield(await eve.reads("here is the link"))
    assert shield["colour"] == RED
