"""The test server's sockets, version by version, where nothing was recorded (groups 1-6, 11, 12).

The streamer of 6.14 is in `test_server_recorded.py`; the other profiles are from source.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.fakes.rocketchat import PROFILES, Heartbeat, RocketChat, Room, User
from tests.fakes.rocketchat.records import Token
from tests.rocketchat import raw
from tests.rocketchat.moving_clock import NOON, MovingClock

STREAMERS = ("streamer-6.14", "8.x")
MONOLITHS = ("monolith-6", "9.0")
MESSAGES = "stream-room-messages"
MINE = "__my_messages__"

QUIET = Heartbeat(ping=600.0, close=600.0)


@pytest.fixture(params=PROFILES)
async def server(request: pytest.FixtureRequest, clock: MovingClock) -> AsyncIterator[RocketChat]:
    async with RocketChat(request.param, clock, heartbeat=QUIET) as server:
        yield server


streamers = pytest.mark.parametrize("server", STREAMERS, indirect=True)
monoliths = pytest.mark.parametrize("server", MONOLITHS, indirect=True)


async def end_of(line: raw.Line) -> tuple[int, str]:
    """Code and reason of the close; 1006 where none was said."""
    with pytest.raises(ConnectionClosed) as ending:
        while True:
            await line.next()
    said = ending.value.rcvd
    return (said.code, said.reason) if said else (1006, "")


async def everything(line: raw.Line) -> list[Any]:
    """The frames that came until now."""
    await line.send(msg="ping", id="all")
    frames = []
    while (frame := await line.next()) != {"msg": "pong", "id": "all"}:
        frames.append(frame)
    return frames


# --- greeting and silence ----------------------------------------------------------------------

GREETINGS = {
    "monolith-6": None,
    "streamer-6.14": {"server_id": "0"},
    "8.x": {"msg": "server_id", "server_id": "0"},
    "9.0": None,
}


async def test_the_greeting(server: RocketChat) -> None:
    async with raw.line(server) as line:
        await line.send(msg="connect", version="1", support=["1"])
        first = await line.next()
        if greeting := GREETINGS[server.profile.name]:
            assert first == greeting
            first = await line.next()
        assert first["msg"] == "connected"


@streamers
async def test_the_early_ping(server: RocketChat) -> None:
    async with RocketChat(server.profile.name) as early, raw.line(early) as line:
        assert [await line.next(), await line.next()][1] == {"msg": "ping"}


@pytest.mark.parametrize("profile", PROFILES)
async def test_silence_is_asked_and_then_ended(profile: str) -> None:
    beat = Heartbeat(ping=0.2, close=0.2)
    async with RocketChat(profile, heartbeat=beat) as server, raw.line(server) as line:
        began = time.monotonic()
        await line.connect()
        code, reason = await end_of(line)
        assert time.monotonic() - began >= 0.4
        assert {"msg": "ping"} in line.frames
        assert (code, reason) == ((4000, "TIMEOUT") if profile in STREAMERS else (1000, ""))


async def test_any_frame_is_a_sign_of_life() -> None:
    beat = Heartbeat(ping=0.1, close=20.0)
    async with RocketChat(heartbeat=beat) as server, raw.line(server) as line:
        await line.connect()
        for _ in range(4):
            await line.frame(lambda frame: frame == {"msg": "ping"})  # answers it
        assert len([frame for frame in line.frames if frame == {"msg": "ping"}]) == 4


# --- protocol ----------------------------------------------------------------------------------


@monoliths
async def test_the_monolith_says_what_it_did_not_like(server: RocketChat) -> None:
    async with raw.line(server) as line:
        early = {"msg": "pong"}
        await line.send(**early)
        must = {"msg": "error", "reason": "Must connect first", "offendingMessage": early}
        assert await line.next() == must
        await line.connect()
        await line.socket.send("{not json")
        assert await line.next() == {"msg": "error", "reason": "Parse error"}
        await line.send(msg="banana")
        assert (await line.next())["reason"] == "Bad request"
        await line.send(msg="connect", version="1", support=["1"])
        assert (await line.next())["reason"] == "Already connected"
        assert await everything(line) == []


@monoliths
async def test_the_monolith_refuses_another_version(server: RocketChat) -> None:
    async with raw.line(server) as line:
        await line.send(msg="connect", version="pre1", support=["pre1"])
        assert await line.next() == {"msg": "failed", "version": "1"}
        assert await end_of(line) == (1000, "")


@monoliths
async def test_the_monolith_drops_a_subscription_id_used_twice(
    server: RocketChat, bot: User
) -> None:
    async with raw.line(server) as line:
        await line.connect()
        await line.log_in(bot)
        for _ in range(2):
            await line.send(msg="sub", id="m1", name=MESSAGES, params=[MINE, False])
        ready = [frame for frame in await everything(line) if frame["msg"] == "ready"]
        assert ready == [{"msg": "ready", "subs": ["m1"]}]


@monoliths
async def test_the_monolith_grants_forty_subscriptions_in_forty_seconds(
    server: RocketChat, bot: User, room: Room, clock: MovingClock
) -> None:
    async with raw.line(server) as line:
        await line.connect()
        await line.log_in(bot)
        for _ in range(40):
            assert "error" not in await line.subscribe(MESSAGES, room.id, False)
        clock.forward(seconds=15)
        error = (await line.subscribe(MESSAGES, room.id, False))["error"]
        assert (error["error"], error["details"]) == ("too-many-requests", {"timeToReset": 25_000})
        clock.forward(seconds=25)
        assert "error" not in await line.subscribe(MESSAGES, room.id, False)


@streamers
async def test_the_streamer_does_not_count_subscriptions(
    server: RocketChat, bot: User, room: Room
) -> None:
    async with raw.line(server) as line:
        await line.connect()
        await line.log_in(bot)
        for _ in range(50):
            assert "error" not in await line.subscribe(MESSAGES, room.id, False)


# --- login -------------------------------------------------------------------------------------


async def after_login(line: raw.Line, **how: Any) -> list[Any]:
    """Everything a login brings."""
    await line.connect()
    await line.send(msg="method", method="login", id="1", params=[how])
    return await everything(line)


@monoliths
async def test_the_monolith_tells_of_the_account_and_says_updated_first(
    server: RocketChat, bot: User
) -> None:
    async with raw.line(server) as line:
        added, updated, result = await after_login(line, resume=bot.token)
    assert (added["msg"], added["collection"], added["id"]) == ("added", "users", bot.id)
    assert updated == {"msg": "updated", "methods": ["1"]}
    expected = {"id": bot.id, "token": bot.token, "type": "resume"}
    if server.profile.name == "9.0":
        expected["tokenExpires"] = None  # type: ignore[assignment]
    assert result == {"msg": "result", "id": "1", "result": expected}


async def test_a_token_that_expires_says_when(
    server: RocketChat, bot: User, clock: MovingClock
) -> None:
    bot.tokens["short"] = Token("short", expires=NOON + timedelta(hours=1))
    expected = {"$date": 1_795_266_000_000}
    async with raw.line(server) as line:
        answers = await after_login(line, resume="short")
        result = next(frame for frame in answers if frame["msg"] == "result")
        assert result["result"]["tokenExpires"] == expected
    clock.forward(hours=1)
    async with raw.line(server) as line:
        answers = await after_login(line, resume="short")
        result = next(frame for frame in answers if frame["msg"] == "result")
        assert (result["error"]["error"], result["error"]["reason"]) == (
            403,
            "Your session has expired. Please log in again.",
        )


async def test_a_password_is_taken_by_the_monolith_only(server: RocketChat, ana: User) -> None:
    async with raw.line(server) as line:
        who = {"user": {"username": "ana"}, "password": ana.password}
        answers = await after_login(line, **who)
        result = next(frame for frame in answers if frame["msg"] == "result")
    if server.profile.name in STREAMERS:
        assert result["error"]["error"] == 403
    else:
        assert result["result"]["type"] == "password"
        assert "$date" in result["result"]["tokenExpires"]


async def test_the_deprecated_methods_are_there_until_9(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    async with raw.line(server) as line:
        await line.connect()
        no = (await line.call("sendMessage", {"rid": room.id, "msg": "hi"})).get("error")
        assert no, "nobody is logged in"
        await line.log_in(ana)
        sent = await line.call("sendMessage", {"rid": room.id, "msg": "hi"})
        if server.profile.version >= (9, 0):
            assert sent["error"]["error"] == 404
            return
        assert sent["result"]["msg"] == "hi"
        made = await line.call("createDirectMessage", "bbb")
        mine = await line.call("subscriptions/get")
        assert {one["rid"] for one in mine["result"]} == {room.id, made["result"]["rid"]}
        rooms = await line.call("rooms/get", {"$date": 0})
        assert {one["t"] for one in rooms["result"]["update"]} == {"c", "d"}
        room.readonly, room.roles = True, {}
        refused = await line.call("sendMessage", {"rid": room.id, "msg": "hi"})
        assert refused["error"]["error"] == 500


# --- what is heard -----------------------------------------------------------------------------


async def heard(line: raw.Line) -> list[tuple[str, Any]]:
    """Text and access of all messages that came."""
    frames = [frame for frame in await everything(line) if frame.get("collection") == MESSAGES]
    return [(frame["fields"]["args"][0]["msg"], frame["fields"]["args"][1]) for frame in frames]


async def test_every_kind_of_room_and_message(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    ben = server.add_user("ben")
    group = server.add_room(None, "d", None, (bot, ana, ben))
    two = server.add_room(None, "d", None, (bot, ana))
    private = server.add_room("board", "p", ana, (bot, ana))
    hall = server.add_room("hall", "c", ana, (ana,))
    secret = server.add_room("secret", "p", ana, (ana,))
    inside = {"roomParticipant": True, "roomType": "c", "roomName": "team"}
    direct = {"roomParticipant": True, "roomType": "d"}
    async with raw.listening(server, bot) as line:
        server.say(ana, room, "joined")
        server.say(ana, private, "private")
        server.say(ana, two, "direct")
        server.say(ana, group, "group")
        server.say(ana, hall, "not joined")
        server.say(ana, secret, "never heard")
        server.say(bot, room, "my own")
        server.say(ana, room, "hidden", _hidden=True)
        server.say(ana, room, "by a hook", bot={"i": "hook"}, alias="Hook")
        server.join(ben, room)
        messages = await heard(line)
    assert messages == [
        ("joined", inside),
        ("private", {"roomParticipant": True, "roomType": "p", "roomName": "board"}),
        ("direct", direct),
        ("group", direct),
        ("not joined", {"roomParticipant": False, "roomType": "c", "roomName": "hall"}),
        ("my own", inside),
        ("by a hook", inside),
        ("ben", inside),
    ]


async def test_two_sockets_of_one_account_both_hear(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    async with raw.listening(server, bot) as one, raw.listening(server, bot) as other:
        server.say(ana, room, "hi")
        assert [text for text, _ in await heard(one)] == ["hi"]
        assert [text for text, _ in await heard(other)] == ["hi"]


async def changes(line: raw.Line, user: User, what: str = "subscriptions-changed") -> list[Any]:
    """The arguments of what came on one of the user's own events."""
    event_name = f"{user.id}/{what}"
    fields = [frame["fields"] for frame in await everything(line) if "fields" in frame]
    return [field["args"] for field in fields if field.get("eventName") == event_name]


async def test_membership_comes_and_goes(server: RocketChat, bot: User, ana: User) -> None:
    board = server.add_room("board", "p", ana, (ana,))
    async with raw.listening(server, bot) as line:
        await line.subscribe("stream-notify-user", f"{bot.id}/rooms-changed", False)
        server.join(bot, board, by=ana)
        server.set_role(bot, board, "moderator")
        server.leave(bot, board, by=ana)
        inserted, *updated, removed = await changes(line, bot)
    subscription = inserted[1]
    assert (inserted[0], subscription["rid"], subscription["t"]) == ("inserted", board.id, "p")
    assert {action for action, _ in updated} == {"updated"}
    assert updated[-1][1]["roles"] == ["moderator"]
    mine = {"_id": subscription["_id"], "u": bot.short, "rid": board.id, "t": "p"}
    assert removed == ["removed", mine]


@pytest.mark.parametrize("told", [True, False])
async def test_a_removal_ends_the_rooms_own_subscription_when_it_is_told(
    server: RocketChat, bot: User, ana: User, told: bool
) -> None:
    """An untold removal is noticed nowhere: who listens to the room by its id goes on."""
    board = server.add_room("board", "p", ana, (bot, ana))
    async with raw.listening(server, bot) as line:
        await line.subscribe(MESSAGES, board.id, False)
        server.leave(bot, board, event=told)
        server.say(ana, board, "among us")
        frames = await everything(line)
    fields = [frame["fields"] for frame in frames]
    events = [field["args"][0] for field in fields if "subscriptions" in field["eventName"]]
    assert events == (["removed"] if told else [])
    names = {field["eventName"] for field in fields if field["args"][0] not in events}
    assert names == (set() if told else {board.id})


async def test_a_deleted_room_is_told(server: RocketChat, bot: User, ana: User, room: Room) -> None:
    async with raw.listening(server, bot) as line:
        await line.subscribe("stream-notify-user", f"{bot.id}/rooms-changed", False)
        server.remove_room(room)
        frames = [frame["fields"]["args"] for frame in await everything(line)]
    assert [(action, document.get("rid")) for action, document in frames] == [
        ("removed", room.id),
        ("removed", None),
    ]
    assert frames[1][1] == {"_id": room.id}


async def test_a_message_counts_in_the_subscriptions_of_the_others(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    direct = server.add_room(None, "d", None, (bot, ana))
    async with raw.listening(server, bot) as line:
        server.say(ana, room, "one")
        server.say(ana, room, "two: the alert stands already")
        server.say(ana, room, "three: @bbb")
        server.say(ana, direct, "four")
        seen = [subscription for _, subscription in await changes(line, bot)]
    assert [(s["rid"], s["alert"], s["unread"], s["userMentions"]) for s in seen] == [
        (room.id, True, 0, 0),
        (room.id, True, 1, 1),
        (direct.id, True, 1, 0),
    ]


async def test_a_rename_is_told(server: RocketChat, bot: User, ana: User, room: Room) -> None:
    async with raw.listening(server, bot) as line:
        await line.subscribe("stream-notify-user", f"{bot.id}/rooms-changed", False)
        server.rename(room, "crew", by=ana)
        documents = [document for _, document in await changes(line, bot, "rooms-changed")]
    assert documents[0]["name"] == "crew"


async def test_who_is_named_is_notified(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    async with raw.listening(server, bot) as line:
        await line.subscribe("stream-notify-user", f"{bot.id}/notification", False)
        server.say(ana, room, "@bbb help")
        [[notified]] = await changes(line, bot, "notification")
    assert (notified["payload"]["rid"], notified["payload"]["name"]) == (room.id, "team")


# --- tokens that go ----------------------------------------------------------------------------


@streamers
async def test_a_streamer_goes_on_when_the_token_is_gone(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    async with raw.listening(server, bot) as line:
        server.revoke(bot)
        server.say(ana, room, "still heard")
        assert [text for text, _ in await heard(line)] == ["still heard"]
    async with raw.line(server) as line:
        answers = await after_login(line, resume=bot.token)
        result = next(frame for frame in answers if frame["msg"] == "result")
        assert result["error"]["error"] == 403
    async with raw.rest(server, bot) as rest:
        assert (await rest.get("me"))[0] == 401


@monoliths
async def test_a_monolith_closes_what_used_the_token(server: RocketChat, bot: User) -> None:
    spare = bot.token
    server.new_token(bot)
    async with raw.listening(server, bot) as line:
        bot.token = spare
        async with raw.listening(server, bot) as other:
            server.state.drop_tokens(bot, [spare])
            assert await end_of(other) == (1000, "")
        assert await everything(line) == []


async def test_a_forced_logout_is_said_and_ends_the_sockets(server: RocketChat, bot: User) -> None:
    async with raw.listening(server, bot) as line:
        await line.subscribe("stream-notify-user", f"{bot.id}/force_logout", False)
        server.force_logout(bot)
        code, _ = await end_of(line)
    last = line.frames[-1]["fields"]
    assert last == {"eventName": f"{bot.id}/force_logout", "args": []}
    assert code == (1006 if server.profile.name in STREAMERS else 1000)


async def test_a_deactivated_account_is_out(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    server.deactivate(bot)
    async with raw.line(server) as line:
        answers = await after_login(line, resume=bot.token)
        result = next(frame for frame in answers if frame["msg"] == "result")
        assert result["error"]["error"] == 403


# --- the link ----------------------------------------------------------------------------------


async def test_a_restart_keeps_what_is_stored_and_the_address(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    server.say(ana, room, "before")
    url = server.url
    async with raw.listening(server, bot) as line:
        await server.stop()
        assert (await end_of(line))[0] == 1006
        with pytest.raises(OSError, match="refused|[Cc]onnect"):
            async with asyncio.timeout(20), raw.line(server):
                pass
        await server.start()
        assert server.url == url
    async with raw.listening(server, bot) as line:
        server.say(ana, room, "after")
        assert [text for text, _ in await heard(line)] == ["after"]
    assert [doc["msg"] for doc in server.messages(room)] == ["before", "after"]


async def test_a_message_of_a_megabyte(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    async with raw.listening(server, bot) as line:
        text = "x" * 1_000_000
        server.say(ana, room, text)
        assert (await line.message(text))["msg"] == text


async def test_frames_are_compact_json(server: RocketChat, bot: User) -> None:
    async with raw.line(server) as line:
        await line.connect()
        await line.send(msg="ping")
        async with asyncio.timeout(20):
            text = await line.socket.recv()
    assert json.loads(text) == {"msg": "pong"}
    assert text == '{"msg":"pong"}'
