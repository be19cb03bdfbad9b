"""Documents of Rocket.Chat as commands: what is one, what is none, and what stands in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.rocketchat.ddp.events import MY_MESSAGES
from bot.chat.rocketchat.receive import LONGEST_TEXT, Place, Reader, room_of
from storage.records import Channel, Kind, Person

ME, ANA = "botBBB0000000001", "ana00000000000001"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(minutes=3)
READER = Reader(ME, ("!bbb", "!meet", "call"))
TEAM = Place("TEAM", "c", "team", since=NOW - timedelta(days=30))
DIRECT = Place("DM", "d", direct=True)
NAMES = ("bbb.bot", "BBB Bot")
ME_MENTIONED = [{"_id": ME, "username": "bbb.bot", "name": "BBB Bot", "type": "user"}]
QUOTE = "[ ](https://chat.example.org/channel/team?msg=aBcDeFgHiJkLmNoPq)"


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def document(msg: Any, **more: Any) -> dict[str, Any]:
    """A message as the realtime API gives it."""
    return {
        "_id": "m1",
        "rid": "TEAM",
        "msg": msg,
        "ts": {"$date": ms(NOW)},
        "u": {"_id": ANA, "username": "ana", "name": "Ana"},
        "_updatedAt": {"$date": ms(NOW)},
        "urls": [],
        "mentions": [],
        "channels": [],
        **more,
    }


def line(
    found: dict[str, Any], place: Place = TEAM, *, names: tuple[str, ...] = NAMES
) -> str | None:
    command = READER.command(found, place, after=BEFORE, names=names)
    return command.text if command else None


@pytest.mark.parametrize(
    ("msg", "expected"),
    [
        ("!bbb", ""),
        ("  !BBB start \n more", "start"),
        ("/bbb start", "start"),
        ("/meet start", "start"),
        ("!meet start", "start"),
        ("call start", "start"),
        ("/all start", None),
        ("!bbbq start", None),
        ("hello !bbb start", None),
        ("", None),
        (f"{QUOTE} !bbb help", "help"),
        (f"{QUOTE}\n!bbb help", "help"),
        (f"{QUOTE} {QUOTE} @bbb.bot help", "help"),
        ("[ ](https://chat.example.org/group/x?jump=1&msg=abc)  !bbb help", "help"),
        ("[look](https://chat.example.org/channel/team?msg=abc) !bbb help", None),
        ("[ ](https://chat.example.org/channel/team) !bbb help", None),
        ('\u2060!bbb join "a\u2060:\u2060b"', 'join "a:b"'),  # copied from a message of ours
    ],
)
def test_prefixes(msg: str, expected: str | None) -> None:
    assert line(document(msg)) == expected


@pytest.mark.parametrize(
    ("msg", "expected"),
    [
        ("@bbb.bot start", "start"),
        ("@bbb.bot: start", "start"),
        ("@BBB.bot, start", "start"),
        ("@bbb.bot", ""),
        ("@BBB Bot start", "start"),
        ("@bbb.bottle start", None),
        ("ask @bbb.bot start", None),
        ("bbb.bot start", None),
        ("@all start", None),
    ],
)
def test_mentions(msg: str, expected: str | None) -> None:
    assert line(document(msg)) == expected


def test_a_mention_under_a_name_that_only_the_server_knows() -> None:
    assert line(document("@old.name help", mentions=ME_MENTIONED), names=()) is None
    renamed = [{"_id": ME, "username": "old.name"}, {"_id": ANA, "username": "ana"}]
    assert line(document("@old.name help", mentions=renamed), names=()) == "help"
    assert line(document("@ana help", mentions=renamed), names=()) is None


def test_no_prefix_is_needed_where_just_two_are() -> None:
    assert line(document("help", rid="DM"), DIRECT) == "help"
    assert line(document("!bbb help", rid="DM"), DIRECT) == "help"
    assert line(document("@bbb.bot help", rid="DM"), DIRECT) == "help"
    assert line(document("help", rid="DM"), Place("DM", "d")) is None, "a group"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"u": {"_id": ME, "username": "bbb.bot"}}, id="the bot itself"),
        pytest.param({"u": {"_id": None, "username": None}}, id="nobody"),
        pytest.param({"u": None}, id="no author"),
        pytest.param({"t": "uj"}, id="the system"),
        pytest.param({"t": "rm"}, id="deleted, history kept"),
        pytest.param({"t": "e2e"}, id="encrypted"),
        pytest.param({"bot": {"i": "integ1"}}, id="an integration"),
        pytest.param({"editedAt": {"$date": ms(NOW)}}, id="edited"),
        pytest.param({"_hidden": True}, id="hidden"),
        pytest.param({"ts": {"$date": ms(BEFORE)}}, id="old, reacted to now"),
        pytest.param({"ts": "yesterday"}, id="no time"),
        pytest.param({"ts": {"$date": 10**30}}, id="no possible time"),
        pytest.param({"ts": None}, id="null time"),
        pytest.param({"_id": 7}, id="no id"),
        pytest.param({"msg": None}, id="no text"),
        pytest.param({"msg": "!bbb " + "x" * LONGEST_TEXT}, id="too long"),
    ],
)
def test_what_is_no_command(more: dict[str, Any]) -> None:
    assert line(document("!bbb help")) == "help"
    assert line({**document("!bbb help"), **more}) is None


def test_what_was_said_before_the_bot_came_is_not_for_it() -> None:
    assert line(document("!bbb help"), Place("TEAM", "c", since=NOW)) == "help"
    assert line(document("!bbb help"), Place("TEAM", "c", since=NOW + timedelta(seconds=1))) is None


def test_a_command_as_the_core_sees_it() -> None:
    found = document("!bbb start", tmid="root", tshow=True)
    command = READER.command(found, TEAM, after=BEFORE)
    assert command is not None
    assert command.id == "rocketchat:m1"
    assert command.kind is Kind.MESSAGE
    assert command.channel == Channel("rocketchat", "TEAM")
    assert command.person == Person("rocketchat", ANA)
    assert (command.origin, command.thread, command.target) == ("m1", "root", None)
    assert command.sent_at == NOW
    assert not command.direct


def test_times_come_in_two_forms() -> None:
    live = READER.command(document("!bbb"), TEAM, after=BEFORE)
    asked = READER.command(document("!bbb", ts="2026-11-21T12:00:00.000Z"), TEAM, after=BEFORE)
    assert live == asked is not None


def test_unreadable_is_what_is_new_and_encrypted() -> None:
    secret = document("x", t="e2e")
    assert READER.is_unreadable(secret, TEAM, after=BEFORE)
    assert not READER.is_unreadable(document("!bbb"), TEAM, after=BEFORE)
    assert not READER.is_unreadable(secret, TEAM, after=NOW), "told before"
    assert not READER.is_unreadable({**secret, "u": {"_id": ME}}, TEAM, after=BEFORE)


JOINED = {"roomParticipant": True, "roomType": "c", "roomName": "team"}


@pytest.mark.parametrize(
    ("access", "event", "room"),
    [
        pytest.param(JOINED, MY_MESSAGES.event, "TEAM", id="a room of ours"),
        pytest.param(
            {**JOINED, "roomParticipant": False}, MY_MESSAGES.event, None, id="not joined"
        ),
        pytest.param({"roomType": "c"}, MY_MESSAGES.event, "TEAM", id="not said: the rooms decide"),
        pytest.param(
            {"roomParticipant": True, "roomType": "l"}, MY_MESSAGES.event, None, id="livechat"
        ),
        pytest.param(None, "TEAM", "TEAM", id="the room's own event"),
        pytest.param(None, "OTHER", None, id="the event of another room"),
        pytest.param(JOINED, f"{ANA}/notification", None, id="another event"),
    ],
)
def test_live_messages_for_us(access: dict[str, Any] | None, event: str, room: str | None) -> None:
    assert room_of(document("!bbb"), access, event) == room


def test_a_live_message_of_no_room() -> None:
    assert room_of(document("!bbb", rid=None), JOINED, MY_MESSAGES.event) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NAMED = ["_id", "rid", "msg", "ts", "u", "_updatedAt", "t", "bot", "editedAt", "mentions", "tmid"]


@given(st.dictionaries(st.sampled_from(NAMED), ANYTHING))
def test_nothing_that_strangers_write_raises(parts: dict[str, Any]) -> None:
    found = document("!bbb help") | parts
    READER.command(found, TEAM, after=BEFORE, names=NAMES)
    READER.is_unreadable(found, TEAM, after=BEFORE)
    room_of(found, found, MY_MESSAGES.event)


def test_hostile_text_costs_little() -> None:
    for text in ("[ ](https://" * 600, f"{QUOTE} " * 100, "[ ](https://" + "a?msg=" * 1300):
        assert line(document(text[: LONGEST_TEXT - 1])) is None
