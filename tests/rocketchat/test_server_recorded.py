"""The streamer profile answers as Rocket.Chat 6.14's realtime service was recorded to.

Each recorded scenario is played against the test server: what was sent is sent, what a note says
happened is done, what was received is expected, frame by frame, and nothing besides. Not compared
are session ids, dates, and three things of the invented documents: `md` after an edit (the
recording kept the old one), the name in `editedBy` (IMessage has none), keys of rooms and
subscriptions beyond the recorded ones.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from bot.clock import utc_now
from tests.fakes.rocketchat import Heartbeat, RocketChat, Room, User
from tests.fakes.rocketchat.records import Token
from tests.rocketchat import raw

RECORDING = Path(__file__).parents[1] / "data" / "rocketchat" / "rc-6.14-realtime-recorded.json"
SCENARIOS: dict[str, list[dict[str, Any]]] = json.loads(RECORDING.read_text())["scenarios"]

BOTH_LISTEN = {"dir": "note", "text": "both sessions listen: alice posts"}


class Company:
    """Who and what there was when the frames were recorded."""

    def __init__(self, server: RocketChat) -> None:
        self.server = server
        self.bot = server.add_user(
            "bbb.bot", id="botBBB0000000001", name="BBB bot", token="bot-pat", roles=("bot", "user")
        )
        self.alice = server.add_user("alice", id="alice00000000001", name="Alice")
        for text, lasts in (("bot-token", timedelta(days=90)), ("old-token", timedelta(days=-1))):
            self.bot.tokens[text] = Token(text, expires=utc_now() + lasts)
        both = (self.alice, self.bot)
        self.general = self._room("general", "c", "GENERAL", both)
        self.private = self._room("private1", "p", "PRIV1", both)
        self.other_private = self._room("private2", "p", "PRIV2", (self.alice,))
        self.not_joined = self._room("other", "c", "PUB2", (self.alice,))
        self.direct = server.add_room(None, "d", None, both, id="D1")

    def _room(self, name: str, kind: str, rid: str, members: tuple[User, ...]) -> Room:
        return self.server.add_room(name, kind, self.alice, members, id=rid)

    def says(self, room: Room, text: str, _id: str, **extra: Any) -> None:
        self.server.say(self.alice, room, text, _id=_id, **extra)

    def unread(self) -> None:
        membership = self.other_private.members[self.bot.id]
        membership.alert, membership.unread = True, 1
        self.server.state.touch_membership(self.other_private, self.bot)

    def bot_says(self, text: str, _id: str, **extra: Any) -> None:
        self.server.say(self.bot, self.general, text, _id=_id, **extra)


STIMULI: dict[str, Callable[[Company], object]] = {
    "alice posts in joined public channel": lambda c: c.says(
        c.general, "!bbb create weekly", "m-gen-1"
    ),
    "alice posts in joined private group": lambda c: c.says(c.private, "!bbb help", "m-prv-1"),
    "alice posts in DM with bot": lambda c: c.says(c.direct, "hello bot", "m-dm-1"),
    "alice posts in public channel the bot has NOT joined": lambda c: c.says(
        c.not_joined, "!bbb not for you", "m-pub2-1"
    ),
    "alice posts in private group the bot is NOT in (nothing must come)": lambda c: c.says(
        c.other_private, "!bbb secret", "m-prv2-1"
    ),
    "bot own message": lambda c: c.bot_says("Room created", "m-own-1"),
    "integration message (bot field)": lambda c: c.bot_says(
        "from webhook", "m-int-1", bot={"i": "integ1"}, alias="hook"
    ),
    "system message user joined": lambda c: c.says(
        c.general, "alice", "m-sys-1", t="uj", groupable=False
    ),
    "thread reply": lambda c: c.says(c.general, "!bbb join", "m-thr-1", tmid="m-gen-1"),
    "_hidden message (nothing must come)": lambda c: c.says(
        c.general, "hidden", "m-hid-1", _hidden=True
    ),
    "reaction added to old message (whole document again)": lambda c: c.server.react(
        c.alice, "m-gen-1", ":+1:"
    ),
    "old message edited": lambda c: c.server.edit(c.alice, "m-gen-1", "!bbb create daily"),
    "message deleted with history kept (t rm)": lambda c: c.server.delete(
        c.alice, "m-prv-1", keep=True
    ),
    "hard delete": lambda c: c.server.delete(c.alice, "m-dm-1"),
    "bot added to PRIV2: subscription inserted": lambda c: c.server.join(c.bot, c.other_private),
    "subscription inserted": lambda c: c.server.join(c.bot, c.other_private),
    "message in PRIV2 right after the bot was added": lambda c: c.says(
        c.other_private, "!bbb now you see me", "m-prv2-2"
    ),
    "unread counter changes on a subscription": Company.unread,
    "room renamed": lambda c: c.server.rename(c.private, "renamed1"),
    "bot removed from PRIV2 (the 'removed' event was not recorded; not evidence)": lambda c: (
        c.server.leave(c.bot, c.other_private, event=False)
    ),
    "subscription deleted (no event was recorded; not evidence)": lambda c: c.server.leave(
        c.bot, c.other_private, event=False
    ),
    "message in PRIV2 after removal": lambda c: c.says(c.other_private, "gone", "m-prv2-3"),
    "token deleted from the user record, no forced-logout event raised": lambda c: c.server.revoke(
        c.bot
    ),
    "message after token removal": lambda c: c.says(c.general, "after revocation", "m-gen-9"),
    "alice posts (private group) while not logged in": lambda c: c.says(c.private, "no", "x1"),
    "alice posts (public channel) while not logged in": lambda c: c.says(c.general, "no", "x2"),
    "alice posts after login on the earlier subscription": lambda c: c.says(
        c.private, "after login", "x31795248063.7323287"
    ),
    "one message posted": lambda c: c.says(c.general, "once", "x51795248074.9741511"),
    BOTH_LISTEN["text"]: lambda c: c.says(c.general, "!bbb create", "x41795248069.7555635"),
}


def alike(value: Any) -> Any:
    """A frame without what differs from run to run."""
    if isinstance(value, dict):
        if "$date" in value:
            return "a date"
        kept = {key: alike(part) for key, part in value.items()}
        if "session" in kept:
            kept["session"] = "a session"
        if "editedBy" in kept:
            kept["editedBy"].pop("name", None)
            kept.pop("md")
        return kept
    return [alike(part) for part in value] if isinstance(value, list) else value


def check(recorded: Any, received: Any) -> None:
    """That a frame is the recorded one; rooms and subscriptions may tell more."""
    recorded, received = alike(recorded), alike(received)
    if recorded.get("collection") == "stream-notify-user":
        known, ours = recorded["fields"]["args"][1], received["fields"]["args"][1]
        recorded["fields"]["args"][1] = {**known, "_id": ours["_id"]}
        received["fields"]["args"][1] = {key: ours[key] for key in known}
    assert received == recorded


async def play(entries: list[dict[str, Any]], company: Company, gate: asyncio.Barrier) -> None:
    """Play one scenario to its end on a socket of its own."""
    async with raw.line(company.server) as line:
        for entry in entries:
            match entry["dir"]:
                case "send":
                    await line.socket.send(written(entry["frame"]))
                case "recv":
                    check(entry["frame"], await line.next())
                case "note":
                    if await gate.wait() == 0:
                        STIMULI[entry["text"]](company)
                case "closed" if entry["code"] == 1000:
                    await nothing_else(line)
                case "closed":
                    with pytest.raises(ConnectionClosed) as ending:
                        await line.next()
                    assert ending.value.rcvd == Close(entry["code"], entry["reason"])


def written(frame: Any) -> str:
    """Recorded is the frame, or a text that is none."""
    return frame if isinstance(frame, str) else json.dumps(frame)


async def nothing_else(line: raw.Line) -> None:
    """That no frame waits which was not recorded."""
    await line.send(msg="ping", id="the end")
    assert await line.next() == {"msg": "pong", "id": "the end"}


def heartbeat_of(name: str, entries: list[dict[str, Any]]) -> Heartbeat:
    """Shorter where a scenario waits for it, and out of the way where it does not."""
    kinds = [entry["frame"].get("msg") for entry in entries if entry["dir"] == "recv"]
    if name == "idle_client_that_never_answers_pings":
        return Heartbeat(ping=0.3, close=0.3)
    return Heartbeat(ping=60.0, close=60.0, early=0.03 if "ping" in kinds[:2] else None)


@pytest.mark.parametrize(
    "name", [name for name in SCENARIOS if not name.startswith("two_sessions_same_account")]
)
async def test_a_recorded_scenario_is_reproduced(name: str) -> None:
    entries = SCENARIOS[name]
    beat = heartbeat_of(name, entries)
    async with RocketChat("streamer-6.14", heartbeat=beat, side_effects=False) as server:
        company = Company(server)
        if name == "subscribe_before_login_then_login":
            server.rename(company.private, "renamed1")
        began = time.monotonic()
        await play(entries, company, asyncio.Barrier(1))
        if name == "idle_client_that_never_answers_pings":
            assert time.monotonic() - began >= 0.6


@pytest.mark.parametrize("second", ["two_sessions_same_account_A", "two_sessions_same_account_B"])
async def test_two_recorded_sessions_of_one_account_are_reproduced(second: str) -> None:
    """Both hear the message; each of the two is once the one that came later."""
    names = ["two_sessions_same_account_A", "two_sessions_same_account_B"]
    first = next(name for name in names if name != second)
    beat = Heartbeat(ping=60.0, close=60.0)
    async with RocketChat("streamer-6.14", heartbeat=beat, side_effects=False) as server:
        company, gate = Company(server), asyncio.Barrier(2)
        await asyncio.gather(
            *(play(with_stimulus(SCENARIOS[name]), company, gate) for name in (first, second))
        )


def with_stimulus(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The recording of two sessions has no note of the message that both receive.

    The early ping, which came to the slower of the two, is compared in other scenarios.
    """
    kept = [entry for entry in entries if entry.get("frame") != {"msg": "ping"}]
    at = next(n for n, e in enumerate(kept) if e.get("frame", {}).get("msg") == "changed")
    return [*kept[:at], BOTH_LISTEN, *kept[at:]]


def test_every_recorded_note_is_played() -> None:
    notes = {e["text"] for entries in SCENARIOS.values() for e in entries if e["dir"] == "note"}
    assert notes | {BOTH_LISTEN["text"]} == set(STIMULI)
    assert len(SCENARIOS) == 22
