"""Reactions on the bot's own cards as presses: each counts once, taken back and given again too."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.chat.rocketchat.position import (
    CARDS_LAST,
    MOST_CARDS,
    OVERLAP,
    Position,
    dumped,
    loaded,
)
from bot.chat.rocketchat.presses import Card, Press, card_of, command_of, merged, presses
from bot.chat.rocketchat.receive import Place
from storage.records import Kind, Person

ME = "botBBB0000000001"
NAMES = ("bbb.bot", "BBB Bot")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
START, STOP = ":arrow_forward:", ":stop_button:"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def card_document(reactions: Any, *, seconds: float = 0, **more: Any) -> dict[str, Any]:
    return {
        "_id": "card1",
        "rid": "TEAM",
        "msg": "A call",
        "ts": {"$date": int(NOON.timestamp() * 1000)},
        "u": {"_id": ME, "username": "bbb.bot"},
        "_updatedAt": {"$date": int(at(seconds).timestamp() * 1000)},
        "reactions": reactions,
        **more,
    }


def card(seconds: float = 0, **pressed: list[str]) -> Card:
    names = {"start": START, "stop": STOP}
    found = {
        names[name]: {"usernames": ["bbb.bot", *people]} for name, people in pressed.items()
    } or {START: {"usernames": ["bbb.bot"]}}
    seen = card_of(card_document(found, seconds=seconds), me=ME, names=NAMES)
    assert seen is not None
    return seen


def by(before: Card | None, now: Card) -> list[tuple[str, str]]:
    return [(press.key, press.username) for press in presses(before, now)]


def test_the_bots_own_reactions_are_the_buttons() -> None:
    assert by(None, card()) == []
    assert card().pressed == {}


def test_a_press_is_what_was_not_there_before() -> None:
    first = card(1, start=["ana"])
    second = card(2, start=["ana", "bo"], stop=["ana"])
    assert by(card(), first) == [("▶", "ana")]
    assert by(first, second) == [("▶", "bo"), ("⏹", "ana")]
    assert by(second, card(3, start=["ana", "bo"], stop=["ana"])) == [], "the card was edited"


def test_taken_back_and_given_again_counts_again() -> None:
    pressed, without = card(1, start=["ana"]), card(2)
    assert by(pressed, without) == []
    remembered = merged(pressed, without)
    assert by(remembered, card(3, start=["ana"])) == [("▶", "ana")]


def test_an_older_state_that_comes_late_is_nothing() -> None:
    now, older = card(5, start=["ana"]), card(3, start=["bo"])
    assert by(now, older) == []
    assert merged(now, older) == now


def test_two_states_of_one_moment_are_taken_together() -> None:
    one, other = card(1, start=["ana"]), card(1, start=["bo"])
    assert by(one, other) == [("▶", "bo")]
    both = merged(one, other)
    assert both.pressed == {START: frozenset({"ana", "bo"})}
    assert by(both, one) == by(both, other) == []


@pytest.mark.parametrize(
    "document",
    [
        card_document({START: {"usernames": ["ana"]}}, u={"_id": "ana00000000000001"}),
        card_document({":+1:": {"usernames": ["ana"]}}),
        card_document({}),
        card_document(None),
        card_document({START: {"usernames": ["ana"]}}, t="rm"),
        card_document({START: {"usernames": ["ana"]}}, _updatedAt=None),
        card_document({START: {"usernames": ["ana"]}}, rid=None),
        card_document({START: {"usernames": ["ana"]}}, _id=None),
    ],
)
def test_what_is_no_card(document: dict[str, Any]) -> None:
    assert card_of(document, me=ME, names=NAMES) is None


@pytest.mark.parametrize("found", [None, [], "ana", {}, {"usernames": "ana"}, {"usernames": [1]}])
def test_nobody_pressed_where_the_list_is_none(found: Any) -> None:
    seen = card_of(card_document({START: found}), me=ME, names=NAMES)
    assert seen is not None
    assert seen.pressed == {}


def test_a_press_as_the_core_sees_it() -> None:
    place = Place("TEAM", "c")
    command = command_of(Press("▶", START, "ana"), "card1", card(1), place, "anaid")
    again = command_of(Press("▶", START, "ana"), "card1", card(3), place, "anaid")
    assert command.kind is Kind.REACTION
    assert command.person == Person("rocketchat", "anaid")
    assert (command.text, command.target, command.origin) == ("▶", "card1", "card1")
    assert command.sent_at == at(1)
    assert command.id != again.id


# --- what is remembered ---------------------------------------------------------------------------


def test_a_position_survives_the_store() -> None:
    position = (
        Position(base=NOON, began=at(-50))
        .looked(at(10), {"TEAM": NOON, "OTHER": at(-3)})
        .remembering("card1", card(1, start=["ana", "bo"], stop=["ana"]))
    )
    position = replace(position, rooms={"TEAM": "subscription1", "OTHER": None})
    assert loaded(dumped(position)) == position
    assert len(dumped(position)) < 300


@pytest.mark.parametrize("kept", ["", "{}", "[]", "null", "s72594_4483", '{"base":"x"}', "7"])
def test_a_text_that_is_no_position_is_told(kept: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        loaded(kept)


def test_rooms_stay_behind_until_they_were_asked() -> None:
    first = Position(base=NOON).looked(at(10), {"TEAM": NOON})
    second = first.looked(at(20), {"TEAM": at(10), "OTHER": at(10)})
    assert second.base == at(20)
    assert second.behind == {"TEAM": NOON, "OTHER": at(10)}
    assert second.asked("TEAM").behind == {"OTHER": at(10)}
    assert second.only(["TEAM"]).behind == {"TEAM": NOON}


def test_the_base_goes_back_only_when_told() -> None:
    position = Position(base=NOON, began=at(-10)).looked(at(-100), {})
    assert position.base == NOON
    ahead = Position(base=at(86_400), began=at(86_400)).back_to(NOON)
    assert ahead.base == NOON
    assert ahead.after(ahead.base) < NOON


def test_history_stays_history() -> None:
    began = Position(base=NOON, began=NOON)
    assert began.after(NOON) == NOON
    later = began.looked(at(3600), {})
    assert later.after(later.base) == at(3600) - OVERLAP


def test_few_cards_are_remembered_and_the_forgotten_count_as_pressed() -> None:
    position = Position()
    for n in range(MOST_CARDS + 3):
        position = position.remembering(f"card{n}", card(n, start=["ana"]))
    assert len(position.cards) == MOST_CARDS
    assert "card2" not in position.cards
    assert position.silent_until == at(2)
    much_later = card(CARDS_LAST.total_seconds() + 100, start=["ana"])
    position = position.remembering("new", much_later)
    assert min(one.seen for one in position.cards.values()) == at(100)
    assert position.silent_until == at(99)
