"""Invitations: followed beside the sync, or declined with a reason."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.chat.matrix.adapter import MatrixAdapter
from bot.demo.synapse import Account, Synapse
from commands.ports import Membership, Policy, Rights
from storage.records import Kind
from tests.matrix.bots import Bots, adapter_for, channel, eventually, person
from tests.matrix.client import Observer, Visitor
from tests.matrix.conftest import People
from tests.matrix.homeserver import (
    DEVICE,
    ME,
    Answer,
    Homeserver,
    hangs,
    message,
    refuses,
    says,
    synced,
)
from tests.matrix.intake import Inbox
from tests.matrix.names import fresh
from tests.matrix.whole_bot import whole_bot
from tests.requirements import require_synapse

ADA, EVE = "@ada:example.org", "@eve:evil.org"
INSIDE = "!inside"
NOT_LISTED = "I only follow invitations of people and servers"


def invited(position: str, inviter: str, room: str = INSIDE, **change: Any) -> dict[str, Any]:
    """A sync answer with an invitation."""
    member = {
        "type": "m.room.member",
        "state_key": ME,
        "sender": inviter,
        "content": {"membership": "invite"},
        **change,
    }
    invite = {room: {"invite_state": {"events": [member]}}}
    return {"next_batch": position, "rooms": {"invite": invite}}


class Door:
    """Notes what is asked of the rooms, and answers it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        return await self.answer(request)


@pytest.fixture
async def server() -> AsyncIterator[Homeserver]:
    async with Homeserver() as server:
        server.syncs.append(says(synced("s1")))
        yield server


@pytest.fixture
def leaving(server: Homeserver) -> Door:
    door = Door(says({}))
    server.others[f"rooms/{INSIDE}/leave"] = door
    return door


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def adapter(
    server: Homeserver, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MatrixAdapter]:
    monkeypatch.setattr("bot.chat.matrix.doors._PAUSES", (0.01,) * 5)
    adapter = adapter_for(server.url, Account(ME, "token", DEVICE, ""), tmp_path, encryption=False)
    yield adapter
    await adapter.stop()


async def test_who_is_not_listed_reads_why(
    server: Homeserver, adapter: MatrixAdapter, inbox: Inbox, leaving: Door
) -> None:
    server.syncs.append(says(invited("s2", EVE)))

    await adapter.start(inbox)
    await server.asked(f"rooms/{INSIDE}/leave", 1)

    assert leaving.bodies[0]["reason"].startswith(NOT_LISTED)
    assert server.counts[f"join/{INSIDE}"] == 0


async def test_a_room_that_lets_nobody_in_is_declined_with_the_way_out(
    server: Homeserver, adapter: MatrixAdapter, inbox: Inbox, leaving: Door
) -> None:
    server.others[f"join/{INSIDE}"] = refuses(403, "M_FORBIDDEN")
    server.syncs.append(says(invited("s2", ADA)))

    await adapter.start(inbox)
    await server.asked(f"rooms/{INSIDE}/leave", 1)

    assert "could not get into" in leaving.bodies[0]["reason"]


async def test_a_refusal_is_tried_again_while_the_server_has_trouble(
    server: Homeserver, adapter: MatrixAdapter, inbox: Inbox, leaving: Door
) -> None:
    leaving.answer = refuses(500, "M_UNKNOWN")
    server.syncs.append(says(invited("s2", EVE)))

    await adapter.start(inbox)
    await server.asked(f"rooms/{INSIDE}/leave", 3)


async def test_who_is_refused_again_and_again_fills_no_log(
    server: Homeserver,
    adapter: MatrixAdapter,
    inbox: Inbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(5):
        room = f"!spam-{number}"
        server.others[f"rooms/{room}/leave"] = says({})
        server.syncs.append(says(invited(f"s{number + 2}", EVE, room)))

    with caplog.at_level(logging.INFO):
        await adapter.start(inbox)
        for number in range(5):
            await server.asked(f"rooms/!spam-{number}/leave", 1)

    assert caplog.text.count("invitation declined") == 1


async def test_a_join_that_hangs_holds_nobody_up_and_has_an_end(
    server: Homeserver, adapter: MatrixAdapter, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.matrix.doors.JOIN_SECONDS", 0.3)
    server.others[f"join/{INSIDE}"] = hangs
    server.syncs += [says(invited("s2", ADA)), says(synced("s3", message(1)))]

    await adapter.start(inbox)
    await inbox.command("say 1")
    await server.asked(f"join/{INSIDE}", 2)


async def test_somebody_elses_invitation_is_none_of_the_bots(
    server: Homeserver, adapter: MatrixAdapter, inbox: Inbox
) -> None:
    server.syncs += [says(invited("s2", ADA, state_key=EVE)), says(synced("s3", message(1)))]

    await adapter.start(inbox)
    await inbox.command("say 1")

    assert server.counts[f"join/{INSIDE}"] == 0


async def test_an_invitation_that_comes_while_it_is_trying_the_door_is_followed(
    server: Homeserver, adapter: MatrixAdapter, inbox: Inbox
) -> None:
    """An upgrade: the tombstone sends the bot to a closed door, and then somebody opens it."""
    waiting, answered = asyncio.Event(), asyncio.Event()

    async def closed_for_a_while(request: web.Request) -> web.StreamResponse:
        if not waiting.is_set():
            waiting.set()
            await answered.wait()
            return await refuses(403, "M_FORBIDDEN")(request)
        answered.set()
        return await says({"room_id": INSIDE})(request)

    async def invites(request: web.Request) -> web.StreamResponse:
        await waiting.wait()
        return await says(invited("s3", ADA))(request)

    tombstone = {
        **message(1),
        "type": "m.room.tombstone",
        "state_key": "",
        "content": {"replacement_room": INSIDE},
    }
    server.others[f"join/{INSIDE}"] = closed_for_a_while
    server.syncs += [says(synced("s2", tombstone)), invites]

    await adapter.start(inbox)
    await server.asked(f"join/{INSIDE}", 2)


# --- a real one -----------------------------------------------------------------------------------


@pytest.fixture
async def bots(synapse: Synapse, tmp_path: Path) -> AsyncIterator[Bots]:
    async with AsyncExitStack() as leaving:
        yield Bots(synapse, tmp_path, leaving)


async def test_the_inviter_reads_the_reason_in_the_room(bots: Bots, people: People) -> None:
    ada, eve = await people.new("ada"), await people.new("eve")
    bot = await bots.new(
        fresh("door"),
        encryption=False,
        allow_invites_from=[ada.user_id],
        language="de",
    )

    room = await eve.create_room(invite=[bot.user_id])

    async def is_read() -> bool:
        member = await eve.state(room, "m.room.member", bot.user_id)
        return "Ich folge nur Einladungen" in member.get("reason", "")

    await eventually(is_read)


async def test_in_a_direct_message_of_version_12_both_are_creators(
    bots: Bots, people: People
) -> None:
    """`trusted_private_chat` gives the bot infinite power there; that is the person's wish."""
    ada = await people.new("ada")
    bot = await bots.new(fresh("door"), encryption=False)

    room = await ada.create_room(
        invite=[bot.user_id], direct=True, preset="trusted_private_chat", version="12"
    )
    await bot.inbox.command("", Kind.WELCOME)

    [create] = [e for e in await ada.timeline(room) if e["type"] == "m.room.create"]
    assert create["content"]["additional_creators"] == [bot.user_id]
    creator = Rights(Membership.JOINED, admin=True)
    assert await bot.adapter.rights_of(person(ada.user_id), channel(room)) == creator
    assert await bot.adapter.rights_of(person(bot.user_id), channel(room)) == creator
    await ada.say(room, "help")
    assert (await bot.inbox.command("help")).direct


async def test_additional_creators_of_version_12_are_admins_also_without_a_level(
    bots: Bots, people: People
) -> None:
    ada, bo = [await people.new(name) for name in ("ada", "bo")]
    bot = await bots.new(fresh("door"), encryption=False)
    body = {
        "room_version": "12",
        "invite": [bo.user_id, bot.user_id],
        "creation_content": {"additional_creators": [bo.user_id]},
    }
    room = str((await ada.ask("POST", "/createRoom", body))["room_id"])
    await bo.join(room)
    await bot.inbox.command("", Kind.WELCOME)

    assert (await bot.adapter.rights_of(person(bo.user_id), channel(room))).admin
    await bo.leave(room)
    left = await bot.adapter.rights_of(person(bo.user_id), channel(room))
    assert left == Rights(Membership.LEFT)


@pytest.fixture
async def blocking(tmp_path: Path) -> AsyncIterator[Synapse]:
    """A homeserver on which people can block invitations."""
    require_synapse()
    directory = tmp_path / "blocking"
    directory.mkdir()
    extra = "experimental_features: {msc4155_enabled: true}\n"
    async with Synapse(directory, extra=extra) as synapse:
        yield synapse


@pytest.mark.synapse
async def test_whoever_blocks_invitations_reads_in_the_room_how_to_get_the_link(
    blocking: Synapse, tmp_path: Path
) -> None:
    async with AsyncExitStack() as leaving:
        eve, ada = [
            await leaving.enter_async_context(Observer(blocking.url, await blocking.register(name)))
            for name in ("eve", "ada")
        ]
        bot = await blocking.register("bot")
        await eve.watch()
        kind = "org.matrix.msc4155.invite_permission_config"
        path = f"/user/{eve.user_id}/account_data/{kind}"
        await eve.ask("PUT", path, {"blocked_users": ["*"]})
        policy = Policy(public_url="https://calls.example.org")
        await leaving.enter_async_context(whole_bot(blocking, bot, tmp_path, policy))
        room = await eve.create_room(invite=[bot.user_id, ada.user_id], name="Team")
        await ada.join(room)
        await eve.sees(lambda one: one.sender == bot.user_id and "Hello!" in one.body)

        await eve.say(room, "!bbb join")

        await eve.sees(lambda one: "it is not accepted from me" in one.body)
        async with Visitor(blocking.url, bot) as self:
            assert (await self.ask("GET", "/joined_rooms"))["joined_rooms"] == [room]
