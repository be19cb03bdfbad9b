"""What the bot says stands once where it belongs, whatever becomes of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.chat.rocketchat.sending import message_id
from commands.errors import ChatBusy, ChatRefused, ChatTrouble, ChatUnavailable, DirectRefused
from commands.messages import Document, Mention, Text
from commands.ports import Outgoing
from storage.records import Person
from tests.fakes.rocketchat.refusals import Failed
from tests.rocketchat.desk import Desk, desk_in, id_of, on_every_version, saying

UGLY = "Cannot read properties of undefined (reading 'starred')"


@pytest.fixture
def profile() -> str:
    return "streamer-6.14"


@pytest.fixture
async def desk(profile: str) -> AsyncIterator[Desk]:
    async with desk_in(profile) as found:
        yield found


def test_the_id_of_a_message_is_for_us_to_know() -> None:
    """Whoever knows the id of a command must not be able to take that of its answer."""
    ids = {message_id(key, text) for key in (b"one", b"two") for text in ("x", "y")}
    assert len(ids) == 4
    assert message_id(b"one", "x") in ids
    assert all(len(one) >= 17 and one.isascii() and "/" not in one for one in ids)


@on_every_version
async def test_the_same_message_again_posts_nothing_new(desk: Desk) -> None:
    outgoing = saying("hello *you*", desk.team)
    refs = [await desk.sender.send(outgoing) for _ in range(3)]
    assert refs == [id_of(outgoing)] * 3
    assert len(desk.texts(desk.team)) == 1


@on_every_version
@pytest.mark.parametrize("lost", ["502", "400", "cut", "drop", "empty", "page"])
async def test_an_answer_lost_after_storing_is_one_message(desk: Desk, lost: str) -> None:
    faults, path = desk.server.faults.rest, "chat.sendMessage"
    orders: dict[str, Any] = {
        "502": lambda: faults.fail(path, status=502, after_storing=True),
        "400": lambda: faults.fail(
            path, status=400, body={"success": False, "error": UGLY}, after_storing=True
        ),
        "cut": lambda: faults.cut(path, after_storing=True),
        "drop": lambda: faults.drop(path, after_storing=True),
        "empty": lambda: faults.fail(path, status=200, body="", after_storing=True),
        "page": lambda: faults.fail(path, status=200, body="<html>", after_storing=True),
    }
    orders[lost]()
    outgoing = saying("hello", desk.team)
    assert await desk.sender.send(outgoing) == id_of(outgoing)
    assert desk.texts(desk.team) == ["hello"]
    assert desk.asked(path) == 1


@pytest.mark.parametrize("stored", [True, False])
async def test_an_answer_that_does_not_come(stored: bool) -> None:
    async with desk_in("8.x", seconds=0.7) as desk:
        hanging = desk.server.faults.rest.hang("chat.sendMessage", after_storing=stored)
        outgoing = saying("hello", desk.team)
        if stored:
            assert await desk.sender.send(outgoing) == id_of(outgoing)
        else:
            with pytest.raises(ChatUnavailable):
                await desk.sender.send(outgoing)
        hanging.stop()
        await desk.sender.send(outgoing)
        assert desk.texts(desk.team) == ["hello"]


async def test_when_nothing_can_be_asked_the_outbox_tries_again(desk: Desk) -> None:
    desk.server.faults.rest.fail("chat.sendMessage", status=502, after_storing=True)
    desk.server.faults.rest.fail("chat.getMessage", status=503, times=3)
    outgoing = saying("hello", desk.team)
    with pytest.raises(ChatUnavailable):
        await desk.sender.send(outgoing)
    assert await desk.sender.send(outgoing) == id_of(outgoing)
    assert desk.texts(desk.team) == ["hello"]


async def test_a_refusal_after_an_earlier_try_was_stored(desk: Desk) -> None:
    """The room became read-only between the first try, whose answer was lost, and the second."""
    outgoing = saying("hello", desk.team)
    await desk.sender.send(outgoing)
    desk.team.readonly = True
    assert await desk.sender.send(outgoing) == id_of(outgoing)


async def test_a_message_of_our_id_by_somebody_else_is_not_ours(desk: Desk) -> None:
    outgoing = saying("hello", desk.team)
    desk.server.say(desk.ana, desk.team, "mine", _id=id_of(outgoing))
    with pytest.raises(ChatRefused, match="taken"):
        await desk.sender.send(outgoing)


async def test_our_message_in_another_room_does_not_count(desk: Desk) -> None:
    other = desk.server.add_room("other", owner=desk.ana, members=(desk.bot,))
    await desk.sender.send(saying("hello", other))
    with pytest.raises(ChatRefused, match="taken"):
        await desk.sender.send(saying("hello", desk.team))


@on_every_version
@pytest.mark.parametrize("why", ["readonly", "muted", "archived", "encrypted", "gone", "removed"])
async def test_where_nothing_can_be_said_it_is_refused_for_good(desk: Desk, why: str) -> None:
    secret = desk.server.add_room("secret", "p", owner=desk.ana, members=(desk.bot,))
    match why:
        case "readonly":
            secret.readonly = True
        case "muted":
            secret.muted.add(desk.bot.username)
        case "archived":
            secret.archived = True
        case "encrypted":
            secret.encrypted = True
            desk.server.settings["E2E_Enable"] = True
            desk.server.settings["E2E_Allow_Unencrypted_Messages"] = False
        case "gone":
            desk.server.remove_room(secret)
        case "removed":
            desk.server.leave(desk.bot, secret)
    with pytest.raises(ChatRefused):
        await desk.sender.send(saying("hello", secret))


@on_every_version
async def test_a_person_who_blocked_the_bot(desk: Desk) -> None:
    rid = await desk.direct.open(desk.ana.id)
    room = desk.server.room(rid)
    room.members[desk.bot.id].blocked = True
    with pytest.raises(DirectRefused):
        await desk.sender.send(saying("hello", room))


async def test_busy_says_for_how_long(desk: Desk) -> None:
    desk.server.faults.rest.limit("chat.sendMessage", seconds=30)
    with pytest.raises(ChatBusy) as caught:
        await desk.sender.send(saying("hello", desk.team))
    assert 20 < caught.value.retry_after.total_seconds() <= 31
    assert desk.asked("chat.getMessage") == 0


async def test_links_are_not_fetched_for_previews(desk: Desk) -> None:
    await desk.sender.send(saying("hello", desk.team))
    (sent,) = [one for one in desk.server.requests if one.path == "chat.sendMessage"]
    assert sent.params["previewUrls"] == []
    assert set(sent.params["message"]) == {"_id", "rid", "msg"}


async def test_a_text_is_cut_to_what_the_workspace_takes_today(desk: Desk) -> None:
    desk.server.settings["Message_MaxAllowedSize"] = 60  # since our last look
    lines = tuple((Text(f"line number {n}"),) for n in range(20))
    await desk.sender.send(Outgoing("letter", desk.team.id, Document(lines)))
    (said,) = desk.texts(desk.team)
    assert said.startswith("line number 0")
    assert len(said) <= 60


async def test_so_is_an_edit(desk: Desk) -> None:
    ref = await desk.sender.send(saying("short", desk.team))
    desk.server.settings["Message_MaxAllowedSize"] = 60
    lines = tuple((Text(f"line number {n}"),) for n in range(20))
    await desk.sender.edit(ref, Outgoing("letter", desk.team.id, Document(lines)))
    (said,) = desk.texts(desk.team)
    assert said.startswith("line number 0")


async def test_too_long_even_so_is_refused(desk: Desk) -> None:
    desk.server.faults.rest.refuse(
        "chat.sendMessage", Failed("x [error-message-size-exceeded]"), times=None
    )
    with pytest.raises(ChatRefused):
        await desk.sender.send(saying("hello", desk.team))
    assert desk.asked("chat.sendMessage") == 1


@on_every_version
async def test_who_is_pinged_is_called_by_the_username_of_today(desk: Desk) -> None:
    desk.ana.username = "ana.m"
    who = Person("rocketchat", desk.ana.id)
    document = Document(((Mention(who, "Ana"), Text(" come")),), pings=(who,))
    await desk.sender.send(Outgoing("letter", desk.team.id, document))
    (said,) = desk.server.messages(desk.team)[-1:]
    assert "@ana.m" in said["msg"]
    assert [one["_id"] for one in said["mentions"]] == [desk.ana.id]


async def test_who_cannot_be_looked_up_is_named_only(desk: Desk) -> None:
    desk.server.faults.rest.fail("users.info", status=503, times=None)
    who = Person("rocketchat", desk.ana.id)
    document = Document(((Mention(who, "Ana"), Text(" come")),), pings=(who,))
    await desk.sender.send(Outgoing("letter", desk.team.id, document))
    assert desk.texts(desk.team) == ["Ana come"]


# --- threads -------------------------------------------------------------------------------------


def tmid_of(desk: Desk, ref: str) -> str | None:
    message = desk.server.message(ref)
    assert message
    return message.get("tmid")


@on_every_version
async def test_an_answer_stands_in_the_thread_of_its_question(desk: Desk) -> None:
    question = desk.server.say(desk.ana, desk.team, "!bbb help")["_id"]
    inside = desk.server.say(desk.ana, desk.team, "!bbb who", tmid=question)["_id"]
    first = await desk.sender.send(
        saying("a", desk.team, id="1", reply_to=question, thread=question)
    )
    second = await desk.sender.send(
        saying("b", desk.team, id="2", reply_to=inside, thread=question)
    )
    assert [tmid_of(desk, first), tmid_of(desk, second)] == [question, question]


async def test_a_card_is_for_everybody_in_the_channel(desk: Desk) -> None:
    """It answers the one who opened the call, and yet stands in no thread."""
    question = desk.server.say(desk.ana, desk.team, "!bbb")["_id"]
    ref = await desk.sender.send(saying("a call", desk.team, reply_to=question))
    assert tmid_of(desk, ref) is None


@on_every_version
async def test_never_into_the_room_of_another_thread(desk: Desk) -> None:
    """The server would post there: a private link would stand in public."""
    question = desk.server.say(desk.ana, desk.team, "!bbb join")["_id"]
    rid = await desk.direct.open(desk.ana.id)
    await desk.look()
    private = desk.server.room(rid)
    for thread, reply_to in ((question, None), (question, question)):
        outgoing = saying(
            "link", private, id=f"{thread}{reply_to}", thread=thread, reply_to=reply_to
        )
        ref = await desk.sender.send(outgoing)
        assert (desk.server.message(ref) or {})["rid"] == rid
        assert tmid_of(desk, ref) is None
    assert desk.texts(desk.team) == []


async def test_a_root_that_is_noted_is_not_asked_for_and_a_wrong_note_helps_nobody(
    desk: Desk,
) -> None:
    question = desk.server.say(desk.ana, desk.team, "!bbb help")["_id"]
    desk.sender.note(question, desk.team.id)
    ref = await desk.sender.send(saying("a", desk.team, id="1", thread=question))
    assert tmid_of(desk, ref) == question
    assert desk.asked("chat.getMessage") == 0
    desk.now += 61
    await desk.sender.send(saying("b", desk.team, id="2", thread=question))
    assert desk.asked("chat.getMessage") == 1


@pytest.mark.parametrize("keep", [True, False])
async def test_the_thread_of_a_deleted_question_would_be_seen_by_nobody(
    keep: bool, desk: Desk
) -> None:
    question = desk.server.say(desk.ana, desk.team, "!bbb help")["_id"]
    desk.server.delete(desk.ana, question, keep=keep)
    ref = await desk.sender.send(saying("a", desk.team, thread=question))
    assert tmid_of(desk, ref) is None


@pytest.mark.parametrize("known", [True, False])
async def test_a_workspace_without_threads(known: bool, desk: Desk) -> None:
    desk.server.settings["Threads_enabled"] = False
    if known:  # else they were turned off since our last look
        await desk.look()
    question = desk.server.say(desk.ana, desk.team, "!bbb help")["_id"]
    ref = await desk.sender.send(saying("a", desk.team, reply_to=question, thread=question))
    assert tmid_of(desk, ref) is None


async def test_in_a_direct_message_only_where_the_question_was_in_one(desk: Desk) -> None:
    rid = await desk.direct.open(desk.ana.id)
    await desk.look()
    private = desk.server.room(rid)
    root = desk.server.say(desk.ana, private, "help")["_id"]
    inside = desk.server.say(desk.ana, private, "help", tmid=root)["_id"]
    plain = await desk.sender.send(saying("a", private, id="1", reply_to=root))
    threaded = await desk.sender.send(saying("b", private, id="2", reply_to=inside, thread=root))
    assert [tmid_of(desk, plain), tmid_of(desk, threaded)] == [None, root]


# --- edits and reactions -------------------------------------------------------------------------


@on_every_version
async def test_an_edit_and_the_same_again(desk: Desk) -> None:
    outgoing = saying("before", desk.team)
    ref = await desk.sender.send(outgoing)
    for _ in range(2):
        await desk.sender.edit(ref, saying("after", desk.team))
    assert desk.texts(desk.team) == ["after"]


@on_every_version
async def test_an_edit_whose_answer_is_lost_is_sent_again(desk: Desk) -> None:
    ref = await desk.sender.send(saying("before", desk.team))
    desk.server.faults.rest.fail("chat.update", status=502, after_storing=True)
    await desk.sender.edit(ref, saying("after", desk.team))
    assert desk.texts(desk.team) == ["after"]


@on_every_version
async def test_edits_that_never_will_be(desk: Desk) -> None:
    with pytest.raises(ChatRefused):
        await desk.sender.edit("nowhere", saying("x", desk.team))
    theirs = desk.server.say(desk.ana, desk.team, "mine")["_id"]
    with pytest.raises(ChatRefused):
        await desk.sender.edit(theirs, saying("x", desk.team))
    other = desk.server.add_room("other", owner=desk.ana, members=(desk.bot,))
    ours = await desk.sender.send(saying("x", desk.team))
    with pytest.raises(ChatRefused):
        await desk.sender.edit(ours, saying("y", other))


async def test_an_edit_after_the_time_for_edits(desk: Desk) -> None:
    ref = await desk.sender.send(saying("x", desk.team))
    desk.server.faults.rest.refuse(
        "chat.update", Failed("Too late [error-action-not-allowed]", "error-action-not-allowed")
    )
    with pytest.raises(ChatRefused):
        await desk.sender.edit(ref, saying("y", desk.team))


@on_every_version
async def test_buttons_are_offered_as_reactions(desk: Desk) -> None:
    outgoing = saying("card", desk.team, document={"buttons": ("▶", "⏹")})
    offered = asyncio.Event()

    def look(_: object) -> None:
        card = desk.server.message(id_of(outgoing)) or {}
        if len(card.get("reactions", {})) == 2:
            offered.set()

    desk.server.state.listeners.append(look)
    ref = await desk.sender.send(outgoing)
    await asyncio.wait_for(offered.wait(), 20)
    reactions = (desk.server.message(ref) or {})["reactions"]
    assert {name: one["usernames"] for name, one in reactions.items()} == {
        ":arrow_forward:": ["bbb"],
        ":stop_button:": ["bbb"],
    }


@on_every_version
async def test_a_reaction_again_stays(desk: Desk) -> None:
    ref = desk.server.say(desk.ana, desk.team, "x")["_id"]
    for _ in range(2):
        await desk.sender.react(desk.team.id, ref, "👀")
    reactions = (desk.server.message(ref) or {})["reactions"]
    assert reactions[":eyes:"]["usernames"] == ["bbb"]


@pytest.mark.parametrize("key", ["▶️", "🦆"])
async def test_a_reaction_never_fails_anybody(key: str, desk: Desk) -> None:
    await desk.sender.react(desk.team.id, "nowhere", key)
    desk.server.faults.rest.fail(status=503, times=None)
    await desk.sender.react(desk.team.id, "nowhere", key)


async def test_a_logged_out_bot_sends_nothing_and_loses_nothing(desk: Desk) -> None:
    desk.server.revoke(desk.bot)
    with pytest.raises(ChatUnavailable, match="logged-out"):
        await desk.sender.send(saying("hello", desk.team))
    with pytest.raises(ChatTrouble):
        await desk.sender.edit("x", saying("hello", desk.team))
