"""The Matrix adapter in plain rooms, against a real Synapse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.chat.base import ChatMisconfigured, Mode
from bot.chat.matrix import sending
from bot.demo.synapse import Synapse
from commands.errors import ChatRefused, ChatUnavailable, NotThereYet
from commands.messages import Address, Document, Style, Text
from commands.ports import Membership, Outgoing, Rights
from storage.records import Kind
from tests.conftest import Proof
from tests.matrix.bots import Bot, Bots, channel, eventually, in_words, outgoing, person
from tests.matrix.client import Observer, Visitor
from tests.matrix.conftest import People
from tests.matrix.names import fresh


@pytest.fixture
async def bots(synapse: Synapse, tmp_path: Path) -> AsyncIterator[Bots]:
    async with AsyncExitStack() as leaving:
        yield Bots(synapse, tmp_path, leaving)


@pytest.fixture
async def bot(bots: Bots) -> Bot:
    return await bots.new(fresh("bot"), encryption=False)


@pytest.fixture
async def ada(people: People) -> Observer:
    ada = await people.new_as(Observer, "ada")
    await ada.watch()
    return ada


async def room_with(bot: Bot, who: Visitor, *others: Visitor, **kind: object) -> str:
    """A named room of `who`, with the others and the bot in it."""
    room = await who.create_room(
        invite=[bot.user_id, *(other.user_id for other in others)],
        **{"name": "Team", **kind},  # type: ignore[arg-type]
    )
    for other in others:
        await other.join(room)
    await bot.inbox.until(
        lambda inbox: any(
            command.channel.id == room and command.kind is Kind.WELCOME
            for command in inbox.commands
        )
    )
    return room


# --- commands in ----------------------------------------------------------------------------------


async def test_an_invited_bot_joins_and_a_command_reaches_the_inbox(
    bot: Bot, ada: Observer
) -> None:
    room = await room_with(bot, ada)
    event = await ada.say(room, "!bbb start")

    command = await bot.inbox.command("start")

    welcome = bot.inbox.of(Kind.WELCOME)[0]
    assert welcome.person == person(ada.user_id)
    assert (command.id, command.origin) == (f"matrix:{event}", event)
    assert (command.channel, command.person) == (channel(room), person(ada.user_id))
    assert command.thread is None
    assert not command.direct


async def test_what_was_said_before_the_very_first_start_is_not_carried_out(
    bots: Bots, ada: Observer
) -> None:
    bot = await bots.new(fresh("bot"), encryption=False)
    room = await room_with(bot, ada)
    await bot.adapter.stop()
    await ada.say(room, "!bbb start")
    bot.inbox.kept.clear()

    await bot.start()
    await ada.say(room, "!bbb help")

    await bot.inbox.command("help")
    assert bot.inbox.texts() == ["help"]


async def test_thirty_commands_while_it_was_down_all_arrive_in_order(
    bot: Bot, ada: Observer
) -> None:
    room = await room_with(bot, ada)
    await bot.adapter.stop()
    for number in range(60):
        await ada.say(room, f"!bbb say {number}")

    await bot.start()

    await bot.inbox.until(lambda inbox: len(inbox.texts()) >= 60)
    assert bot.inbox.texts() == [f"say {number}" for number in range(60)]


@pytest.mark.promise("A burst of 500 commands in a few rooms: each arrives once.")
async def test_a_burst_of_five_hundred_commands_loses_none(
    bot: Bot, people: People, proof: Proof
) -> None:
    """A sync answer holds 50 events of a room, a textbook bot's 10: the rest is a gap."""
    crowd = [await people.new(f"crowd{number}") for number in range(5)]
    rooms = [await room_with(bot, crowd[0], *crowd[1:]) for _ in range(4)]

    async def shouts(who: Visitor, room: str) -> list[str]:
        return [await who.say(room, f"!bbb say {number}") for number in range(25)]

    said = await asyncio.gather(*(shouts(who, room) for who in crowd for room in rooms))

    asked = [f"matrix:{event}" for events in said for event in events]
    await bot.inbox.until(lambda inbox: len(inbox.texts()) >= len(asked), seconds=60)
    heard = bot.inbox.of(Kind.MESSAGE)
    assert sorted(command.id for command in heard) == sorted(asked)
    for room in rooms:
        for who in crowd:  # each in their order
            theirs = [c for c in heard if (c.channel.id, c.person.id) == (room, who.user_id)]
            assert [c.text for c in theirs] == [f"say {number}" for number in range(25)]
    proof.measured(commands=len(asked), lost=0, doubled=0)


async def test_an_answer_that_could_not_be_kept_is_taken_again(bot: Bot, ada: Observer) -> None:
    room = await room_with(bot, ada)
    bot.inbox.failures += [RuntimeError("the disk is full")] * 2

    await ada.say(room, "!bbb start")

    await bot.inbox.command("start")


async def test_edits_redactions_notices_and_its_own_words_are_no_commands(
    bot: Bot, ada: Observer
) -> None:
    room = await room_with(bot, ada)
    event = await ada.say(room, "hello")
    await ada.edit(room, event, "!bbb end")
    await ada.send(room, {"msgtype": "m.notice", "body": "!bbb end"})
    await ada.send(room, {"msgtype": "m.emote", "body": "!bbb end"})
    await bot.says(room, "!bbb end")

    await ada.say(room, "!bbb help")

    await bot.inbox.command("help")
    assert bot.inbox.texts() == ["help"]


async def test_a_reaction_on_the_bots_message_is_a_command_and_others_are_not(
    bot: Bot, ada: Observer
) -> None:
    room = await room_with(bot, ada)
    card = await bot.says(room, "a card")
    own = await ada.say(room, "look at this")

    await ada.react(room, own, "▶")
    await ada.react(room, card, "▶\ufe0f")

    reaction = await bot.inbox.command("▶", Kind.REACTION)
    assert reaction.target == card
    assert len(bot.inbox.of(Kind.REACTION)) == 1


async def test_a_kick_is_heard_once_and_posting_there_is_refused(bot: Bot, ada: Observer) -> None:
    room = await room_with(bot, ada)

    await ada.kick(room, bot.user_id)
    gone = await bot.inbox.command("", Kind.GONE)

    assert (gone.channel.id, gone.person.id) == (room, ada.user_id)
    with pytest.raises(ChatRefused):
        await bot.says(room, "anybody there?")
    assert await bot.adapter.topic_of(channel(room)) is None
    await bot.restart()
    await bot.restart()
    assert len(bot.inbox.of(Kind.GONE)) == 1


async def test_who_is_not_on_the_list_invites_in_vain(bots: Bots, people: People) -> None:
    ada, eve = await people.new("ada"), await people.new("eve")
    bot = await bots.new(fresh("bot"), encryption=False, allow_invites_from=[ada.user_id])

    declined = await eve.create_room(invite=[bot.user_id])
    await room_with(bot, ada)

    async def is_declined() -> bool:
        member = await eve.state(declined, "m.room.member", bot.user_id)
        return bool(member["membership"] == "leave")

    await eventually(is_declined)
    assert len(bot.inbox.of(Kind.WELCOME)) == 1


async def test_the_bot_leaves_when_everybody_else_has_left(bot: Bot, ada: Observer) -> None:
    room = await room_with(bot, ada)

    await ada.leave(room)

    gone = await bot.inbox.command("", Kind.GONE)
    assert gone.channel.id == room


async def test_what_was_said_before_the_invitation_is_not_for_the_bot(
    bot: Bot, ada: Observer
) -> None:
    room = await ada.create_room(name="Team")
    for _ in range(3):
        await ada.say(room, "!bbb end")
    await ada.invite(room, bot.user_id)
    await bot.inbox.command("", Kind.WELCOME)

    await ada.say(room, "!bbb help")

    await bot.inbox.command("help")
    assert bot.inbox.texts() == ["help"]


# --- messages out ---------------------------------------------------------------------------------


async def test_a_message_arrives_with_text_html_and_mentions(bot: Bot, ada: Observer) -> None:
    room = await room_with(bot, ada)
    question = await ada.say(room, "!bbb start")
    address = Address("https://calls.example.org/j/x", "Join the call")
    document = Document(((Text("<Team>"),), (address,)), style=Style.TEXT)

    ref = await bot.adapter.send(Outgoing("a", room, document, reply_to=question))

    seen = await ada.sees(lambda seen: seen.event["event_id"] == ref)
    assert seen.content["msgtype"] == "m.text"
    assert seen.body == "<Team>\nJoin the call: https://calls.example.org/j/x"
    assert seen.content["m.mentions"] == {}
    assert seen.answers == question
    assert (
        seen.content["formatted_body"]
        == '&lt;Team&gt;<br><a href="https://calls.example.org/j/x">Join the call</a>'
    )


async def test_the_same_message_twice_is_one_in_the_room(bot: Bot, ada: Observer) -> None:
    room = await room_with(bot, ada)

    first = await bot.says(room, "once", id="one")
    await bot.restart()
    second = await bot.says(room, "once", id="one")

    bodies = [event["content"].get("body") for event in await ada.timeline(room)]
    assert first == second
    assert bodies.count("once") == 1


async def test_an_edit_shows_the_new_text_and_pings_nobody(bot: Bot, ada: Observer) -> None:
    room = await room_with(bot, ada)
    ref = await bot.says(room, "nobody inside")

    await bot.adapter.edit(ref, outgoing(room, "3 in the call"))

    edit = await ada.sees(lambda seen: "m.new_content" in seen.content)
    assert edit.content["m.new_content"]["body"] == "3 in the call"
    assert edit.content["m.mentions"] == edit.content["m.new_content"]["m.mentions"] == {}
    assert edit.content["m.relates_to"]["event_id"] == ref


async def test_buttons_are_offered_as_reactions_of_the_bot(bot: Bot, ada: Observer) -> None:
    room = await room_with(bot, ada)

    ref = await bot.adapter.send(Outgoing("b", room, in_words("a card", buttons=("▶", "🔔"))))

    for key in ("▶", "🔔"):
        relation = {"rel_type": "m.annotation", "event_id": ref, "key": key}
        await ada.sees(lambda seen, it=relation: seen.content.get("m.relates_to") == it)  # type: ignore[misc]
    assert bot.inbox.of(Kind.REACTION) == []


async def test_an_answer_to_a_thread_stays_in_it(bot: Bot, ada: Observer) -> None:
    room = await room_with(bot, ada)
    root = await ada.say(room, "planning")
    related = {"rel_type": "m.thread", "event_id": root}
    question = await ada.say(room, "!bbb status", **{"m.relates_to": related})

    command = await bot.inbox.command("status")
    ref = await bot.says(room, "idle", reply_to=command.origin, thread=command.thread)

    seen = await ada.sees(lambda seen: seen.event["event_id"] == ref)
    assert seen.content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": question},
    }


@pytest.mark.parametrize("encryption", [True, False], ids=["with keys", "with encryption off"])
async def test_nothing_readable_goes_into_an_encrypted_room_of_which_it_knows_nothing(
    bots: Bots, ada: Observer, monkeypatch: pytest.MonkeyPatch, encryption: bool
) -> None:
    monkeypatch.setattr(sending, "_ROOM_SECONDS", 0.2)
    bot = await bots.new(fresh("bot"), encryption=encryption)
    room = await room_with(bot, ada, encrypted=True)
    if encryption:
        del bot.adapter._client.rooms[room]  # as in the moment after joining

    with pytest.raises(ChatUnavailable if encryption else ChatRefused):
        await bot.says(room, "secret")

    kinds = {event["type"] for event in await ada.timeline(room)}
    assert "m.room.message" not in kinds


async def test_a_message_right_after_joining_waits_for_the_room(bots: Bots, people: People) -> None:
    ada = await people.new("ada")
    bot = await bots.new(fresh("bot"))
    rooms = [await ada.create_room(encrypted=True, preset="public_chat") for _ in range(5)]

    async def joins_and_says(room: str) -> str:
        async with Visitor(bot.url, bot.account) as self:
            await self.join(room)
        return await bot.says(room, "here I am")

    refs = await asyncio.gather(*(joins_and_says(room) for room in rooms))

    for room, ref in zip(rooms, refs, strict=True):
        [event] = [e for e in await ada.timeline(room) if e["event_id"] == ref]
        assert event["type"] == "m.room.encrypted"


async def test_too_large_a_message_is_refused_for_good(bot: Bot, ada: Observer) -> None:
    room = await room_with(bot, ada)

    with pytest.raises(ChatRefused, match="413 M_TOO_LARGE"):
        await bot.says(room, "x" * 70_000)


# --- rights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1", "9", "11", "12"])
async def test_rights_are_those_of_the_room(bot: Bot, people: People, version: str) -> None:
    ada, bo, eve = [await people.new(name) for name in ("ada", "bo", "eve")]
    room = await room_with(bot, ada, bo, version=version)

    async def rights(who: Visitor) -> Rights:
        return await bot.adapter.rights_of(person(who.user_id), channel(room))

    assert await rights(ada) == Rights(Membership.JOINED, admin=True)
    assert await rights(bo) == Rights(Membership.JOINED, admin=False)
    assert await rights(eve) == Rights(Membership.LEFT)
    await ada.ban(room, bo.user_id)
    assert await rights(bo) == Rights(Membership.BANNED)


@pytest.mark.parametrize("version", ["9", "12"])
async def test_a_demotion_holds_at_once(bot: Bot, people: People, version: str) -> None:
    ada, bo = [await people.new(name) for name in ("ada", "bo")]
    room = await room_with(bot, ada, bo, version=version)
    levels = await ada.state(room, "m.room.power_levels")
    promoted = {**levels, "users": {**levels["users"], bo.user_id: 50}}

    await ada.set_state(room, "m.room.power_levels", promoted)
    assert (await bot.adapter.rights_of(person(bo.user_id), channel(room))).admin
    await ada.set_state(room, "m.room.power_levels", levels)

    assert not (await bot.adapter.rights_of(person(bo.user_id), channel(room))).admin


async def test_rights_in_a_room_closed_to_the_bot_are_unknown(bot: Bot, people: People) -> None:
    ada = await people.new("ada")
    room = await ada.create_room()

    with pytest.raises(ChatUnavailable):
        await bot.adapter.rights_of(person(ada.user_id), channel(room))


# --- direct messages ------------------------------------------------------------------------------


async def test_a_direct_message_is_made_once_and_open_when_the_person_joined(
    bot: Bot, ada: Observer
) -> None:
    for _ in range(2):
        with pytest.raises(NotThereYet):
            await bot.adapter.open_dm(person(ada.user_id))
    await bot.restart()
    with pytest.raises(NotThereYet):
        await bot.adapter.open_dm(person(ada.user_id))
    (room,) = (await ada.sync())["rooms"]["invite"]

    await ada.join(room)
    await bot.inbox.until(lambda inbox: person(ada.user_id) in inbox.arrived)

    assert await bot.adapter.open_dm(person(ada.user_id)) == room
    assert await bot.adapter.is_dm(room)
    await ada.say(room, "my")
    assert (await bot.inbox.command("my")).direct


async def test_a_direct_message_with_a_third_person_is_none_any_more(
    bot: Bot, ada: Observer, people: People
) -> None:
    with pytest.raises(NotThereYet):
        await bot.adapter.open_dm(person(ada.user_id))
    (room,) = (await ada.sync())["rooms"]["invite"]
    await ada.join(room)
    await bot.inbox.until(lambda inbox: bool(inbox.arrived))

    eve = await people.new("eve")
    await ada.invite(room, eve.user_id)

    assert not await bot.adapter.is_dm(room)
    with pytest.raises(NotThereYet):  # a new one
        await bot.adapter.open_dm(person(ada.user_id))


async def test_a_room_where_someone_writes_join_to_the_bot_alone_is_their_direct_message(
    bot: Bot, ada: Observer
) -> None:
    room = await room_with(bot, ada)
    assert not await bot.adapter.is_dm(room)

    await ada.say(room, "!bbb join")
    await bot.inbox.command("join")

    assert await bot.adapter.open_dm(person(ada.user_id)) == room
    assert await bot.adapter.is_dm(room)


async def test_a_direct_room_of_the_person_is_used_as_it_is(bot: Bot, ada: Observer) -> None:
    room = await ada.create_room(invite=[bot.user_id], direct=True, preset="trusted_private_chat")
    await bot.inbox.command("", Kind.WELCOME)

    await ada.say(room, "join")

    assert (await bot.inbox.command("join")).direct
    assert await bot.adapter.open_dm(person(ada.user_id)) == room


# --- names ----------------------------------------------------------------------------------------


async def test_names_and_words_are_understood(bot: Bot, people: People) -> None:
    ada, bo = [await people.new(name) for name in ("ada", "bo")]
    room = await room_with(bot, ada, bo)
    name = {"displayname": "Bo Berg"}
    await bo.ask("PUT", f"/profile/{bo.user_id}/displayname", name)
    here = channel(room)

    async def is_found_by_name() -> bool:
        return await bot.adapter.find_person("@bo berg", here) == person(bo.user_id)

    await eventually(is_found_by_name)  # Synapse tells the rooms of a new name a little later
    local = bo.user_id.split(":")[0]

    assert await bot.adapter.display_name(person(bo.user_id)) == "Bo Berg"
    assert await bot.adapter.display_name(person("@nobody:localhost")) is None
    assert await bot.adapter.find_person(local, here) == person(bo.user_id)
    assert await bot.adapter.find_person("@x:example.org", here) == person("@x:example.org")
    assert await bot.adapter.find_person("@nobody", here) is None
    assert await bot.adapter.topic_of(here) == "Team"
    assert await bot.adapter.language_of(here) is None
    assert await bot.adapter.shared_channels(person(ada.user_id), person(bo.user_id))
    assert not await bot.adapter.shared_channels(person(ada.user_id), person("@x:localhost"))
    assert bot.adapter.web_address(here) == f"https://matrix.to/#/{room}?via=localhost"


# --- configuration --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"device_id": "ANOTHER"}, "device_id"),
        ({"user_id": "@other:localhost"}, "user_id"),
        ({"access_token": "syt_wrong"}, "M_UNKNOWN_TOKEN"),
    ],
    ids=["the wrong device", "the wrong user", "a dead token"],
)
async def test_a_wrong_account_ends_the_start_in_words(
    bots: Bots, caplog: pytest.LogCaptureFixture, setting: dict[str, str], words: str
) -> None:
    bot = await bots.new(fresh("bot"), started=False, encryption=False, **setting)

    with caplog.at_level(logging.DEBUG), pytest.raises(ChatMisconfigured, match=words):
        await bot.start()

    assert bot.adapter.mode is Mode.DOWN
    assert words in (bot.adapter.trouble or "")
    assert bot.account.access_token not in caplog.text


async def test_a_token_revoked_while_running_is_said_and_ends_the_loop(
    bot: Bot, ada: Observer
) -> None:
    assert bot.adapter.mode is Mode.LIVE
    async with Visitor(bot.url, bot.account) as thief:
        await thief.ask("POST", "/logout", {})

    async def is_said() -> bool:
        return "M_UNKNOWN_TOKEN" in (bot.adapter.trouble or "")

    await eventually(is_said)
    assert bot.adapter.mode is Mode.DOWN
