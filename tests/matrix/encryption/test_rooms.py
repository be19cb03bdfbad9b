"""Encrypted rooms, against a real Synapse and a second nio client."""

from __future__ import annotations

import shutil

import pytest

from bot.chat.base import Mode
from bot.chat.matrix import client as client_module
from bot.chat.matrix.client import Client
from commands.errors import ChatUnavailable, NotThereYet
from storage.records import Kind
from tests.matrix.bots import Bot, channel, eventually, outgoing, person
from tests.matrix.client import Visitor
from tests.matrix.encryption.setting import encrypted_room
from tests.matrix.peer import Peer


@pytest.mark.parametrize("version", ["1", "9", "11", "12"])
async def test_question_and_answer_in_an_encrypted_room(
    bot: Bot, ada: Peer, hand: Visitor, version: str
) -> None:
    room = await encrypted_room(bot, ada, hand, version)

    question = await ada.say(room, "!bbb start")
    command = await bot.inbox.command("start")
    ref = await bot.adapter.send(outgoing(room, "here is the link", reply_to=command.origin))
    await bot.adapter.edit(ref, outgoing(room, "3 in the call"))
    await ada.turns_until(lambda: "* 3 in the call" in ada.bodies())

    assert command.origin == question
    assert "here is the link" in ada.bodies()
    kinds = {event["type"] for event in await hand.timeline(room) if "state_key" not in event}
    assert kinds == {"m.room.encrypted"}


async def test_the_same_message_twice_is_one_in_an_encrypted_room(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    room = await encrypted_room(bot, ada, hand)

    first = await bot.says(room, "once")
    await bot.restart()
    second = await bot.says(room, "once")
    await ada.turns_until(lambda: "once" in ada.bodies())

    assert first == second
    events = [e for e in await hand.timeline(room) if e["type"] == "m.room.encrypted"]
    assert len(events) == 1


async def test_what_was_encrypted_while_it_was_down_is_read_afterwards_gaps_included(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    room = await encrypted_room(bot, ada, hand)
    await bot.adapter.stop()
    for number in range(60):
        await ada.say(room, f"!bbb say {number}")

    await bot.start()

    await bot.inbox.until(lambda inbox: len(inbox.texts()) >= 60)
    assert bot.inbox.texts() == [f"say {number}" for number in range(60)]


async def test_an_encrypted_answer_that_could_not_be_kept_is_read_when_it_comes_again(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    room = await encrypted_room(bot, ada, hand)
    bot.inbox.failures += [RuntimeError("the disk is full")] * 2

    await ada.say(room, "!bbb help")

    await bot.inbox.command("help")


async def test_after_the_start_the_room_is_still_known_to_be_encrypted(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    room = await encrypted_room(bot, ada, hand)
    await bot.adapter.stop()
    shutil.rmtree(bot.directory)  # nio's own note of it is there no more
    async with Visitor(bot.url, bot.account) as self:
        await self.ask("POST", "/logout", {})
    login = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": bot.user_id},
        "password": bot.account.password,
    }
    fresh = await hand.ask("POST", "/login", login)
    bot.settings |= {"access_token": fresh["access_token"], "device_id": fresh["device_id"]}

    await bot.start()
    await bot.says(room, "on a new device")

    await ada.turns_until(lambda: "on a new device" in ada.bodies())


async def test_an_encrypted_direct_message_is_readable_from_the_first_word_on(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    with pytest.raises(NotThereYet):
        await bot.adapter.open_dm(person(hand.user_id))
    (room,) = (await hand.sync())["rooms"]["invite"]
    await hand.join(room)
    await bot.inbox.until(lambda inbox: person(hand.user_id) in inbox.arrived)

    assert await bot.adapter.open_dm(person(hand.user_id)) == room
    await bot.says(room, "your link")

    await ada.turns_until(lambda: "your link" in ada.bodies())
    assert (await hand.state(room, "m.room.encryption"))["algorithm"] == "m.megolm.v1.aes-sha2"


async def test_a_reaction_in_an_encrypted_room_is_understood(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    room = await encrypted_room(bot, ada, hand)
    card = await bot.says(room, "a card")

    await hand.react(room, card, "▶")

    assert (await bot.inbox.command("▶", Kind.REACTION)).target == card


async def say_without_key(
    ada: Peer, room: str, text: str
) -> tuple[str, list[tuple[str, str, str]]]:
    """Post a message without its key; the event's id, and the requests that carry the key."""
    held: list[tuple[str, str, str]] = []
    send = ada.client.send

    async def hold_back(method: str, path: str, data: str = "", *rest: object) -> object:
        if "/sendToDevice/" in path:
            held.append((method, path, data))
            path = path.replace("m.room.encrypted", "m.dummy")
            data = '{"messages":{}}'
        return await send(method, path, data, *rest)

    ada.client.send = hold_back
    event = await ada.say(room, text)
    ada.client.send = send
    assert held
    return event, held


async def test_a_key_that_comes_after_its_message_makes_it_readable(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    room = await encrypted_room(bot, ada, hand)
    _, held = await say_without_key(ada, room, "!bbb help")
    await hand.say(room, "!bbb in clear")
    await bot.inbox.command("in clear")
    assert "help" not in bot.inbox.texts()

    for method, path, data in held:
        headers = {"Authorization": f"Bearer {ada.account.access_token}"}
        await ada.client.send(method, path + "-again", data, headers)

    await bot.inbox.command("help")
    assert bot.inbox.not_read == []


async def test_a_message_without_key_is_told_when_it_was_waited_for_long_enough(
    bot: Bot, ada: Peer, hand: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await encrypted_room(bot, ada, hand)
    monkeypatch.setattr("bot.chat.matrix.late.PATIENCE_SECONDS", 0.0)

    event, _ = await say_without_key(ada, room, "!bbb help")

    await bot.inbox.until(lambda inbox: bool(inbox.not_read))
    assert bot.inbox.not_read == [(channel(room), event)]


# --- nio's traps ----------------------------------------------------------------------------------


async def drained(bot: Bot, hand: Visitor) -> None:
    """Somebody takes all one-time keys of the bot while it is away."""
    claim = {"one_time_keys": {bot.user_id: {bot.account.device_id: "signed_curve25519"}}}
    while (await hand.ask("POST", "/keys/claim", claim))["one_time_keys"]:
        pass


async def keys_left(bot: Bot) -> int:
    async with Visitor(bot.url, bot.account) as self:
        answer = await self.ask("POST", "/keys/upload", {})
    return int(answer["one_time_key_counts"].get("signed_curve25519", 0))


async def test_drained_one_time_keys_are_filled_again(bot: Bot, hand: Visitor) -> None:
    await bot.adapter.stop()
    await drained(bot, hand)
    assert await keys_left(bot) == 0

    await bot.start()

    async def are_filled() -> bool:
        return await keys_left(bot) >= 50

    await eventually(are_filled)


async def test_without_our_repair_nio_would_leave_them_drained(
    bot: Bot, hand: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Client, "_handle_olm_events")
    await bot.adapter.stop()
    await drained(bot, hand)

    await bot.start()

    assert await keys_left(bot) == 0


async def old_store_put_back(bot: Bot, hand: Visitor) -> None:
    """The bot has none of the one-time keys that the server hands out for it."""
    await bot.adapter.stop()
    kept = bot.directory.with_name("kept")
    shutil.copytree(bot.directory, kept)
    await drained(bot, hand)
    await bot.start()
    assert await keys_left(bot) >= 50
    await bot.adapter.stop()
    shutil.rmtree(bot.directory)
    shutil.copytree(kept, bot.directory)
    await bot.start()


async def test_a_message_under_an_unknown_key_stops_nothing_and_the_session_heals(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    await old_store_put_back(bot, hand)
    room = await encrypted_room(bot, ada, hand)
    await ada.say(room, "!bbb lost")  # under a one-time key that the bot does not have
    await hand.say(room, "!bbb help")  # in clear, to see that it lives

    await bot.inbox.command("help")
    assert bot.adapter.mode is Mode.LIVE
    assert "lost" not in bot.inbox.texts()

    async def is_read_again() -> bool:
        await ada.turn()
        ada.client.olm.outbound_group_sessions.pop(room, None)  # its next room key
        await ada.say(room, "!bbb status")
        return "status" in bot.inbox.texts()

    await eventually(is_read_again)


async def test_without_our_repair_nio_would_stop_there(
    bot: Bot, ada: Peer, hand: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await old_store_put_back(bot, hand)
    monkeypatch.delattr(Client, "_handle_decrypt_to_device")
    room = await encrypted_room(bot, ada, hand)
    positions = len(bot.inbox.positions)

    await ada.say(room, "!bbb lost")
    await hand.say(room, "!bbb help")

    with pytest.raises(AssertionError):
        await bot.inbox.until(lambda inbox: "help" in inbox.texts(), seconds=3)
    assert len(bot.inbox.positions) <= positions + 1


async def test_a_room_key_that_could_not_be_handed_out_is_handed_out_with_the_next_try(
    bot: Bot, ada: Peer, hand: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await encrypted_room(bot, ada, hand)
    ask = Client.ask

    async def no_key_today(self: Client, method: str, path: str, **more: object) -> object:
        if path.startswith("/sendToDevice/"):
            raise ChatUnavailable("no answer")
        return await ask(self, method, path, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(client_module.Client, "ask", no_key_today)
        with pytest.raises(ChatUnavailable):
            await bot.says(room, "readable")

    await bot.says(room, "readable")
    await ada.turns_until(lambda: "readable" in ada.bodies())


async def test_rights_and_names_are_the_same_in_an_encrypted_room(
    bot: Bot, ada: Peer, hand: Visitor
) -> None:
    room = await encrypted_room(bot, ada, hand)

    assert (await bot.adapter.rights_of(person(hand.user_id), channel(room))).admin
    assert await bot.adapter.topic_of(channel(room)) == "Team"
