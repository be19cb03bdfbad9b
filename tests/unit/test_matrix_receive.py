"""Matrix events as commands: what is one, what is none, and what stands in it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.matrix.mentions import with_ids
from bot.chat.matrix.receive import LONGEST_BODY, OUR_ID, Place, Reader
from bot.chat.mention import without_leading
from storage.records import Channel, Kind, Person

ME = "@bbb:example.org"
ADA = "@ada:example.org"
ROOM = "!room"
READER = Reader(ME, ("!bbb",))
TEAM = Place(ROOM, names=("Call Bot",))
DIRECT = Place(ROOM, direct=True, names=("Call Bot",))
TO_ME = {"m.mentions": {"user_ids": [ME]}}


def pill(user: str, label: str) -> str:
    return f'<a href="https://matrix.to/#/{user}">{label}</a>'


def event(content: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "m.room.message",
        "event_id": "$1",
        "sender": ADA,
        "origin_server_ts": 1_700_000_000_123,
        "content": content,
        **more,
    }


def text(body: Any, **content: Any) -> dict[str, Any]:
    return event({"msgtype": "m.text", "body": body, **content})


def line(found: dict[str, Any], place: Place = TEAM) -> str | None:
    command = READER.command(found, place)
    return command.text if command else None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(text("!bbb"), "", id="the prefix alone"),
        pytest.param(text("!bbb start"), "start", id="the prefix and a verb"),
        pytest.param(text("  !BBB start \n more"), "start", id="the first line only"),
        pytest.param(text("/bbb start"), "start", id="a slash"),
        pytest.param(text("//bbb start"), "start", id="two slashes"),
        pytest.param(text("!bbbq start"), None, id="another word"),
        pytest.param(text("hello !bbb start"), None, id="the prefix in the middle"),
        pytest.param(text(f"{ME} start"), "start", id="my id without a mention"),
        pytest.param(text(f"{ME}: start", **TO_ME), "start", id="my id and a colon"),
        pytest.param(text("Call Bot: start", **TO_ME), "start", id="my name and a colon"),
        pytest.param(text("call bot, start", **TO_ME), "start", id="my name, a comma, small"),
        pytest.param(text("@bbb start", **TO_ME), "start", id="my local part with @"),
        pytest.param(text("bbb start", **TO_ME), "start", id="my local part"),
        pytest.param(text("Call Bot", **TO_ME), "", id="a mention alone"),
        pytest.param(text("Call Bot: start"), None, id="my name, but nobody is mentioned"),
        pytest.param(text("Call Bots are fun", **TO_ME), None, id="a longer name"),
        pytest.param(text("ask Call Bot", **TO_ME), None, id="a mention in the middle"),
        pytest.param(
            text("Robo: start", formatted_body=f"{pill(ME, 'Robo')}: start"),
            "start",
            id="my pill under another name",
        ),
        pytest.param(text("Call Bot: !bbb start", **TO_ME), "start", id="a mention and the prefix"),
        pytest.param(
            text("!bbb call Ana & Co x", formatted_body=f"!bbb call {pill(ADA, 'Ana &amp; Co')} x"),
            f"call {ADA} x",
            id="a pill becomes the id",
        ),
        pytest.param(
            text(
                "> <@x:y> quoted\n> more\n\n!bbb start",
                **{"m.relates_to": {"m.in_reply_to": {"event_id": "$0"}}},
            ),
            "start",
            id="below a reply's quotation",
        ),
        pytest.param(text("> !bbb start"), None, id="a quotation that is no reply"),
        pytest.param(text("hello"), None, id="talk among people"),
        pytest.param(event({"msgtype": "m.notice", "body": "!bbb"}), None, id="another bot"),
        pytest.param(
            event({"msgtype": "m.text", "body": "!bbb", OUR_ID: "bbb-bot.1"}),
            None,
            id="another bbb-bot",
        ),
        pytest.param(event({"msgtype": "m.emote", "body": "!bbb"}), None, id="an emote"),
        pytest.param(event({"msgtype": "m.image", "body": "!bbb"}), None, id="an image"),
        pytest.param(event({"msgtype": "x.new", "body": "!bbb"}), None, id="an unknown msgtype"),
        pytest.param(event({"msgtype": 5, "body": "!bbb"}), None, id="a msgtype that is a number"),
        pytest.param(event({"body": "!bbb"}), None, id="no msgtype"),
        pytest.param(text(""), None, id="an empty body"),
        pytest.param(text(5), None, id="a body that is a number"),
        pytest.param(text({"a": 1}), None, id="a body that is an object"),
        pytest.param(event({"msgtype": "m.text"}), None, id="no body"),
        pytest.param(event({}), None, id="a redacted message"),
        pytest.param(
            {**text("!bbb"), "unsigned": {"redacted_because": {}}}, None, id="redacted, still there"
        ),
        pytest.param(event(None), None, id="no content"),
        pytest.param(event([]), None, id="a list as content"),
        pytest.param(
            text("* !bbb end", **{"m.relates_to": {"rel_type": "m.replace", "event_id": "$0"}}),
            None,
            id="an edit",
        ),
        pytest.param(text("!bbb", **{"m.new_content": {}}), None, id="an edit without relation"),
        pytest.param({**text("!bbb"), "sender": ME}, None, id="my own words"),
        pytest.param({**text("!bbb"), "sender": 5}, None, id="a sender that is a number"),
        pytest.param({**text("!bbb"), "event_id": None}, None, id="no event id"),
        pytest.param({**text("!bbb"), "origin_server_ts": "1"}, None, id="a time that is a text"),
        pytest.param({**text("!bbb"), "origin_server_ts": True}, None, id="a time that is true"),
        pytest.param({**text("!bbb"), "origin_server_ts": 10**30}, None, id="a time beyond time"),
        pytest.param({**text("!bbb"), "state_key": ""}, None, id="a state event"),
        pytest.param({**text("!bbb"), "type": "m.room.encrypted"}, None, id="still encrypted"),
        pytest.param({**text("!bbb"), "type": "org.matrix.msc1767.message"}, None, id="a new type"),
        pytest.param(text("!bbb " + "x" * LONGEST_BODY), None, id="a very long message"),
        pytest.param(text("!bbb", **{"m.mentions": 5}), "", id="mentions of the wrong shape"),
        pytest.param(text("!bbb", **{"m.relates_to": [1]}), "", id="a relation of the wrong shape"),
        pytest.param(text("!bbb", formatted_body=7), "", id="HTML of the wrong shape"),
    ],
)
def test_in_a_room(found: dict[str, Any], expected: str | None) -> None:
    assert line(found) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(text("start"), "start", id="no prefix is needed"),
        pytest.param(text("!bbb start"), "start", id="a prefix does no harm"),
        pytest.param(text("Call Bot: start", **TO_ME), "start", id="nor a mention"),
        pytest.param(event({"msgtype": "m.notice", "body": "hi"}), None, id="another bot"),
        pytest.param(text(" \n "), None, id="blanks"),
    ],
)
def test_in_a_direct_message(found: dict[str, Any], expected: str | None) -> None:
    assert line(found, DIRECT) == expected


def test_what_stands_in_a_command() -> None:
    in_thread = {"m.relates_to": {"rel_type": "m.thread", "event_id": "$root"}}

    command = READER.command(text("!bbb start", **in_thread), DIRECT)

    assert command is not None
    assert (command.id, command.origin, command.thread) == ("matrix:$1", "$1", "$root")
    assert (command.channel, command.person) == (Channel("matrix", ROOM), Person("matrix", ADA))
    assert command.kind is Kind.MESSAGE
    assert command.direct
    assert command.sent_at == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)


def reaction(**relation: Any) -> dict[str, Any]:
    related = {"rel_type": "m.annotation", "event_id": "$card", "key": "▶", **relation}
    return {**event({"m.relates_to": related}), "type": "m.reaction"}


def test_a_reaction_is_a_command_on_its_message() -> None:
    command = READER.command(reaction(), TEAM)

    assert command is not None
    assert (command.kind, command.text, command.target) == (Kind.REACTION, "▶", "$card")
    assert (command.id, command.origin) == ("matrix:$1", "$card")


def test_a_key_is_the_same_with_and_without_emoji_style() -> None:
    assert line(reaction(key="▶\ufe0f")) == "▶"


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({**reaction(), "sender": ME}, id="my own"),
        pytest.param(reaction(rel_type="m.thread"), id="another relation"),
        pytest.param(reaction(key=5), id="a key that is a number"),
        pytest.param(reaction(key=""), id="an empty key"),
        pytest.param(reaction(key="x" * 100), id="a long key"),
        pytest.param(reaction(event_id=None), id="on nothing"),
        pytest.param({**reaction(), "content": {}}, id="redacted"),
    ],
)
def test_reactions_that_are_no_commands(found: dict[str, Any]) -> None:
    assert READER.command(found, TEAM) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["type", "event_id", "sender", "origin_server_ts", "content", "unsigned"]),
        json_values,
    ),
    st.dictionaries(
        st.sampled_from(
            ["msgtype", "body", "formatted_body", "m.relates_to", "m.mentions", "m.new_content"]
        ),
        json_values,
    ),
    st.sampled_from(["m.room.message", "m.reaction"]),
)
def test_no_event_of_any_shape_is_too_much(
    outer: dict[str, Any], content: dict[str, Any], kind: str
) -> None:
    READER.command(outer, TEAM)
    READER.command({**text("!bbb"), "type": kind, "content": content, **outer}, TEAM)
    usual = {"msgtype": "m.text", "body": "!bbb"}
    READER.command({**event({**usual, **content}), "type": kind}, DIRECT)


# --- mentions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "formatted", "expected"),
    [
        pytest.param(
            "call Ana and Bo",
            f"call {pill('@ana:x', 'Ana')} and {pill('@bo:x', 'Bo')}",
            "call @ana:x and @bo:x",
            id="two pills in their order",
        ),
        pytest.param(
            "call Ana Ana",
            f"call {pill('@ana:x', 'Ana')} {pill('@ana2:x', 'Ana')}",
            "call @ana:x @ana2:x",
            id="two people of one name",
        ),
        pytest.param(
            "call [Ana](https://matrix.to/#/@ana:x) now",
            f"call {pill('@ana:x', 'Ana')} now",
            "call @ana:x now",
            id="a link as Element X writes it",
        ),
        pytest.param(
            "call @ana:x now", f"call {pill('@ana:x', 'Ana')} now", "call @ana:x now", id="an id"
        ),
        pytest.param(
            "call Ana", f"call {pill('%40ana%3Ax', 'Ana')}", "call @ana:x", id="a quoted id"
        ),
        pytest.param(
            "see Room", "see " + pill("!room:x", "Room"), "see Room", id="a room is no person"
        ),
        pytest.param("call Bo", pill("@ana:x", "Ana"), "call Bo", id="a pill of another text"),
        pytest.param("call Bo", pill("@ana:x", " "), "call Bo", id="a pill without a name"),
    ],
)
def test_pills_are_written_as_ids(body: str, formatted: str, expected: str) -> None:
    assert with_ids(body, formatted) == expected


def test_hostile_html_costs_little_time() -> None:
    began = time.perf_counter()
    for piece in ("<a ", '<a href="https://matrix.to/#/@a', '<a href="https://matrix.to/#/@a:b">x'):
        with_ids("x" * 8_000, piece * 3_000)

    assert time.perf_counter() - began < 2


def test_a_mention_at_the_start_is_taken_off() -> None:
    names = ("", "bot", "Bot Two")

    assert without_leading("Bot Two: help", names) == "help"
    assert without_leading("bot", names) == ""
    assert without_leading("bot,help", names) == "help"
    assert without_leading("bottle", names) is None
    assert without_leading("", names) is None
