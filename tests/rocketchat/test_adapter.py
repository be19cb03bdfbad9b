"""The adapter as a whole on the test server, in each version: hears, answers, stops, says how."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from bot.chat.base import ChatMisconfigured, Mode
from bot.chat.rocketchat.emoji import SHORTNAMES
from commands.errors import ChatUnavailable
from commands.messages import Document, Style, Text
from commands.ports import Membership, Outgoing
from storage.records import Channel, Kind, Person
from tests.fakes.rocketchat import PROFILES, RocketChat, Room, Seam, User
from tests.fakes.rocketchat.refusals import Forbidden
from tests.matrix.intake import Inbox
from tests.rocketchat.adapters import adapter_of, running, until


@dataclass
class Workspace:
    """A server, the bot, and Ana, who owns a channel that both are in."""

    server: RocketChat
    bot: User
    ana: User
    room: Room


def furnished(server: RocketChat) -> Workspace:
    bot = server.add_user("bbb", roles=("bot", "user"), name="BBB")
    ana = server.add_user("ana", name="Ana Martín")
    return Workspace(server, bot, ana, server.add_room("team", "c", ana, [ana, bot]))


@pytest.fixture(params=PROFILES)
async def each(request: pytest.FixtureRequest) -> AsyncIterator[Workspace]:
    async with RocketChat(request.param) as server:
        yield furnished(server)


@pytest.fixture
async def one() -> AsyncIterator[Workspace]:
    async with RocketChat() as server:
        yield furnished(server)


class NoSockets(Seam):
    """A proxy that passes no websockets on."""

    async def connecting(self, request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=400, text="<html>Bad Request</html>")


def saying(text: str, channel: str, ref: str | None = None) -> Outgoing:
    document = Document(((Text(text),),), Style.NOTICE)
    return Outgoing(f"id of {text}", channel, document, reply_to=ref, thread=ref)


# --- heard and answered ----------------------------------------------------------------


async def test_a_command_is_heard_and_answered_in_its_thread_once(each: Workspace) -> None:
    inbox = Inbox()
    async with running(each.server, each.bot, inbox) as adapter:
        asked = each.server.say(each.ana, each.room, "!bbb help")
        command = await inbox.command("help")
        answer = saying("hello", command.channel.id, command.origin)
        refs = {await adapter.send(answer) for _ in range(2)}
        (answered,) = each.server.messages(each.room)[1:]
        await adapter.edit(answered["_id"], saying("goodbye", command.channel.id))
        await adapter.react(command.channel.id, command.origin, "✅")

    assert refs == {answered["_id"]}
    assert (answered["msg"], answered["tmid"]) == ("hello", asked["_id"])
    edited = each.server.message(answered["_id"])
    assert edited is not None
    assert edited["msg"] == "goodbye"
    reacted = each.server.message(asked["_id"])
    assert reacted is not None
    assert reacted["reactions"] == {SHORTNAMES["✅"]: {"usernames": ["bbb"]}}
    assert [c.text for c in inbox.of(Kind.MESSAGE)] == ["help"]


async def test_to_answer_what_was_just_heard_nothing_is_asked(one: Workspace) -> None:
    inbox = Inbox()
    async with running(one.server, one.bot, inbox) as adapter:
        one.server.say(one.ana, one.room, "!bbb help")
        command = await inbox.command("help")
        before = len(one.server.requests)
        await adapter.send(saying("hello", command.channel.id, command.origin))

    assert [asked.path for asked in one.server.requests[before:]] == ["chat.sendMessage"]


async def test_it_knows_people_and_rooms(each: Workspace) -> None:
    ana, room = Person("rocketchat", each.ana.id), Channel("rocketchat", each.room.id)
    async with running(each.server, each.bot, Inbox()) as adapter:
        rights = await adapter.rights_of(ana, room)
        assert (rights.membership, rights.admin) == (Membership.JOINED, True)
        assert await adapter.display_name(ana) == "Ana Martín"
        assert await adapter.find_person("@ana", room) == ana
        assert await adapter.topic_of(room) == "team"
        assert adapter.web_address(room) == f"{each.server.url}/channel/{each.room.id}"
        assert await adapter.language_of(room) is None
        direct = await adapter.open_dm(ana)
        assert await adapter.is_dm(direct)
        assert not await adapter.is_dm(room.id)
        assert await adapter.shared_channels(ana, Person("rocketchat", each.bot.id))


# --- whose token it is -----------------------------------------------------------------


async def test_a_token_of_another_account_is_named_with_both(each: Workspace) -> None:
    other = each.server.add_user("other")
    adapter = adapter_of(each.server, each.bot, access_token=other.token)

    with pytest.raises(ChatMisconfigured) as refusal:
        await adapter.start(Inbox())
    await adapter.stop()
    assert each.bot.id in str(refusal.value)
    assert f"{other.id} (other)" in str(refusal.value)
    assert other.token not in str(refusal.value)


async def test_a_token_that_is_revoked_is_said(each: Workspace) -> None:
    each.server.revoke(each.bot)
    adapter = adapter_of(each.server, each.bot)

    with pytest.raises(ChatMisconfigured, match="does not know the access token"):
        await adapter.start(Inbox())
    await adapter.stop()


# --- how it is heard -------------------------------------------------------------------


async def test_without_websockets_it_polls_and_hears_all_the_same(one: Workspace) -> None:
    one.server.seams.append(NoSockets())
    inbox = Inbox()
    async with running(one.server, one.bot, inbox, mode=Mode.POLLING) as adapter:
        one.server.say(one.ana, one.room, "!bbb help")
        await inbox.command("help")
        assert adapter.mode is Mode.POLLING

    assert adapter.trouble is None


async def test_a_server_that_is_down_is_waited_for(one: Workspace) -> None:
    await one.server.stop()
    inbox = Inbox()
    async with running(one.server, one.bot, inbox, mode=Mode.DOWN) as adapter:
        await one.server.start()
        await until(lambda: adapter.mode is Mode.LIVE)
        one.server.say(one.ana, one.room, "!bbb help")
        await inbox.command("help")


@pytest.mark.parametrize("path", ["me", "settings.public"])
async def test_a_server_that_says_no_for_a_while_is_waited_for(path: str, one: Workspace) -> None:
    one.server.faults.rest.refuse(path, Forbidden(), times=1)
    inbox = Inbox()
    async with running(one.server, one.bot, inbox):
        one.server.say(one.ana, one.room, "!bbb help")
        await inbox.command("help")


async def test_a_token_revoked_under_a_living_connection_is_found_by_the_next_call(
    one: Workspace,
) -> None:
    async with running(one.server, one.bot, Inbox()) as adapter:
        one.server.revoke(one.bot)
        assert adapter.mode is Mode.LIVE  # a streamer's socket goes on
        with pytest.raises(ChatUnavailable):
            await adapter.send(saying("hello", one.room.id))
        await until(lambda: adapter.trouble)
        assert adapter.mode is Mode.DOWN


async def test_a_token_revoked_meanwhile_is_trouble(one: Workspace) -> None:
    async with running(one.server, one.bot, Inbox()) as adapter:
        one.server.force_logout(one.bot)
        await until(lambda: adapter.trouble)

        assert "new personal access token" in (adapter.trouble or "")
        assert adapter.mode is Mode.DOWN


# --- whom it trusts --------------------------------------------------------------------


@pytest.fixture
async def certified(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A workspace whose certificate only `ca.pem` vouches for."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with RocketChat("8.x", tls=tls) as server:
        yield furnished(server)


async def test_an_own_authority_is_trusted_for_rest_and_realtime(
    certified: Workspace, tmp_path: Path
) -> None:
    inbox = Inbox()
    async with running(certified.server, certified.bot, inbox, ca_file=tmp_path / "ca.pem"):
        certified.server.say(certified.ana, certified.room, "!bbb help")
        await inbox.command("help")


async def test_the_authorities_of_the_machine_are_trusted_for_rest_and_realtime(
    certified: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`requests` would bring authorities of its own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with running(certified.server, certified.bot, Inbox()):
        pass


async def test_nobody_else_is_trusted(certified: Workspace) -> None:
    async with running(certified.server, certified.bot, Inbox(), mode=Mode.DOWN):
        pass
    assert certified.server.requests == []


# --- stopping --------------------------------------------------------------------------


class Mute(Seam):
    """A server that answers nothing any more."""

    on = False

    async def rest(self, *around: object) -> web.StreamResponse:
        if self.on:
            await asyncio.sleep(3600)
        *_, handle = around
        return await handle()  # type: ignore[operator,no-any-return]


async def test_it_stops_in_five_seconds_whatever_hangs(one: Workspace) -> None:
    mute = Mute()
    one.server.seams.append(mute)
    inbox = Inbox()
    adapter = adapter_of(one.server, one.bot)
    await adapter.start(inbox)
    await until(lambda: adapter.mode is Mode.LIVE)
    mute.on = True
    send = asyncio.create_task(adapter.send(saying("hello", one.room.id)))
    await until(lambda: one.server.requests[-1].path == "chat.sendMessage")
    begun = time.monotonic()
    await adapter.stop()

    assert time.monotonic() - begun < 5
    with pytest.raises(Exception, match="closed"):
        await send


async def test_what_was_never_started_can_be_stopped(one: Workspace) -> None:
    adapter = adapter_of(one.server, one.bot)
    assert (adapter.mode, adapter.trouble) == (Mode.DOWN, None)
    await adapter.stop()
