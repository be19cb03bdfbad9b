"""The crypto store lost, damaged, of another device, or an older copy; on a real Synapse."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.backup import back_up
from bot.chat.base import ChatMisconfigured, Mode
from tests.matrix.bots import Bot, Bots, eventually
from tests.matrix.client import Visitor
from tests.matrix.encryption.setting import encrypted_room, login, published
from tests.matrix.names import fresh
from tests.matrix.peer import Peer

# --- refused, in words ----------------------------------------------------------------------------


async def test_a_lost_store_is_found_at_the_start(bot: Bot) -> None:
    before = await published(bot)
    await bot.adapter.stop()
    shutil.rmtree(bot.directory)

    for _ in range(2):  # not only the first time
        with pytest.raises(ChatMisconfigured, match="new device"):
            await bot.start()

    assert await published(bot) == before


def emptied(_: bytes) -> bytes:
    return b""


def cut_off(content: bytes) -> bytes:
    return content[:5000]


def foreign(_: bytes) -> bytes:
    return b"something else entirely" * 1000


@pytest.mark.parametrize("damage", [emptied, cut_off, foreign])
async def test_a_damaged_store_is_refused(bot: Bot, damage: Callable[[bytes], bytes]) -> None:
    await bot.adapter.stop()
    (database,) = bot.directory.glob("*.db")
    damaged = damage(database.read_bytes())
    database.write_bytes(damaged)

    with pytest.raises(ChatMisconfigured, match=r"the new device\s+id and token"):
        await bot.start()

    assert damage is emptied or database.read_bytes() == damaged


async def test_a_store_sealed_with_another_key_is_refused(bot: Bot) -> None:
    await bot.adapter.stop()
    bot.settings["pickle_key"] = "the key of another installation"

    with pytest.raises(ChatMisconfigured, match="pickle.key"):
        await bot.start()

    del bot.settings["pickle_key"]
    await bot.start()
    assert bot.adapter.mode is Mode.LIVE


async def test_the_store_of_another_account_is_not_touched(bots: Bots, bot: Bot) -> None:
    other = await bots.new(fresh("other"), started=False)
    other.directory = bot.directory

    await other.start()

    assert len(list(bot.directory.glob("*.db"))) == 2
    assert (await published(bot)).device and (await published(other)).device


# --- what heals by itself -------------------------------------------------------------------------


async def test_a_device_that_the_homeserver_forgot_makes_itself_known_again(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    room = await encrypted_room(bot, ada, hand)
    await bot.adapter.stop()
    async with Visitor(bot.url, bot.account) as self:
        await self.ask("POST", "/logout", {})
    bot.account = await login(bot.url, bot.account, bot.account.device_id, by=hand)
    assert not (await published(bot)).device

    await bot.start()
    await bot.says(room, "here again")

    assert (await published(bot)).is_device_signed
    await ada.turns_until(lambda: "here again" in ada.bodies())


async def talk(bot: Bot, ada: Peer, room: str, about: str) -> None:
    """A question and an answer under new keys, so that every session moves on."""
    ada.client.olm.outbound_group_sessions.pop(room, None)
    bot.adapter._client.invalidate_outbound_session(room)
    await ada.say(room, f"!bbb {about}")
    await bot.inbox.command(about)
    await bot.says(room, f"said {about}")
    await ada.turns_until(lambda: f"said {about}" in ada.bodies())


async def test_a_store_from_a_backup_goes_on_at_once(
    bot: Bot, ada: Peer, hand: Visitor, tmp_path: Path
) -> None:
    room = await encrypted_room(bot, ada, hand)
    await talk(bot, ada, room, "before")
    await bot.adapter.stop()
    back_up(bot.directory, tmp_path / "backup.tar.gz")
    await bot.start()
    for number in range(3):
        await talk(bot, ada, room, f"since {number}")
    await bot.adapter.stop()
    shutil.rmtree(bot.directory)
    shutil.unpack_archive(tmp_path / "backup.tar.gz", bot.directory, filter="data")

    await bot.start()

    await bot.says(room, "first word")
    await ada.turns_until(lambda: "first word" in ada.bodies())
    await talk(bot, ada, room, "afterwards")


async def test_a_copy_made_by_other_means_is_noticed_by_its_keys(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    room = await encrypted_room(bot, ada, hand)
    await talk(bot, ada, room, "before")
    await bot.adapter.stop()
    copy = bot.directory.with_name("copy")
    shutil.copytree(bot.directory, copy)
    await bot.start()
    await take_keys(bot, hand, 60)  # more than there were: it hands in new ones
    await talk(bot, ada, room, "since")
    await bot.adapter.stop()
    shutil.rmtree(bot.directory)
    shutil.copytree(copy, bot.directory)

    await take_keys(bot, hand, 1)
    await bot.start()
    await bot.says(room, "first word")

    await ada.turns_until(lambda: "first word" in ada.bodies())
    await talk(bot, ada, room, "afterwards")
    await take_keys(bot, hand, 60)
    await talk(bot, ada, room, "later")  # brings the bot an answer that counts its keys

    async def are_filled() -> bool:
        return await keys_left(bot) >= 50

    await eventually(are_filled)


async def take_keys(bot: Bot, hand: Visitor, number: int) -> None:
    """Use up one-time keys of the bot, as so many new devices would."""
    claim = {"one_time_keys": {bot.user_id: {bot.account.device_id: "signed_curve25519"}}}
    for _ in range(number):
        await hand.ask("POST", "/keys/claim", claim)


async def keys_left(bot: Bot) -> int:
    async with Visitor(bot.url, bot.account) as self:
        answer = await self.ask("POST", "/keys/upload", {})
    return int(answer["one_time_key_counts"].get("signed_curve25519", 0))
