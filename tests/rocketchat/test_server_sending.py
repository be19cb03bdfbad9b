"""The test server's sending: each trap of facts 7.4, and what is sent out again (group 5, 9).

Nonsense is sent on purpose, so the schemas do not watch here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.rocketchat import RocketChat, Room, User
from tests.rocketchat import raw
from tests.rocketchat.moving_clock import NOON_MS, MovingClock

Json = dict[str, Any]


@pytest.fixture
async def server(clock: MovingClock) -> AsyncIterator[RocketChat]:
    async with RocketChat(clock=clock, strict=False) as server:
        server.settings["API_Enable_Rate_Limiter"] = False
        yield server


@pytest.fixture
def direct(server: RocketChat, bot: User, ana: User) -> Room:
    return server.add_room(None, "d", None, (bot, ana))


@pytest.fixture
async def rest(server: RocketChat, bot: User) -> AsyncIterator[raw.Rest]:
    async with raw.rest(server, bot) as rest:
        yield rest


async def sent(rest: raw.Rest, **message: Any) -> Json:
    """The stored message."""
    status, answer = await rest.post("chat.sendMessage", message=message)
    assert status == 200, answer
    document: Json = answer["message"]
    return document


async def refused(rest: raw.Rest, path: str = "chat.sendMessage", **body: Any) -> tuple[str, Any]:
    """Text and errorType of a 400."""
    status, answer = await rest.post(path, **body)
    assert (status, answer["success"]) == (400, False), answer
    return answer.get("error"), answer.get("errorType")


# --- sending -----------------------------------------------------------------------------------


async def test_an_id_twice_is_stored_once_and_the_repeat_trips(
    server: RocketChat, rest: raw.Rest, room: Room
) -> None:
    message = {"rid": room.id, "msg": "once", "_id": "an-id-of-our-own-1"}
    await sent(rest, **message)
    why, kind = await refused(rest, message=message)
    assert why.startswith("Cannot read properties of undefined")
    assert kind is None
    assert [doc["msg"] for doc in server.messages(room)] == ["once"]
    _, found = await rest.get("chat.getMessage", msgId="an-id-of-our-own-1")
    assert found["message"]["msg"] == "once"


async def test_a_reply_goes_to_the_room_of_its_thread(
    server: RocketChat, rest: raw.Rest, room: Room, direct: Room, ana: User
) -> None:
    asked = server.say(ana, room, "!bbb join")
    answer = await sent(rest, rid=direct.id, msg="your private link", tmid=asked["_id"])
    assert (answer["rid"], answer["tmid"]) == (room.id, asked["_id"])
    assert server.messages(direct) == []


async def test_a_reply_to_a_reply_is_one_to_the_root(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User
) -> None:
    root = server.say(ana, room, "root")
    reply = server.say(ana, room, "reply", tmid=root["_id"])
    assert (await sent(rest, rid=room.id, msg="x", tmid=reply["_id"]))["tmid"] == root["_id"]


async def test_threads_may_be_off(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User
) -> None:
    root = server.say(ana, room, "root")
    server.settings["Threads_enabled"] = False
    message = {"rid": room.id, "msg": "x", "tmid": root["_id"]}
    assert await refused(rest, message=message) == (
        "not-allowed [error-not-allowed]",
        "error-not-allowed",
    )


async def test_tshow_wants_a_thread(rest: raw.Rest, room: Room) -> None:
    _, kind = await refused(rest, message={"rid": room.id, "msg": "x", "tshow": True})
    assert kind == "invalid-params"


@pytest.mark.parametrize(
    ("text", "fits"),
    [("x" * 5000, True), ("x" * 5001, False), ("🎉" * 2500, True), ("🎉" * 2501, False)],
    ids=["5000 letters", "5001 letters", "2500 emoji", "2501 emoji"],
)
async def test_length_is_counted_in_utf_16(
    rest: raw.Rest, room: Room, text: str, fits: bool
) -> None:
    status, answer = await rest.post("chat.sendMessage", message={"rid": room.id, "msg": text})
    assert status == (200 if fits else 400)
    assert fits or answer["errorType"] == "error-message-size-exceeded"


async def test_who_may_not_speak(
    server: RocketChat, rest: raw.Rest, room: Room, direct: Room, bot: User, ana: User
) -> None:
    async def why(rid: str | None) -> Any:
        return await refused(rest, message={"rid": rid, "msg": "x"} if rid else {"msg": "x"})

    elsewhere = server.add_room("secret", "p", ana, (ana,))
    assert await why(elsewhere.id) == ("error-not-allowed", None)
    assert await why("no-such-room") == ("error-invalid-room", None)
    assert await why(None) == ("The 'rid' property on the message object is missing.", None)
    room.readonly = True
    assert await why(room.id) == ("You can't send messages because the room is readonly.", None)
    server.set_role(bot, room, "moderator")
    await sent(rest, rid=room.id, msg="a moderator may")
    server.mute(bot, room)
    assert await why(room.id) == ("You_have_been_muted", None)
    server.block(bot, by=ana)
    assert await why(direct.id) == ("room_is_blocked", None)


async def test_an_encrypted_room_takes_no_plain_message(
    server: RocketChat, rest: raw.Rest, room: Room
) -> None:
    room.encrypted = True
    _, kind = await refused(rest, message={"rid": room.id, "msg": "x"})
    assert kind == "error-not-allowed"
    server.settings["E2E_Allow_Unencrypted_Messages"] = True
    await sent(rest, rid=room.id, msg="x")


async def test_a_room_that_was_deleted(server: RocketChat, rest: raw.Rest, room: Room) -> None:
    server.remove_room(room)
    why, _ = await refused(rest, message={"rid": room.id, "msg": "x"})
    assert why == "error-invalid-room"


async def test_system_messages_and_wrong_times_are_refused(rest: raw.Rest, room: Room) -> None:
    why, _ = await refused(rest, message={"rid": room.id, "msg": "x", "t": "uj"})
    assert why == "Cannot send system messages using 'chat.sendMessage'"
    late = {"rid": room.id, "msg": "x", "ts": "2026-11-21T11:58:59.000Z"}
    assert (await refused(rest, message=late))[1] == "error-message-ts-out-of-sync"


async def test_only_some_may_speak_under_another_name(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User
) -> None:
    assert (await sent(rest, rid=room.id, msg="x", alias="Cards"))["alias"] == "Cards"
    async with raw.rest(server, ana) as hers:
        await refused(hers, message={"rid": room.id, "msg": "x", "alias": "BBB"})


async def test_all_is_told_by_those_who_may_and_refused_to_a_mere_bot(
    server: RocketChat, rest: raw.Rest, room: Room, bot: User
) -> None:
    document = await sent(rest, rid=room.id, msg="`x @all` @ana, ana@bbb and @nobody")
    assert [mention["username"] for mention in document["mentions"]] == ["all", "ana"]
    bot.roles = {"bot"}
    _, kind = await refused(rest, message={"rid": room.id, "msg": "Hello @all"})
    assert kind == "error-action-not-allowed"


async def test_post_message_goes_by_name_id_or_person_and_joins(
    server: RocketChat, rest: raw.Rest, bot: User, ana: User
) -> None:
    hall = server.add_room("hall", "c", ana, (ana,))
    for channel in ("#hall", "hall", hall.id):
        _, answer = await rest.post("chat.postMessage", channel=channel, text="hi")
        assert answer["channel"] == hall.id
        assert answer["ts"] == NOON_MS
    assert bot.id in hall.members
    _, answer = await rest.post("chat.postMessage", channel="@ana", text="hi")
    assert server.room(answer["channel"]).kind == "d"
    assert (await refused(rest, "chat.postMessage", channel="#none", text="hi"))[1] == (
        "invalid-channel"
    )


# --- direct rooms ------------------------------------------------------------------------------


async def test_a_direct_room_is_made_once_whatever_the_case(
    server: RocketChat, rest: raw.Rest, ana: User
) -> None:
    _, first = await rest.post("dm.create", username="ana")
    _, second = await rest.post("im.create", username="ANA")
    assert first["room"]["rid"] == second["room"]["_id"]
    assert sorted(first["room"]["usernames"]) == ["ana", "bbb"]
    assert first["room"]["t"] == "d"


async def test_direct_rooms_that_are_not_of_two(
    server: RocketChat, rest: raw.Rest, ana: User
) -> None:
    server.add_user("ben")
    _, group = await rest.post("dm.create", usernames="ana,ben")
    assert len(group["room"]["usernames"]) == 3
    _, alone = await rest.post("dm.create", username="bbb")
    assert alone["room"]["usernames"] == ["bbb"]
    server.settings["Message_AllowDirectMessagesToYourself"] = False
    assert (await refused(rest, "dm.create", username="bbb"))[1] == "error-invalid-user"


async def test_an_unknown_name_with_an_at_makes_a_federated_person(
    server: RocketChat, rest: raw.Rest
) -> None:
    assert (await refused(rest, "dm.create", username="nobody"))[1] == "error-invalid-user"
    await rest.post("dm.create", username="eve@elsewhere.example")
    stranger = server.state.named("eve@elsewhere.example")
    assert stranger is not None and stranger.federated


async def test_the_direct_room_of_a_deactivated_person_is_read_only(
    server: RocketChat, rest: raw.Rest, direct: Room, ana: User
) -> None:
    server.deactivate(ana)
    why, _ = await refused(rest, message={"rid": direct.id, "msg": "x"})
    assert why == "You can't send messages because the room is readonly."
    async with raw.rest(server, ana) as hers:
        assert (await hers.get("me"))[0] == 401


# --- changing ----------------------------------------------------------------------------------


async def test_update_changes_the_text_and_nothing_when_it_is_the_same(
    server: RocketChat, rest: raw.Rest, room: Room, clock: MovingClock
) -> None:
    attachments = [{"title": "card"}]
    first = await sent(rest, rid=room.id, msg="open", attachments=attachments)
    clock.forward(seconds=5)
    ids = {"roomId": room.id, "msgId": first["_id"]}
    _, answer = await rest.post("chat.update", **ids, text="running")
    changed = answer["message"]
    assert (changed["msg"], changed["ts"], changed["attachments"]) == (
        "running",
        first["ts"],
        attachments,
    )
    assert changed["editedAt"] == changed["_updatedAt"] == "2026-11-21T12:00:05.000Z"
    clock.forward(seconds=5)
    _, answer = await rest.post("chat.update", **ids, text="running")
    assert answer["message"] == changed


async def test_what_update_refuses(
    server: RocketChat, rest: raw.Rest, room: Room, direct: Room, ana: User
) -> None:
    theirs = server.say(ana, room, "mine")["_id"]

    async def why(rid: str, message_id: str) -> Any:
        return await refused(rest, "chat.update", roomId=rid, msgId=message_id, text="x")

    assert await why(room.id, "none") == ('No message found with the id of "none".', None)
    assert (await why(direct.id, theirs))[0].startswith("The room id provided does not match")
    assert (await why(room.id, theirs))[1] == "error-action-not-allowed"


async def test_the_bot_role_lifts_the_time_limit_of_editing(
    server: RocketChat, rest: raw.Rest, room: Room, bot: User, clock: MovingClock
) -> None:
    card = await sent(rest, rid=room.id, msg="open")
    server.settings["Message_AllowEditing_BlockEditInMinutes"] = 5
    clock.forward(hours=1)
    ids = {"roomId": room.id, "msgId": card["_id"]}
    assert (await rest.post("chat.update", **ids, text="ended"))[0] == 200
    bot.roles = {"user"}
    _, kind = await refused(rest, "chat.update", **ids, text="gone")
    assert kind == "error-message-editing-blocked"


async def test_react_toggles_unless_it_is_told_not_to(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User
) -> None:
    message_id = server.say(ana, room, "hi")["_id"]

    async def reactions(**more: Any) -> Any:
        body = {"messageId": message_id, "emoji": ":eyes:", **more}
        assert await rest.post("chat.react", **body) == (200, {"success": True})
        return server.messages(room)[0].get("reactions")

    there = {":eyes:": {"usernames": ["bbb"]}}
    assert await reactions() == there
    assert await reactions() is None
    assert await reactions(shouldReact=True) == there
    assert await reactions(shouldReact=True) == there
    assert await reactions(shouldReact=False) is None
    assert await reactions(shouldReact=False) is None
    no_such = {"messageId": message_id, "emoji": ":no_such_emoji:"}
    assert (await refused(rest, "chat.react", **no_such))[1] == "error-not-allowed"
    nothing = {"messageId": "none", "emoji": ":eyes:"}
    assert (await refused(rest, "chat.react", **nothing))[1] == "error-message-not-found"


async def test_delete_takes_ones_own_and_the_bot_role_alone_may_not(
    server: RocketChat, rest: raw.Rest, room: Room, bot: User, ana: User
) -> None:
    own = (await sent(rest, rid=room.id, msg="x"))["_id"]
    theirs = server.say(ana, room, "x")["_id"]
    bot.roles = {"bot"}
    for message_id in (own, theirs):
        why = await refused(rest, "chat.delete", roomId=room.id, msgId=message_id)
        assert why[1] == "error-action-not-allowed"
    bot.roles = {"bot", "user"}
    _, answer = await rest.post("chat.delete", roomId=room.id, msgId=own)
    assert (answer["_id"], answer["message"]["rid"]) == (own, room.id)
    assert [doc["_id"] for doc in server.messages(room)] == [theirs]
    assert await rest.get("chat.getMessage", msgId=own) == (400, {"success": False})


# --- what goes out again -----------------------------------------------------------------------


async def test_a_changed_message_is_sent_out_whole_with_its_old_time(
    server: RocketChat, bot: User, ana: User, room: Room, clock: MovingClock
) -> None:
    server.set_role(ana, room, "owner")
    async with raw.listening(server, bot) as line:
        first = server.say(ana, room, "look at https://example.org/page")
        message_id = first["_id"]
        heard = [await line.message(first["msg"]), await line.message(first["msg"])]
        clock.forward(hours=1)
        server.react(ana, message_id, ":eyes:")
        server.say(ana, room, "a reply", tmid=message_id)
        server.pin(ana, message_id)
        for _ in range(3):
            heard.append(await line.message(first["msg"]))
        server.edit(ana, message_id, "changed")
        heard.append(await line.message("changed"))
        server.delete(ana, message_id, keep=True)
        heard.append(await line.frame(lambda f: _document(f).get("t") == "rm"))
    assert {doc["_id"] for doc in heard[:-1]} == {message_id}
    assert {doc["ts"]["$date"] for doc in heard[:-1]} == {NOON_MS}
    preview, reacted, thread, pinned = heard[1:5]
    assert [url["meta"] for url in heard[0]["urls"]] == [{}]
    assert preview["urls"][0]["meta"]["pageTitle"]
    assert reacted["reactions"] == {":eyes:": {"usernames": ["ana"]}}
    assert (thread["tcount"], thread["replies"]) == (1, [ana.id])
    assert pinned["pinned"] is True
    assert heard[5]["editedBy"] == {"_id": ana.id, "username": "ana"}


def _document(frame: Json) -> Json:
    args = frame.get("fields", {}).get("args", [{}])
    return args[0] if isinstance(args[0], dict) else {}


async def test_previews_are_fetched_only_of_what_is_named(
    server: RocketChat, rest: raw.Rest, room: Room
) -> None:
    message = {"rid": room.id, "msg": "https://a.example https://b.example"}

    async def fetched(**more: Any) -> list[str]:
        _, answer = await rest.post("chat.sendMessage", message=message, **more)
        _, found = await rest.get("chat.getMessage", msgId=answer["message"]["_id"])
        return [url["url"] for url in found["message"]["urls"] if url["meta"]]

    assert await fetched() == ["https://a.example", "https://b.example"]
    assert await fetched(previewUrls=["https://b.example"]) == ["https://b.example"]
    assert await fetched(previewUrls=[]) == []


async def test_a_hard_delete_is_told_to_the_room_stream_only(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    message_id = server.say(ana, room, "hi")["_id"]
    async with raw.listening(server, bot) as line:
        await line.subscribe("stream-notify-room", f"{room.id}/deleteMessage", False)
        server.delete(ana, message_id)
        frame = await line.frame(lambda frame: frame.get("msg") == "changed")
    assert frame["collection"] == "stream-notify-room"
    assert frame["fields"]["args"] == [{"_id": message_id}]
