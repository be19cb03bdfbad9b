"""Messages before they have words: kept as JSON and given back."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.messages import (
    Address,
    Arg,
    Code,
    Document,
    LinkTo,
    Mention,
    Message,
    Phrase,
    Style,
    Text,
    TextKey,
    Typed,
    Who,
    from_json,
    message,
    plain,
    to_json,
)
from storage.records import LinkKind, Person

PEOPLE = st.builds(Person, st.sampled_from(["matrix", "rocketchat"]), st.text(max_size=20))
NAMES = st.text(st.characters(codec="utf-8"), max_size=20)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])

SIMPLE: st.SearchStrategy[Arg] = st.one_of(
    NAMES,
    st.integers(),
    st.datetimes(timezones=ZONES),
    st.timedeltas(timedelta(days=-10_000), timedelta(days=10_000)),
    st.builds(Who, PEOPLE, NAMES),
    st.builds(LinkTo, st.sampled_from(LinkKind), NAMES, st.integers(1), st.none() | PEOPLE),
    st.builds(Typed, NAMES),
)
ARGS: st.SearchStrategy[Arg] = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.builds(TextKey, NAMES, st.dictionaries(NAMES, inner, max_size=3)),
    ),
    max_leaves=6,
)
MESSAGES = st.builds(
    Message,
    phrases=st.lists(
        st.builds(Phrase, NAMES, st.dictionaries(NAMES, ARGS, max_size=4)), max_size=3
    ).map(tuple),
    style=st.sampled_from(Style),
    pings=st.lists(PEOPLE, max_size=2).map(tuple),
    buttons=st.lists(NAMES, max_size=2).map(tuple),
    language=st.sampled_from([None, "en", "fr", "de"]),
)


@given(MESSAGES)
def test_a_message_survives_being_kept_as_json(kept: Message) -> None:
    assert from_json(json.loads(json.dumps(to_json(kept)))) == kept


def test_what_is_kept_holds_no_words_and_no_address() -> None:
    link = LinkTo(LinkKind.ROOM, "room-1", 1)
    assert json.dumps(to_json(message("join.link", link=link, room="Plan"))) == json.dumps(
        {
            "phrases": [
                ["join.link", {"link": {"link": ["room", "room-1", 1, None]}, "room": "Plan"}]
            ],
            "style": "notice",
            "pings": [],
            "buttons": [],
            "language": None,
        }
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),  # never "text"
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["phrases", "style", "pings", "buttons", "language", "x"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_anything_else_is_refused_as_unreadable(value: Any) -> None:
    with pytest.raises((KeyError, ValueError)):
        from_json(value)


@pytest.mark.parametrize(
    "arg",
    [
        None,
        1.5,
        {},
        {"at": "noon"},
        {"at": 5},
        {"who": ["x"]},
        {"link": ["door", "r", 1, None]},
        {"link": ["room", "r", 1, ["x"]]},
        {"text": "x"},
        {"s": "5"},
    ],
    ids=repr,
)
def test_an_argument_that_is_none_is_refused_as_unreadable(arg: Any) -> None:
    value = {**to_json(message("hello")), "phrases": [["hello", {"x": arg}]]}
    with pytest.raises((KeyError, ValueError)):
        from_json(value)


def test_as_plain_text_everything_is_there_and_addresses_stand_in_full() -> None:
    document = Document(
        (
            (Text("Ana", bold=True), Text(" calls "), Mention(Person("matrix", "@b:x"), "Bo")),
            (Address("https://a.org/j/x", "Join"), Text(", "), Address("https://a.org/j/y", "")),
            (),
            (Code("!bbb end"),),
        )
    )
    assert plain(document) == (
        "Ana calls Bo\nJoin: https://a.org/j/x, https://a.org/j/y\n\n`!bbb end`"
    )


def test_moments_keep_their_zone_and_their_microseconds() -> None:
    when = datetime(2026, 3, 29, 2, 30, 0, 123, tzinfo=timezone(timedelta(hours=1)))
    assert from_json(to_json(message("x", at=when))).phrases[0].args["at"] == when
