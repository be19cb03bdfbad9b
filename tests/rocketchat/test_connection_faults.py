"""The realtime link with the test server: what is heard of each version, and every bad day."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trustme

from bot.chat.rocketchat.ddp.events import (
    MY_MESSAGES,
    Live,
    Lost,
    Refused,
    Subscription,
    SubscriptionChanged,
    logouts_of,
    memberships_of,
    messages_of,
)
from bot.chat.rocketchat.ddp.protocol import Timings
from tests.fakes.rocketchat import RocketChat, Room, User
from tests.fakes.rocketchat.faults import malformed
from tests.fakes.rocketchat.profiles import Heartbeat
from tests.rocketchat.listener import FEARFUL, HASTY, QUICK, Listener

VERSIONS = ["monolith-6", "streamer-6.14", "8.x", "9.0"]
FORMS = ["streamer-6.14", "9.0"]
"""One server of each form: with a realtime service of its own, and all in one process."""

each_form = pytest.mark.parametrize("server", FORMS, indirect=True)


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[RocketChat]:
    async with RocketChat(profile=getattr(request, "param", "streamer-6.14")) as server:
        yield server


@asynccontextmanager
async def listening(
    server: RocketChat,
    bot: User,
    *subscriptions: Subscription,
    timings: Timings = QUICK,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Listener]:
    url, wanted = server.url, subscriptions or None
    listener = Listener(url, bot.id, bot.token, timings=timings, tls=tls, subscriptions=wanted)
    try:
        yield listener
    finally:
        await listener.hang_up()


def subscribed(server: RocketChat) -> list[Subscription]:
    """What the server has subscriptions to."""
    return [
        Subscription(one.stream, one.event_name)
        for session in server.sessions
        for one in session.subscriptions.values()
    ]


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


# What is heard


@pytest.mark.parametrize("server", VERSIONS, indirect=True)
async def test_messages_of_all_rooms_are_heard(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    private = server.add_room("few", kind="p", owner=ana, members=(bot, ana))
    direct = server.add_room(kind="d", members=(bot, ana))
    elsewhere = server.add_room("elsewhere", kind="c", owner=ana, members=(ana,))
    secret = server.add_room("secret", kind="p", owner=ana, members=(ana,))
    async with listening(server, bot) as listener:
        assert await listener.live() == Live(())
        for where in (room, private, direct, elsewhere, secret):
            server.say(ana, where, f"in {where.id}")
        server.say(bot, room, "my own")
        await listener.texts(last="my own")
    heard = [(seen.document["rid"], seen.access) for seen in listener.messages()]
    assert heard == [
        (room.id, {"roomParticipant": True, "roomType": "c", "roomName": "team"}),
        (private.id, {"roomParticipant": True, "roomType": "p", "roomName": "few"}),
        (direct.id, {"roomParticipant": True, "roomType": "d"}),
        (elsewhere.id, {"roomParticipant": False, "roomType": "c", "roomName": "elsewhere"}),
        (room.id, {"roomParticipant": True, "roomType": "c", "roomName": "team"}),
    ]


@each_form
async def test_a_message_comes_again_with_every_change(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    async with listening(server, bot) as listener:
        await listener.live()
        written = server.say(ana, room, "!bbb create")["_id"]
        server.react(ana, written, ":eyes:")
        server.edit(ana, written, "!bbb create daily")
        server.delete(ana, written, keep=True)
        server.say(ana, room, "the end")
        await listener.texts(last="the end")
    again = [seen.document for seen in listener.messages() if seen.document["_id"] == written]
    assert [document.get("t") for document in again] == [None, None, None, "rm"]
    assert len({document["ts"]["$date"] for document in again}) == 1


@each_form
async def test_memberships_are_heard(server: RocketChat, bot: User, ana: User, room: Room) -> None:
    async with listening(server, bot) as listener:
        await listener.live()
        other = server.add_room("other", kind="p", owner=ana, members=(ana,))
        server.join(bot, other, by=ana)
        server.leave(bot, other, by=ana)
        server.leave(bot, room, by=ana, event=False)
        server.join(bot, room)
        await listener.until(lambda it: ("inserted", room.id) in memberships(it))
    assert [m for m in memberships(listener) if m[0] != "updated"] == [
        ("inserted", other.id),
        ("removed", other.id),
        ("inserted", room.id),
    ]


def memberships(listener: Listener) -> list[tuple[str, object]]:
    return [
        (event.action, event.subscription.get("rid"))
        for event in listener.events
        if isinstance(event, SubscriptionChanged)
    ]


async def test_overlapping_subscriptions_and_two_sockets_hear_each_message_each_time(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    both = (MY_MESSAGES, messages_of(room.id))
    async with listening(server, bot, *both) as one, listening(server, bot) as other:
        await one.live()
        await other.live()
        server.say(ana, room, "once")
        server.say(ana, room, "the end")
        await one.until(lambda it: len(it.messages()) == 4)
        assert await other.texts("the end") == ["once", "the end"]
    assert [seen.event_name for seen in one.messages()] == [room.id, "__my_messages__"] * 2


@each_form
async def test_a_room_is_listened_to_later_and_no_more(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    async with listening(server, bot, memberships_of(bot.id)) as listener:
        await listener.live()
        secret = server.add_room("secret", kind="p", owner=ana, members=(ana,))
        listener.session.subscribe([messages_of(room.id), messages_of(secret.id)])
        await listener.until(lambda it: Refused(messages_of(secret.id), "not-allowed") in it.events)
        server.say(ana, room, "heard")
        await listener.texts("heard")
        listener.session.unsubscribe(messages_of(room.id))
        await until(lambda: {*subscribed(server)} == {memberships_of(bot.id)})
        server.say(ana, room, "not heard")
        server.join(bot, secret, by=ana)
        await listener.until(lambda it: ("inserted", secret.id) in memberships(it))
    assert [seen.document["msg"] for seen in listener.messages()] == ["heard"]


# Logging in


@each_form
@pytest.mark.parametrize("how", ["revoked", "deactivated", "unknown"])
async def test_a_token_that_is_no_good_is_terminal(server: RocketChat, bot: User, how: str) -> None:
    if how == "revoked":
        server.revoke(bot)
    elif how == "deactivated":
        server.deactivate(bot)
    else:
        bot.token = "a-token-nobody-gave"
    async with listening(server, bot) as listener:
        end = await listener.end()
    assert end.terminal and "403" in end.reason


async def test_a_user_id_of_somebody_else_is_terminal(
    server: RocketChat, bot: User, ana: User
) -> None:
    listener = Listener(server.url, ana.id, bot.token)
    assert await listener.end() == Lost("the access token belongs to another account", True)


@each_form
async def test_a_token_revoked_while_connected(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    """A streamer notices nothing; the other form closes."""
    async with listening(server, bot) as listener:
        await listener.live()
        server.revoke(bot)
        server.say(ana, room, "still there?")
        if server.profile.streamer:
            await listener.texts("still there?")
        else:
            assert "(1000 )" in (await listener.end()).reason


@each_form
async def test_a_forced_logout_ends_it_and_the_next_login_is_refused_for_good(
    server: RocketChat, bot: User
) -> None:
    async with listening(server, bot) as listener:
        await listener.live()
        server.force_logout(bot)
        lost = await listener.end()
    assert (lost.reason, lost.terminal) == ("the server ended the sessions of this account", False)
    async with listening(server, bot) as listener:
        assert (await listener.end()).terminal


async def test_a_login_without_an_answer(server: RocketChat, bot: User) -> None:
    server.faults.sockets.mute_login()
    async with listening(server, bot, timings=HASTY) as listener:
        assert "no answer to the login" in (await listener.end()).reason


# Subscribing


@each_form
@pytest.mark.parametrize("how", ["not-allowed", "not-found", "error"])
async def test_a_refused_subscription_is_told_with_live(
    server: RocketChat, bot: User, ana: User, room: Room, how: str
) -> None:
    server.faults.sockets.ready(how, "__my_messages__")  # type: ignore[arg-type]
    async with listening(server, bot) as listener:
        assert await listener.live() == Live((MY_MESSAGES,))
        listener.session.subscribe([messages_of(room.id)])
        await until(lambda: messages_of(room.id) in subscribed(server))
        server.say(ana, room, "heard all the same")
        await listener.texts("heard all the same")


async def test_everything_refused_is_live_and_deaf(server: RocketChat, bot: User) -> None:
    server.faults.sockets.ready("not-allowed")
    async with listening(server, bot) as listener:
        wanted = MY_MESSAGES, memberships_of(bot.id), logouts_of(bot.id)
        assert (await listener.live()).refused == wanted


async def test_too_many_subscriptions_are_made_later(server: RocketChat, bot: User) -> None:
    server.faults.sockets.ready("too-many-requests", "__my_messages__", times=1)
    async with listening(server, bot) as listener:
        assert await listener.live() == Live(())


async def test_ready_never_comes(server: RocketChat, bot: User) -> None:
    server.faults.sockets.ready("never", "__my_messages__")
    async with listening(server, bot, timings=HASTY) as listener:
        assert "no answer to a subscription" in (await listener.end()).reason
    assert listener.events == []


# The link


@each_form
@pytest.mark.parametrize("code", [1000, 1001, 1002, 1007, 4000])
async def test_a_close_is_told_with_its_code(server: RocketChat, bot: User, code: int) -> None:
    async with listening(server, bot) as listener:
        await listener.live()
        server.faults.sockets.close(code, "GONE")
        assert await listener.end() == Lost(f"the server closed the connection ({code} GONE)")


@pytest.mark.parametrize("rst", [True, False], ids=["RST", "FIN"])
async def test_a_link_that_breaks(server: RocketChat, bot: User, rst: bool) -> None:
    async with listening(server, bot) as listener:
        await listener.live()
        server.faults.sockets.cut(rst=rst)
        assert await listener.end() == Lost("the connection broke off")


@pytest.mark.parametrize("msg", ["connect", "method", "sub"])
@pytest.mark.parametrize("how", [1001, "reset", "cut"])
async def test_an_end_at_every_step(
    server: RocketChat, bot: User, msg: str, how: int | str
) -> None:
    server.faults.sockets.end_at(msg, how)  # type: ignore[arg-type]
    async with listening(server, bot) as listener:
        end = await listener.end()
    assert end.reason.startswith(("the connection broke off", "the server closed")), end
    assert not end.terminal and listener.events == []


async def test_a_half_open_link_is_found_out(server: RocketChat, bot: User) -> None:
    async with listening(server, bot, timings=FEARFUL) as listener:
        await listener.live()
        server.faults.sockets.half_open()
        assert "nothing was heard" in (await listener.end()).reason


@pytest.mark.parametrize("frames", range(7))
async def test_flapping(server: RocketChat, bot: User, frames: int) -> None:
    """7 frames bring a connection up: greeting, connected, result, updated, three times ready."""
    server.faults.sockets.flap(frames, times=1)
    async with listening(server, bot) as listener:
        assert await listener.end() == Lost("the connection broke off")
    async with listening(server, bot) as listener:
        assert await listener.live() == Live(())


@each_form
async def test_a_restart(server: RocketChat, bot: User, ana: User, room: Room) -> None:
    async with listening(server, bot) as listener:
        await listener.live()
        with server.faults.down():
            assert await listener.end() == Lost("the connection broke off")
            async with listening(server, bot) as second:
                assert "HTTP 502" in (await second.end()).reason
        await server.stop()
        async with listening(server, bot) as third:
            assert await third.end() == Lost("no connection (Connection refused)")
        await server.start()
    async with listening(server, bot) as listener:
        await listener.live()
        server.say(ana, room, "back")
        assert await listener.texts("back") == ["back"]


async def test_an_idle_connection_is_kept() -> None:
    """The server closes whoever is silent for so long; pongs are enough, pings of our own too."""
    beat = Heartbeat(ping=0.2, close=1.0, early=0.03)
    pinging = Timings(step=20, ping_after=0.1, dead_after=20, tick=0.02, close=0.05)

    async def idle(profile: str, timings: Timings) -> None:
        async with RocketChat(profile=profile, heartbeat=beat) as server:
            bot, ana = server.add_user("bbb"), server.add_user("ana")
            room = server.add_room("team", owner=ana, members=(bot, ana))
            async with listening(server, bot, timings=timings) as listener:
                await listener.live()
                await asyncio.sleep(1.5)  # longer than the server's patience
                server.say(ana, room, "still here")
                await listener.texts("still here")

    await asyncio.gather(*(idle(form, timings) for form in FORMS for timings in (QUICK, pinging)))


# What arrives, and what does not


@each_form
async def test_after_every_kind_of_nonsense_the_next_message_is_heard(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    async with listening(server, bot) as listener:
        await listener.live()
        for name, frame in malformed(room.id, bot.id).items():
            server.faults.sockets.send(frame)
            server.say(ana, room, f"after {name}")
            await listener.texts(f"after {name}")


async def test_a_message_that_is_never_delivered_is_not_missed_here(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    server.faults.sockets.withhold()
    async with listening(server, bot) as listener:
        await listener.live()
        server.say(ana, room, "swallowed")
        server.say(ana, room, "heard")
        assert await listener.texts("heard") == ["heard"]


async def test_a_message_before_ready_is_heard(
    server: RocketChat, bot: User, ana: User, room: Room
) -> None:
    held = server.faults.sockets.hold('"ready"')
    async with listening(server, bot) as listener:
        await until(lambda: len(subscribed(server)) == 3)
        server.say(ana, room, "early")
        held.release()
        await listener.texts("early")
        await listener.live()


# The address


@pytest.mark.parametrize("slash", ["", "/"])
async def test_tls_and_a_path_prefix(slash: str) -> None:
    authority = trustme.CA()
    served, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusting)
    async with RocketChat(tls=served, prefix="/team/chat") as server:
        bot = server.add_user("bbb")
        listener = Listener(server.url + slash, bot.id, bot.token, tls=trusting)
        await listener.live()
        await listener.hang_up()
        elsewhere = Listener(server.plain_url + slash, bot.id, bot.token)
        assert "HTTP 301: configure the address" in (await elsewhere.end()).reason
