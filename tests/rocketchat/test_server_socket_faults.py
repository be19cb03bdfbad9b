"""Every bad day of the realtime link that the test server can have, seen by a bare client.

Groups 7 (links that end), 3 and 2 (what is not answered), 4 (not delivered) and 13 (nonsense).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.fakes.rocketchat import RocketChat, Room, User
from tests.fakes.rocketchat.faults import malformed
from tests.rocketchat import raw

MESSAGES = ("stream-room-messages", "__my_messages__", False)


@pytest.fixture(params=["streamer-6.14", "9.0"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[RocketChat]:
    async with RocketChat(profile=request.param) as server:
        yield server


async def closed(line: raw.Line) -> int:
    """The code of the close; 1006 where none was said."""
    with pytest.raises(ConnectionClosed) as ending:
        while True:
            await line.next()
    return ending.value.rcvd.code if ending.value.rcvd else 1006


# --- links that end ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [4000, 1001])
async def test_a_close_with_a_code(server: RocketChat, bot: User, code: int) -> None:
    async with raw.listening(server, bot) as one, raw.listening(server, bot) as other:
        assert server.faults.sockets.close(code) == 2
        assert (await closed(one), await closed(other)) == (code, code)
    await server.faults.sockets.are_open(0)


@pytest.mark.parametrize("rst", [True, False])
async def test_a_link_that_breaks(server: RocketChat, bot: User, rst: bool) -> None:
    async with raw.listening(server, bot) as line:
        assert server.faults.sockets.cut(rst=rst) == 1
        assert await closed(line) == 1006


async def test_a_half_open_link(server: RocketChat, bot: User, ana: User, room: Room) -> None:
    """No pong, no message, no close; a new socket is well."""
    async with raw.listening(server, bot) as dead:
        assert server.faults.sockets.half_open() == 1
        await dead.send(msg="ping")
        server.say(ana, room, "lost")
        async with raw.listening(server, bot) as line:
            server.say(ana, room, "heard")
            await line.message("heard")
            await line.send(msg="ping")
            await line.frame(lambda frame: frame.get("msg") == "pong")
        with pytest.raises(TimeoutError):
            await dead.next(seconds=0.2)
        await server.faults.sockets.are_open(1)
        assert server.faults.sockets.cut() == 1
        assert await closed(dead) == 1006


async def test_a_restart(server: RocketChat, bot: User, ana: User, room: Room) -> None:
    async with raw.listening(server, bot) as line, raw.rest(server, bot) as rest:
        with server.faults.down():
            assert await closed(line) == 1006
            with pytest.raises(InvalidStatus, match="502"):
                async with raw.line(server):
                    pass
            status, page = await rest.get("me")
            assert (status, page[:6]) == (502, "<html>")
            server.say(ana, room, "meanwhile")
        assert (await rest.get("me"))[0] == 200
        async with raw.listening(server, bot) as again:
            server.say(ana, room, "afterwards")
            await again.message("afterwards")
            assert "meanwhile" not in json.dumps(again.frames)


async def test_flapping(server: RocketChat, bot: User) -> None:
    flapping = server.faults.sockets.flap(3, times=2)
    for _ in range(2):
        async with raw.line(server) as line:
            with pytest.raises(ConnectionClosed):
                await line.connect()
                await line.log_in(bot)
                await line.subscribe(*MESSAGES)
                await line.subscribe(*MESSAGES)
    assert flapping.struck == 2
    async with raw.listening(server, bot):
        pass


@pytest.mark.parametrize("end", [1001, "reset", "cut"])
async def test_the_end_between_login_and_ready(server: RocketChat, bot: User, end: object) -> None:
    server.faults.sockets.end_at("sub", end)
    async with raw.line(server) as line:
        await line.connect()
        assert "error" not in await line.log_in(bot)
        await line.send(msg="sub", id="m1", name=MESSAGES[0], params=list(MESSAGES[1:]))
        assert await closed(line) == (end if isinstance(end, int) else 1006)
    async with raw.listening(server, bot):
        pass


# --- what is not answered, or wrongly ------------------------------------------------------------


async def test_a_login_without_an_answer(server: RocketChat, bot: User) -> None:
    server.faults.sockets.mute_login()
    async with raw.line(server) as line:
        await line.connect()
        with pytest.raises(TimeoutError):
            await line.call("login", {"resume": bot.token}, seconds=0.2)
        assert (await line.log_in(bot))["result"]["id"] == bot.id


async def test_ready_never_comes(server: RocketChat, bot: User, ana: User, room: Room) -> None:
    never = server.faults.sockets.ready("never", "__my_messages__")
    async with raw.line(server) as line:
        await line.connect()
        await line.log_in(bot)
        with pytest.raises(TimeoutError):
            await line.subscribe(*MESSAGES, seconds=0.2)
        other = await line.subscribe("stream-notify-user", f"{bot.id}/force_logout", False)
        assert other["msg"] == "ready"
        never.stop()
        assert (await line.subscribe(*MESSAGES))["msg"] == "ready"


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("not-allowed", "not-allowed"),
        ("not-found", 404),
        ("error", 500),
        ("too-many-requests", "too-many-requests"),
    ],
)
async def test_a_subscription_is_refused(
    server: RocketChat, bot: User, how: object, error: object
) -> None:
    server.faults.sockets.ready(how, "__my_messages__", times=1)
    async with raw.line(server) as line:
        await line.connect()
        await line.log_in(bot)
        said = await line.subscribe(*MESSAGES)
        assert (said["msg"], said["error"]["error"]) == ("nosub", error)
        if how == "too-many-requests":
            assert said["error"]["details"]["timeToReset"] == 1000
        assert (await line.subscribe(*MESSAGES))["msg"] == "ready"


async def test_one_ready_for_several_subscriptions(server: RocketChat, bot: User) -> None:
    server.faults.sockets.ready_together(2)
    async with raw.line(server) as line:
        await line.connect()
        await line.log_in(bot)
        for number in ("a", "b"):
            await line.send(msg="sub", id=number, name=MESSAGES[0], params=list(MESSAGES[1:]))
        ready = await line.frame(lambda frame: frame.get("msg") == "ready")
        assert ready["subs"] == ["a", "b"]
        assert (await line.subscribe(*MESSAGES))["msg"] == "ready"


# --- what does not arrive, or late ---------------------------------------------------------------


async def test_a_message_is_stored_and_never_delivered(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    server.faults.sockets.withhold()
    async with raw.listening(server, bot) as line, raw.listening(server, bot) as other:
        lost = server.say(ana, room, "lost")
        server.react(ana, lost["_id"], ":eyes:")
        server.say(ana, room, "heard")
        for one in (line, other):
            await one.message("heard")
            assert "lost" not in json.dumps(one.frames)
    assert "lost" in [message["msg"] for message in server.messages(room)]


async def test_a_frame_that_waits(server: RocketChat, bot: User, ana: User) -> None:
    """A message can come before the event of the membership: they are held apart."""
    async with raw.listening(server, bot) as line:
        held = server.faults.sockets.hold("subscriptions-changed")
        room = server.add_room("other", kind="p", owner=ana, members=(ana,))
        server.join(bot, room)
        with pytest.raises(TimeoutError):
            await line.frame(lambda frame: "inserted" in json.dumps(frame), seconds=0.2)
        held.release()
        await line.frame(lambda frame: "inserted" in json.dumps(frame))


# --- nonsense ------------------------------------------------------------------------------------


async def test_every_malformed_frame_arrives_as_it_is(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    """And passes the check of documents, which is for what the server means."""
    frames = malformed(room.id, ana.id)
    assert len(frames) > 40
    async with raw.listening(server, bot) as line:
        for name, frame in frames.items():
            assert server.faults.sockets.send(frame) == 1, name
            while (came := await line.socket.recv()) != frame:
                assert json.loads(came)["msg"] in ("ping", "changed", "added"), name
        server.say(ana, room, "heard")
        await line.message("heard")


def test_malformed_frames_say_each_something_else() -> None:
    frames = malformed("r", "u")
    assert len(set(frames.values())) == len(frames)
    assert max(len(frame) for frame in frames.values()) > 1024 * 1024
    assert {type(frame) for frame in frames.values()} == {str, bytes}


async def test_nothing_is_left_when_all_faults_are_stopped(server: RocketChat, bot: User) -> None:
    server.faults.sockets.refuse_connections()
    server.faults.sockets.mute_login(times=None)
    server.faults.sockets.ready("never")
    server.faults.rest.fail(times=None)
    server.faults.stop()
    async with raw.listening(server, bot), raw.rest(server, bot) as rest:
        assert (await rest.get("me"))[0] == 200
    async with aiohttp.ClientSession() as session:
        assert (await session.get(f"{server.url}/api/info")).status == 200
