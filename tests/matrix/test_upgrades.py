"""Room upgrades on a real Synapse: the bot goes along only where both rooms say so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bot.demo.matrix_client import MatrixRefused
from bot.demo.synapse import Synapse
from storage.records import Command, Kind
from tests.matrix.bots import Bot, Bots, eventually
from tests.matrix.client import Visitor
from tests.matrix.conftest import People
from tests.matrix.names import fresh


@pytest.fixture
async def bots(synapse: Synapse, tmp_path: Path) -> AsyncIterator[Bots]:
    async with AsyncExitStack() as leaving:
        yield Bots(synapse, tmp_path, leaving)


@pytest.fixture
async def ada(people: People) -> Visitor:
    return await people.new("ada")


@pytest.fixture
async def bot(bots: Bots) -> Bot:
    return await bots.new(fresh("moving"), encryption=False)


async def room_of(ada: Visitor, bot: Bot, **kind: Any) -> str:
    room = await ada.create_room(invite=[bot.user_id], **{"name": "Team", **kind})
    await welcome(bot, room)
    return room


async def upgrade(who: Visitor, room: str, version: str = "12") -> str:
    answer = await who.ask("POST", f"/rooms/{quote(room)}/upgrade", {"new_version": version})
    return str(answer["replacement_room"])


async def tombstone(who: Visitor, room: str, replacement: str, **more: Any) -> None:
    await who.set_state(room, "m.room.tombstone", {"replacement_room": replacement, **more})


async def claiming(who: Visitor, old: str, **more: Any) -> str:
    """A room that claims to take the place of another."""
    body = {"creation_content": {"predecessor": {"room_id": old}}, **more}
    return str((await who.ask("POST", "/createRoom", body))["room_id"])


def heard(bot: Bot, kind: Kind, room: str) -> list[Command]:
    return [command for command in bot.inbox.of(kind) if command.channel.id == room]


async def closing(bot: Bot, room: str) -> Command:
    """What the core hears of a room's end."""
    await bot.inbox.until(lambda _: bool(heard(bot, Kind.GONE, room)))
    [command] = heard(bot, Kind.GONE, room)
    return command


async def welcome(bot: Bot, room: str) -> Command:
    """What the core hears of the bot's coming into a room."""
    await bot.inbox.until(lambda _: bool(heard(bot, Kind.WELCOME, room)))
    return heard(bot, Kind.WELCOME, room)[-1]


async def membership(who: Visitor, room: str, bot: Bot) -> dict[str, Any]:
    """Of the bot, as the room has it; {} before there is one."""
    try:
        return await who.state(room, "m.room.member", bot.user_id)
    except MatrixRefused:
        return {}


@pytest.mark.parametrize("version", ["10", "11"])
async def test_invited_into_the_replacement_it_goes_along(
    bot: Bot, ada: Visitor, version: str
) -> None:
    old = await room_of(ada, bot, version=version)

    new = await upgrade(ada, old)
    gone = await closing(bot, old)
    assert (gone.target, gone.person.id) == (new, ada.user_id)
    await ada.invite(new, bot.user_id)

    assert (await welcome(bot, new)).target == old


@pytest.mark.parametrize("version", ["10", "11"])
async def test_without_an_invitation_it_stays_outside_and_says_so_in_the_log(
    bot: Bot, ada: Visitor, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    old = await room_of(ada, bot, version=version)

    new = await upgrade(ada, old)
    await closing(bot, old)

    async def is_logged() -> bool:
        return "a room was replaced and nobody invited the bot" in caplog.text

    await eventually(is_logged)
    assert await membership(ada, new, bot) == {}
    assert new not in {command.channel.id for command in bot.inbox.of(Kind.WELCOME)}


async def test_an_open_replacement_is_entered_without_an_invitation(bot: Bot, ada: Visitor) -> None:
    old = await room_of(ada, bot, version="11", preset="public_chat")

    new = await upgrade(ada, old)

    assert (await welcome(bot, new)).target == old


async def test_an_upgrade_while_it_was_away_is_followed(bot: Bot, ada: Visitor) -> None:
    old = await room_of(ada, bot, version="11")
    await bot.adapter.stop()
    new = await upgrade(ada, old)
    await ada.invite(new, bot.user_id)

    await bot.start()

    assert (await welcome(bot, new)).target == old
    assert (await closing(bot, old)).target == new


async def test_a_tombstone_without_a_body_counts_and_comes_after_the_move_as_well(
    bot: Bot, ada: Visitor
) -> None:
    old = await room_of(ada, bot, version="11")
    new = await claiming(ada, old, invite=[bot.user_id])
    assert (await welcome(bot, new)).target is None  # nothing of ours points there yet

    await tombstone(ada, old, new)

    assert (await closing(bot, old)).target == new
    await bot.inbox.until(lambda inbox: inbox.of(Kind.WELCOME)[-1].target == old)
    assert bot.inbox.of(Kind.WELCOME)[-1].channel.id == new


async def test_a_room_that_claims_ours_as_its_predecessor_gets_nothing(
    bot: Bot, ada: Visitor, people: People
) -> None:
    eve = await people.new("eve")
    old = await room_of(ada, bot)

    forged = await claiming(eve, old, invite=[bot.user_id])

    assert (await welcome(bot, forged)).target is None


async def test_a_tombstone_that_points_at_anothers_room_moves_nothing(
    bot: Bot, ada: Visitor, people: People
) -> None:
    bo = await people.new("bo")
    old = await room_of(ada, bot)
    elsewhere = await bo.create_room(preset="public_chat")

    await tombstone(ada, old, elsewhere, body="moved")

    async def has_left() -> bool:
        member = await membership(bo, elsewhere, bot)
        return "does not take the place" in member.get("reason", "")

    await eventually(has_left)
    assert all(command.target is None for command in bot.inbox.of(Kind.WELCOME))


async def test_a_tombstone_that_points_at_a_room_it_serves_moves_nothing(
    bot: Bot, ada: Visitor, people: People
) -> None:
    bo = await people.new("bo")
    old = await room_of(ada, bot)
    served = await room_of(bo, bot)

    await tombstone(ada, old, served)
    assert (await closing(bot, old)).target == served
    await bo.say(served, "!bbb help")

    await bot.inbox.command("help")
    assert (await membership(bo, served, bot))["membership"] == "join"
    assert all(command.target is None for command in bot.inbox.of(Kind.WELCOME))


async def test_who_is_not_listed_may_invite_into_a_replacement_and_nowhere_else(
    bots: Bots, people: People
) -> None:
    ada, bo = [await people.new(name) for name in ("ada", "bo")]
    bot = await bots.new(fresh("moving"), encryption=False, allow_invites_from=[ada.user_id])
    old = await room_of(ada, bot, version="11")
    await ada.invite(old, bo.user_id)
    await bo.join(old)
    levels = await ada.state(old, "m.room.power_levels")
    await ada.set_state(
        old, "m.room.power_levels", {**levels, "users": {**levels["users"], bo.user_id: 100}}
    )

    forged = await claiming(bo, old, invite=[bot.user_id])
    new = await upgrade(bo, old)
    await bo.invite(new, bot.user_id)

    assert (await welcome(bot, new)).target == old

    async def is_declined() -> bool:
        return (await membership(bo, forged, bot)).get("membership") == "leave"

    await eventually(is_declined)
