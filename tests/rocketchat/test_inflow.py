"""Receiving: each command once, whatever happens to the link, the process, or the frames."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import pytest

from bot.chat.base import ChatMisconfigured, Mode
from bot.chat.rocketchat import calling, catchup, keeping, line, reading
from bot.chat.rocketchat.ddp.events import messages_of
from bot.chat.rocketchat.lookups import Account, Lookups
from bot.chat.rocketchat.rhythm import Rhythm
from bot.clock import utc_now
from commands.errors import ChatUnavailable
from storage.records import Channel, Kind
from storage.store import StoreError
from tests.conftest import Proof
from tests.fakes.rocketchat import PROFILES, RocketChat, Room, User
from tests.matrix.intake import Inbox
from tests.rocketchat.receiving import (
    OFTEN,
    RARELY,
    Answers,
    Deaf,
    Gate,
    NoSockets,
    Spoils,
    comes_to,
    receiving,
    until,
)

START, STOP = ":arrow_forward:", ":stop_button:"


class World:
    """A server with people in it, and what the bot on it has received."""

    def __init__(self, server: RocketChat) -> None:
        self.server = server
        self.inbox = Inbox()
        self.bot = server.add_user("bbb.bot", roles=("bot", "user"), name="BBB")
        self.ana = server.add_user("ana", name="Ana Martín")
        self.bo = server.add_user("bo")
        self.team = self.room("team")

    def room(self, name: str, kind: str = "c", *more: User) -> Room:
        return self.server.add_room(
            name, kind=kind, owner=self.ana, members=(self.bot, self.ana, *more)
        )

    def says(self, line: str, room: Room | None = None, **extra: object) -> str:
        """Ana says something; gives the message's id."""
        return str(self.server.say(self.ana, room or self.team, line, **extra)["_id"])

    def card(self, room: Room | None = None) -> str:
        """The bot posts a card with two buttons; gives its id."""
        card = self.server.say(self.bot, room or self.team, "A call")["_id"]
        for button in (START, STOP):
            self.server.react(self.bot, card, button)
        return str(card)

    async def hears(self, *lines: str) -> None:
        """Wait for these command lines, and that there are no others."""
        await self.inbox.until(lambda inbox: set(lines) <= set(inbox.texts()))
        assert sorted(self.inbox.texts()) == sorted(lines), self.inbox.texts()

    async def presses(self, *wanted: tuple[str, User]) -> None:
        """Wait for these presses, and that there are no others."""
        await self.inbox.until(lambda inbox: len(inbox.of(Kind.REACTION)) >= len(wanted))
        found = [(c.text, c.person.id) for c in self.inbox.of(Kind.REACTION)]
        assert found == [(key, user.id) for key, user in wanted]

    def told(self, kind: Kind) -> list[str]:
        return [command.channel.id for command in self.inbox.of(kind)]


def tasks_of(name: str) -> list[str]:
    """The tasks that run a coroutine of this name."""
    return [str(task) for task in asyncio.all_tasks() if name in str(task.get_coro())]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with RocketChat() as server:
        yield World(server)


# --- heard --------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", sorted(PROFILES))
async def test_what_is_heard_and_what_is_not(profile: str) -> None:
    async with RocketChat(profile) as server:
        world = World(server)
        group = world.room("group", "p")
        direct = server.add_room(None, kind="d", owner=world.ana, members=(world.bot, world.ana))
        three = server.add_room(
            None, kind="d", owner=world.ana, members=(world.bot, world.ana, world.bo)
        )
        elsewhere = server.add_room("elsewhere", owner=world.ana, members=(world.ana,))
        robot = server.add_user("robot", type="bot")
        async with receiving(server, world.bot, world.inbox):
            world.says("!bbb in a channel")
            root = world.says("@bbb.bot in a thread", group, tmid=None)
            world.says("!bbb reply", group, tmid=root)
            world.says("just so", direct)
            world.says("not for the bot", three)
            world.says("!bbb among three", three)
            world.says("!bbb not here", elsewhere)
            world.says("!bbb of an integration", bot={"i": "hook"})
            world.says("!bbb hidden", _hidden=True)
            world.says("!bbb by the system", t="uj")
            server.say(world.bot, world.team, "!bbb my own")
            server.say(robot, world.team, "!bbb of another bot")
            edited = world.says("hello")
            server.edit(world.ana, edited, "!bbb edited")
            server.react(world.bo, world.says("!bbb pressed"), ":+1:")
            server.pin(world.ana, world.says("!bbb pinned https://example.org"))
            server.delete(world.ana, world.says("!bbb deleted"), keep=True)
            world.says("!bbb last")
            await world.inbox.command("last")
        await world.hears(
            "in a channel", "in a thread", "reply", "just so", "among three", "pressed",
            "pinned https://example.org", "deleted", "last",
        )  # fmt: skip
        reply = await world.inbox.command("reply")
        assert (reply.channel, reply.thread) == (Channel("rocketchat", group.id), root)
        assert (await world.inbox.command("just so")).direct
        assert not (await world.inbox.command("among three")).direct


async def test_history_stays_history(world: World) -> None:
    old = world.says("!bbb before the bot was there")
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        world.server.react(world.bo, old, ":+1:")
        world.says("!bbb now")
        await world.hears("now")
        asked = len(world.server.requests)
        await until(lambda: len(world.server.requests) > asked + 6)
    await world.hears("now")


async def test_what_is_heard_is_never_history(world: World) -> None:
    gate = Gate("rooms.get")
    gate.close()
    world.server.seams.append(gate)
    async with AsyncExitStack() as stack:
        bot = receiving(world.server, world.bot, world.inbox)
        starting = asyncio.create_task(stack.enter_async_context(bot))
        await asyncio.wait({starting}, timeout=0.5)
        assert not world.server.sessions, "it listens, and would drop what it hears"
        gate.open()
        await until(lambda: bool(world.server.sessions))
        world.says("!bbb help")
        await starting
        await world.hears("help")


async def test_presses_of_before_are_history(world: World) -> None:
    card = world.card()
    world.server.react(world.ana, card, START)
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        world.server.edit(world.bot, card, "A call that has ended")
        world.server.react(world.bo, world.card(), START)
        await world.presses(("▶", world.bo))


async def test_encrypted_messages_are_told_of(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox):
        secret = world.says("aGVsbG8=", t="e2e")
        await world.inbox.until(lambda inbox: bool(inbox.not_read))
    assert world.inbox.not_read == [(Channel("rocketchat", world.team.id), secret)]


@pytest.mark.parametrize(
    "broken",
    [
        {"u": {"_id": None, "username": None}},
        {"mentions": [None, {"_id": 7}], "reactions": [1]},
        {"tmid": 5, "editedBy": 3, "bot": "x", "attachments": None},
        {"_id": ["x"], "rid": {}, "ts": {"$date": "now"}, "_updatedAt": 7},
    ],
)
async def test_one_strange_document_stops_nothing(world: World, broken: dict[str, object]) -> None:
    world.server.seams.insert(0, Spoils("strange", broken))
    async with receiving(world.server, world.bot, world.inbox):
        world.says("!bbb strange")
        world.says("!bbb help")
        await world.inbox.command("help")


# --- lost and found -----------------------------------------------------------------------------


async def test_what_was_said_while_the_bot_was_away_comes_once(world: World) -> None:
    other = world.room("other", "p")
    missed = ["one", "two", "three", "say 0", "say 1", "say 2"]
    async with receiving(world.server, world.bot, world.inbox):
        early = world.says("!bbb early")
        await world.hears("early")
    world.server.react(world.bo, early, ":+1:")
    thread = world.says("!bbb one")
    world.says("!bbb two", tmid=thread)
    world.server.react(world.bo, world.says("!bbb three", other), ":+1:")
    world.server.edit(world.ana, world.says("!bbb typo", other), "!bbb edited")
    world.server.delete(world.ana, world.says("!bbb gone"))
    for n in range(3):
        world.says(f"!bbb say {n}", other)
        await asyncio.sleep(0.002)  # the server counts in milliseconds
    async with receiving(world.server, world.bot, world.inbox):
        await world.hears("early", *missed)
        assert [text for text in world.inbox.texts() if "say" in text] == missed[-3:]
    async with receiving(world.server, world.bot, world.inbox):
        world.says("!bbb end")
        await world.hears("early", *missed, "end")


async def test_a_server_that_was_away(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN) as inflow:
        await world.server.stop()
        world.says("!bbb meanwhile")
        await until(lambda: inflow.mode is not Mode.LIVE)
        await world.server.start()
        await comes_to(inflow, Mode.LIVE)
        world.says("!bbb after")
        await world.hears("meanwhile", "after")


async def test_a_message_that_the_server_swallows_is_found(world: World) -> None:
    world.server.seams.append(Deaf(lambda document: "swallowed" in document["msg"]))
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        world.says("!bbb swallowed")
        await world.hears("swallowed")


async def test_what_was_missed_comes_before_what_is_heard_since(world: World) -> None:
    gate = Gate("rooms.get")
    world.server.seams += [gate, Deaf(lambda document: "missed" in document["msg"])]
    async with receiving(world.server, world.bot, world.inbox) as inflow:
        gate.close()
        world.says("!bbb missed")
        for session in world.server.sessions:
            session.abort()
        await until(lambda: inflow.mode is not Mode.LIVE)
        await until(lambda: any(len(s.subscriptions) == 3 for s in world.server.sessions))
        world.says("!bbb heard")
        await until(lambda: bool(inflow._line._heard))
        assert world.inbox.texts() == []
        gate.open()
        await world.hears("missed", "heard")
        assert world.inbox.texts() == ["missed", "heard"]


async def test_a_server_that_is_not_there_at_first(world: World) -> None:
    await world.server.stop()
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN, mode=None) as inflow:
        assert inflow.mode is Mode.DOWN
        await world.server.start()
        await comes_to(inflow, Mode.LIVE)


@pytest.mark.promise("Rocket.Chat: over a flapping link each command arrives once.", weight=2)
async def test_a_flapping_link(world: World, proof: Proof) -> None:
    seed = random.randrange(10**6)
    sys.stdout.write(f"seed {seed}\n")
    dice, wanted = random.Random(seed), proof.amount(60, long=2_000)
    rooms = [world.team, *(world.room(f"room{n}") for n in range(4))]
    said: list[str] = []
    cuts = 0
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        while len(said) < wanted and proof.in_time():
            said.append(f"say {len(said)}")
            world.says(f"!bbb {said[-1]}", dice.choice(rooms))
            if dice.random() < 0.2:
                cuts += len(world.server.sessions)
                for session in world.server.sessions:
                    session.abort()
            await asyncio.sleep(dice.choice((0, 0, 0.01, 0.05)))
        await world.hears(*said)
    heard = world.inbox.texts()
    lost, twice = len(set(said) - set(heard)), len(heard) - len(set(heard))
    proof.measured(commands=len(said), cuts=cuts, lost=lost, twice=twice)


async def test_frames_that_come_twice_and_bots_side_by_side(world: World) -> None:
    second = Inbox()
    async with (
        receiving(world.server, world.bot, world.inbox, rhythm=OFTEN) as one,
        receiving(world.server, world.bot, second, rhythm=OFTEN),
    ):
        session = one._line._session
        assert session is not None
        session.subscribe([messages_of(world.team.id)])
        await until(lambda: any(len(s.subscriptions) == 4 for s in world.server.sessions))
        for n in range(5):
            world.says(f"!bbb say {n}")
        await world.hears(*(f"say {n}" for n in range(5)))
        await second.until(lambda inbox: len(inbox.texts()) == 5)


async def test_nothing_is_lost_when_the_store_fails(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        world.inbox.failures += [StoreError("disk full")] * 3
        world.says("!bbb one")
        await world.hears("one")
        new = world.room("new")
        world.says("!bbb two", new)
        await world.hears("one", "two")
        world.inbox.failures += [StoreError("disk full")]
        third = world.room("third")
        await world.inbox.until(lambda inbox: len(inbox.of(Kind.WELCOME)) >= 2)
        assert world.told(Kind.WELCOME) == [new.id, third.id]


async def test_more_than_can_be_held_is_left_to_a_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "MOST_BUFFERED", 3)
    async with receiving(world.server, world.bot, world.inbox, rhythm=RARELY):
        for n in range(20):
            world.says(f"!bbb say {n}")
        await world.hears(*(f"say {n}" for n in range(20)))


async def test_a_clock_that_was_ahead_once_hides_nothing() -> None:
    ahead = timedelta(0)

    def clock() -> datetime:
        return utc_now() + ahead

    async with RocketChat(clock=clock) as server:
        world = World(server)
        async with receiving(server, world.bot, world.inbox, rhythm=OFTEN) as inflow:
            ahead = timedelta(days=1)
            world.says("!bbb tomorrow")
            await world.hears("tomorrow")
            await until(lambda: inflow._reading.position.base > utc_now() + timedelta(hours=23))
            ahead = timedelta(0)
            for n in range(4):
                world.says(f"!bbb today {n}")
            await world.hears("tomorrow", *(f"today {n}" for n in range(4)))


async def test_a_thousand_rooms_are_not_a_thousand_calls(world: World) -> None:
    rooms = [world.room(f"room{n}") for n in range(300)]
    async with receiving(world.server, world.bot, world.inbox):
        pass
    asked = len(world.server.requests)
    for room in rooms[:3]:
        for membership in room.members.values():
            membership.updated -= timedelta(hours=1)
    server_time = utc_now()
    for room in rooms[3:]:
        room.updated = server_time - timedelta(hours=1)
    for room in rooms[:3]:
        world.says("!bbb help", room)
    async with receiving(world.server, world.bot, world.inbox):
        await world.inbox.until(lambda inbox: len(inbox.texts()) == 3)
    synced = [r for r in world.server.requests[asked:] if r.path == "chat.syncMessages"]
    assert len(synced) <= 12


async def test_a_long_silence_of_one_room_is_read_in_parts(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox):
        pass
    for n in range(450):
        world.server.say(world.bo, world.team, f"talk {n}")
    world.says("!bbb at last")
    async with receiving(world.server, world.bot, world.inbox):
        await world.hears("at last")


async def test_more_than_one_answer_can_hold_is_read_in_pages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = world.room("group", "p")
    direct = world.server.add_room(None, kind="d", owner=world.ana, members=(world.bot, world.ana))
    async with receiving(world.server, world.bot, world.inbox):
        pass
    for room in (world.team, group, direct):
        root = world.says("!bbb first", room)
        world.says("!bbb reply", room, tmid=root)
        for n in range(160):
            world.server.say(world.bot, room, f"talk {n}")
    monkeypatch.setattr(calling, "MOST_BYTES", 45_000)
    async with receiving(world.server, world.bot, world.inbox):
        await world.inbox.until(lambda inbox: len(inbox.texts()) >= 6)
    assert sorted(set(world.inbox.texts())) == ["first", "reply"]
    asked = {request.path for request in world.server.requests}
    assert asked >= {"channels.history", "groups.history", "dm.history"}


# --- what only some rooms, or some times, refuse ------------------------------------------------


async def test_a_room_that_is_closed_to_the_bot_holds_up_no_other(world: World) -> None:
    closed = world.room("closed")
    refusal = Answers(
        "chat.syncMessages", 400,
        {"success": False, "error": "Not allowed [error-not-allowed]",
         "errorType": "error-not-allowed"},
        which=lambda params: params.get("roomId") == closed.id,
    )  # fmt: skip
    async with receiving(world.server, world.bot, world.inbox):
        pass
    world.says("!bbb closed", closed)
    world.says("!bbb open")
    world.server.seams.append(refusal)
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        await world.hears("open")
        refusal.on = False
        await world.hears("open", "closed")


async def test_a_room_that_does_not_answer_holds_up_no_other(world: World) -> None:
    ill = world.room("ill")
    async with receiving(world.server, world.bot, world.inbox):
        pass
    world.says("!bbb ill", ill)
    for n in range(6):
        world.says(f"!bbb well {n}", world.room(f"well{n}"))
    failure = Answers(
        "chat.syncMessages", 500, {"success": False, "error": "Internal server error"},
        which=lambda params: params.get("roomId") == ill.id,
    )  # fmt: skip
    world.server.seams.append(failure)
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        await world.hears(*(f"well {n}" for n in range(6)))
        await until(lambda: failure.times > 2)
        failure.on = False
        await world.hears(*(f"well {n}" for n in range(6)), "ill")


async def test_a_closed_room_is_not_asked_over_and_over(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox):
        pass
    refusal = Answers("chat.syncMessages", 403, {"success": False, "error": "unauthorized"})
    world.server.seams += [refusal, NoSockets()]
    world.says("!bbb closed")
    async with receiving(world.server, world.bot, world.inbox, mode=Mode.POLLING):
        polls = len(world.server.requests)
        await until(lambda: len(world.server.requests) > polls + 12)
        assert refusal.times == 1


@pytest.mark.parametrize("which", ["rooms.get", "subscriptions.get", "chat.syncMessages"])
async def test_asked_to_slow_down(world: World, which: str) -> None:
    async with receiving(world.server, world.bot, world.inbox):
        pass
    world.says("!bbb missed")
    limit = Answers(
        which, 429,
        {"success": False, "error": "Error, too many requests. Please slow down. You must wait 1 "
         "seconds before trying this endpoint again. [error-too-many-requests]"},
    )  # fmt: skip
    world.server.seams.append(limit)
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN, mode=None) as inflow:
        await until(lambda: limit.times > 0)
        limit.on = False
        await world.hears("missed")
        await comes_to(inflow, Mode.LIVE)


# --- fallbacks ----------------------------------------------------------------------------------


async def test_room_by_room_where_all_at_once_is_refused(world: World) -> None:
    class Refuses(Deaf):
        async def incoming(self, session: object, text: str) -> str | None:
            return text.replace("__my_messages__", "no-such-room")

    group = world.room("group", "p")
    world.server.seams.append(Refuses())
    async with receiving(world.server, world.bot, world.inbox, rhythm=RARELY):
        await until(lambda: any(len(s.subscriptions) == 4 for s in world.server.sessions))
        world.says("!bbb one")
        world.says("!bbb two", group)
        await world.hears("one", "two")
        new = world.room("new")
        await until(lambda: any(len(s.subscriptions) == 5 for s in world.server.sessions))
        world.says("!bbb three", new)
        await world.hears("one", "two", "three")
        world.server.leave(world.bot, new)
        await until(lambda: any(len(s.subscriptions) == 4 for s in world.server.sessions))


async def test_polling_where_there_is_no_websocket(world: World) -> None:
    wall = NoSockets()
    world.server.seams.append(wall)
    async with receiving(world.server, world.bot, world.inbox, mode=Mode.POLLING) as inflow:
        for n in range(3):
            world.says(f"!bbb say {n}")
            await world.hears(*(f"say {m}" for m in range(n + 1)))
        new = world.room("new")
        await world.inbox.until(lambda inbox: bool(inbox.of(Kind.WELCOME)))
        assert world.told(Kind.WELCOME) == [new.id]
        world.server.leave(world.bot, new)
        await world.inbox.until(lambda inbox: bool(inbox.of(Kind.GONE)))
        card = world.card()
        world.says("and on it goes")
        await asyncio.sleep(0)
        world.server.react(world.ana, card, START)
        await world.presses(("▶", world.ana))
        wall.on = False
        await comes_to(inflow, Mode.LIVE)
        world.says("!bbb live")
        await world.inbox.command("live")


async def test_polling_with_an_account_that_has_limits_keeps_to_them(world: World) -> None:
    world.bot.roles.discard("bot")
    world.server.seams.append(NoSockets())

    def asked() -> int:
        return sum(request.path == "rooms.get" for request in world.server.requests)

    async with receiving(world.server, world.bot, world.inbox, mode=Mode.POLLING) as inflow:
        world.says("!bbb help")
        await world.hears("help")
        await until(lambda: asked() >= 10)
        await asyncio.sleep(0.5)
        assert asked() <= 11, "ten a minute are allowed"
        assert inflow.mode is Mode.POLLING, "slowly, but it hears"


async def test_a_quiet_room_is_polled_no_more(world: World) -> None:
    world.server.seams.append(NoSockets())
    async with receiving(world.server, world.bot, world.inbox, mode=Mode.POLLING):
        world.says("!bbb help")
        await world.hears("help")

        def polls() -> int:
            return sum(r.path == "rooms.get" for r in world.server.requests)

        def syncs() -> int:
            return sum(r.path == "chat.syncMessages" for r in world.server.requests)

        before, asked = polls(), syncs()
        await until(lambda: polls() >= before + 5)
        assert syncs() - asked <= 1


# --- memberships --------------------------------------------------------------------------------


async def test_in_and_out_and_in_again(world: World) -> None:
    other = world.server.add_room("other", owner=world.ana, members=(world.ana,))
    world.says("!bbb before you came", other)
    async with receiving(world.server, world.bot, world.inbox):
        world.server.join(world.bot, other, by=world.ana)
        world.says("!bbb here", other)
        await world.hears("here")
        await until(lambda: world.told(Kind.WELCOME) == [other.id])
        world.server.leave(world.bot, other, by=world.ana)
        await world.inbox.until(lambda inbox: bool(inbox.of(Kind.GONE)))
        world.says("!bbb nobody", other)
        world.server.join(world.bot, other, by=world.ana)
        world.says("!bbb again", other)
        await world.hears("here", "again")
    assert world.told(Kind.WELCOME) == [other.id] * 2
    assert world.told(Kind.GONE) == [other.id]
    kinds = [command.kind for command in world.inbox.commands if command.kind is not Kind.MESSAGE]
    assert kinds == [Kind.WELCOME, Kind.GONE, Kind.WELCOME]


async def test_a_removal_that_no_event_tells_is_found(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        new = world.room("new")
        await world.inbox.until(lambda inbox: bool(inbox.of(Kind.WELCOME)))
        for room in (world.team, new):
            world.server.leave(world.bot, room, event=False)
        world.server.state.ended_subscriptions.clear()
        await world.inbox.until(lambda inbox: len(inbox.of(Kind.GONE)) == 2)
    assert set(world.told(Kind.GONE)) == {world.team.id, new.id}


async def test_what_came_and_went_while_the_bot_was_away(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox):
        pass
    world.server.leave(world.bot, world.team)
    world.server.state.ended_subscriptions.clear()
    new = world.room("new", "p")
    world.says("!bbb new", new)
    async with receiving(world.server, world.bot, world.inbox):
        await world.hears("new")
    assert world.told(Kind.GONE) == [world.team.id]
    assert world.told(Kind.WELCOME) == [new.id]


async def test_a_bot_that_was_in_no_room_is_not_new_the_next_time(world: World) -> None:
    world.server.leave(world.bot, world.team)
    async with receiving(world.server, world.bot, world.inbox):
        pass
    first = world.room("first")
    world.says("!bbb help", first)
    async with receiving(world.server, world.bot, world.inbox):
        await world.hears("help")
        assert world.told(Kind.WELCOME) == [first.id]


async def test_a_message_before_the_subscription_event(world: World) -> None:
    class Late(Deaf):
        held: list[str] = []

        async def outgoing(self, session: object, text: str) -> str | None:
            if "subscriptions-changed" in text and "inserted" in text:
                return None
            return text

    world.server.seams.append(Late())
    async with receiving(world.server, world.bot, world.inbox):
        new = world.room("new", "p")
        world.says("!bbb help", new)
        direct = world.server.add_room(
            None, kind="d", owner=world.bo, members=(world.bot, world.bo)
        )
        world.server.say(world.bo, direct, "direct")
        three = world.server.add_room(
            None, kind="d", owner=world.ana, members=(world.bot, world.bo, world.ana)
        )
        world.server.say(world.bo, three, "not for the bot")
        world.says("!bbb end")
        await world.inbox.command("end")
        await world.hears("help", "direct", "end")


async def test_renamed(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox) as inflow:
        world.server.rename(world.team, "the-team", world.ana)
        place = lambda: inflow._line._rooms.place(world.team.id)  # noqa: E731
        await until(lambda: (found := place()) is not None and found.name == "the-team")
        world.says("!bbb help")
        await world.hears("help")


# --- presses ------------------------------------------------------------------------------------


async def test_each_press_counts_once(world: World) -> None:
    card = world.card()
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        server = world.server
        card = world.card()
        server.react(world.ana, card, START)
        server.react(world.bo, card, START)
        server.edit(world.bot, card, "A call, two inside")
        server.react(world.bo, card, ":+1:")
        await world.presses(("▶", world.ana), ("▶", world.bo))
        server.react(world.ana, card, START, on=False)
        server.react(world.ana, card, START)
        server.react(world.ana, card, STOP)
        await world.presses(("▶", world.ana), ("▶", world.bo), ("▶", world.ana), ("⏹", world.ana))
        press = world.inbox.of(Kind.REACTION)[0]
        assert (press.target, press.channel.id) == (card, world.team.id)
    server.react(world.bo, card, STOP)
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        await world.presses(
            ("▶", world.ana), ("▶", world.bo), ("▶", world.ana), ("⏹", world.ana), ("⏹", world.bo)
        )
    assert len({command.id for command in world.inbox.of(Kind.REACTION)}) == 5


async def test_presses_on_other_peoples_messages_are_none(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox):
        world.server.react(world.bo, world.says("look"), START)
        world.server.react(world.bo, world.card(), START)
        await world.presses(("▶", world.bo))


async def test_a_press_that_changes_no_room_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "KEEP_SECONDS", 0.0)
    deaf = Deaf(lambda document: "reactions" in document)
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN):
        card = world.card()
        world.says("so that the card is not the last message")
        await until(lambda: card in world.inbox.kept.get("rocketchat", ""))
        world.server.seams.append(deaf)
        world.team.updated -= timedelta(hours=1)
        world.server.react(world.ana, card, START)
        await world.presses(("▶", world.ana))


async def test_a_press_on_an_old_card_is_found_while_polling(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_FRESH_CARD", timedelta(0))
    for each in (reading, catchup):
        monkeypatch.setattr(each, "OVERLAP", timedelta(0))
    other = world.room("other")
    world.server.seams.append(NoSockets())
    rhythm = Rhythm(look=2.0, poll=0.1, first_pause=0.05, longest_pause=0.2)
    async with receiving(
        world.server, world.bot, world.inbox, rhythm=rhythm, mode=Mode.POLLING
    ) as inflow:
        card = world.card()
        world.says("so that the card is not the last message")
        await until(lambda: card in inflow._reading.position.cards)
        await until(lambda: not inflow._reading.position.behind)
        changed = world.team.updated
        world.server.react(world.ana, card, START)
        assert world.team.updated == changed
        pressed_at = inflow._reading.position.base
        world.says("elsewhere it goes on", other)
        await until(lambda: inflow._reading.position.base > pressed_at)
        await world.presses(("▶", world.ana))


async def test_a_press_waits_until_it_is_known_who_it_was(world: World) -> None:
    failures = [ChatUnavailable("down")] * 3

    class Ill(Lookups):
        async def _named_now(self, username: str) -> Account | None:
            if failures:
                raise failures.pop()
            return None if username == "bo" else await super()._named_now(username)

    async with receiving(world.server, world.bot, world.inbox, lookups_of=Ill):
        card = world.card()
        world.server.react(world.ana, card, START)
        world.server.react(world.bo, card, START)  # nobody knows a bo
        await world.presses(("▶", world.ana))
    assert not failures


# --- the end of an account ----------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["monolith-6", "streamer-6.14", "9.0"])
async def test_a_revoked_token_is_said_and_healed(profile: str) -> None:
    async with RocketChat(profile) as server:
        world = World(server)
        tokens = dict(world.bot.tokens)
        async with receiving(server, world.bot, world.inbox, rhythm=OFTEN) as inflow:
            server.revoke(world.bot)
            await until(lambda: inflow.trouble is not None)
            assert inflow.mode is Mode.DOWN
            assert "personal access token" in str(inflow.trouble)
            assert world.bot.token not in str(inflow.trouble)
            world.says("!bbb meanwhile")
            world.bot.tokens.update(tokens)
            await comes_to(inflow, Mode.LIVE)
            assert inflow.trouble is None
            world.says("!bbb after")
            await world.hears("meanwhile", "after")


async def test_forced_out_with_a_token_that_still_works(world: World) -> None:
    async with receiving(world.server, world.bot, world.inbox, rhythm=OFTEN) as inflow:
        tokens = dict(world.bot.tokens)
        world.server.force_logout(world.bot)
        world.bot.tokens.update(tokens)
        world.says("!bbb help")
        await world.hears("help")
        await comes_to(inflow, Mode.LIVE)
        assert inflow.trouble is None


async def test_a_start_with_a_revoked_token_says_what_to_do(world: World) -> None:
    world.server.revoke(world.bot)
    with pytest.raises(ChatMisconfigured, match="access token"):
        async with receiving(world.server, world.bot, world.inbox, mode=None):
            pass


# --- the end ------------------------------------------------------------------------------------


async def test_a_look_that_fails_leaves_nothing_running(world: World) -> None:
    other = world.room("other")
    async with receiving(world.server, world.bot, world.inbox):
        pass
    slow = Gate("chat.syncMessages")
    slow.close()
    body = {"success": False, "error": "[error-too-many-requests]"}
    limit = Answers(
        "chat.syncMessages", 429, body, which=lambda params: params["roomId"] == other.id
    )
    world.server.seams += [limit, slow]
    world.says("!bbb one")
    world.says("!bbb two", other)
    async with receiving(world.server, world.bot, world.inbox, mode=None):
        await until(lambda: not tasks_of("_catch_up"), seconds=5)
        slow.open()


async def test_it_stops_at_once_whatever_the_server_does(world: World) -> None:
    async with AsyncExitStack() as stack:
        inflow = await stack.enter_async_context(
            receiving(world.server, world.bot, world.inbox, rhythm=OFTEN)
        )
        await world.server.stop()
        async with asyncio.timeout(5):
            await inflow.stop()
    assert not [t for t in asyncio.all_tasks() if t.get_name().startswith("rocketchat")]
