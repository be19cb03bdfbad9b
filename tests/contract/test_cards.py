"""Cards: the latest content wins, edits keep their distance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.store import Store
from tests.contract.conftest import Damage
from tests.contract.examples import MINUTE, NOW, SECOND, TEAM, card, letter


@pytest.fixture
async def posted(with_room: Store) -> Store:
    """A store with `card-1`, posted as `$1`."""
    await with_room.say([letter("post", card="card-1")], cards=[card("1")])
    await with_room.letter_sent("post", "$1", at=NOW)
    return with_room


async def due(store: Store, now: object = NOW) -> list[tuple[int, object]]:
    cards = await store.cards_to_edit(now=now, platform="matrix")  # type: ignore[arg-type]
    return [(each.revision, each.content["shows"]) for each in cards]


async def test_a_posted_card_needs_no_edit(posted: Store) -> None:
    assert await due(posted) == []
    assert await posted.card("nobody's") is None


async def test_the_latest_content_wins(posted: Store) -> None:
    await posted.show_on_card("card-1", {"shows": "running"}, edit_at=NOW)
    await posted.show_on_card("card-1", {"shows": "ended"}, edit_at=NOW)
    assert await due(posted) == [(3, "ended")]
    await posted.card_edited("card-1", 3, next_edit_at=NOW + 15 * SECOND)
    assert await due(posted, NOW + MINUTE) == []


async def test_the_same_content_changes_nothing(posted: Store) -> None:
    await posted.show_on_card("card-1", {"shows": "x", "n": 1}, edit_at=NOW)
    await posted.card_edited("card-1", 2, next_edit_at=NOW)
    before = await posted.card("card-1")
    await posted.show_on_card("card-1", {"n": 1, "shows": "x"}, edit_at=NOW + MINUTE)
    assert await posted.card("card-1") == before


async def test_content_that_came_during_an_edit_is_edited_after_its_time(posted: Store) -> None:
    await posted.show_on_card("card-1", {"shows": "1 inside"}, edit_at=NOW)
    await posted.show_on_card("card-1", {"shows": "2 inside"}, edit_at=NOW)
    await posted.card_edited("card-1", 2, next_edit_at=NOW + 15 * SECOND)
    assert await due(posted, NOW + 14 * SECOND) == []
    assert await due(posted, NOW + 15 * SECOND) == [(3, "2 inside")]


async def test_content_wanted_now_still_keeps_the_distance(posted: Store) -> None:
    await posted.show_on_card("card-1", {"shows": "a"}, edit_at=NOW)
    await posted.card_edited("card-1", 2, next_edit_at=NOW + 15 * SECOND)
    await posted.show_on_card("card-1", {"shows": "b"}, edit_at=NOW + SECOND)
    assert await due(posted, NOW + 14 * SECOND) == []
    assert (await posted.card("card-1")).edit_at == NOW + 15 * SECOND  # type: ignore[union-attr]


async def test_later_wishes_do_not_push_an_edit_away(posted: Store) -> None:
    await posted.show_on_card("card-1", {"shows": "a"}, edit_at=NOW + SECOND)
    await posted.show_on_card("card-1", {"shows": "b"}, edit_at=NOW + MINUTE)
    assert await due(posted) == []
    assert await due(posted, NOW + SECOND) == [(3, "b")]


async def test_an_earlier_wish_brings_an_edit_forward(posted: Store) -> None:
    await posted.show_on_card("card-1", {"shows": "a"}, edit_at=NOW + MINUTE)
    await posted.show_on_card("card-1", {"shows": "b"}, edit_at=NOW + SECOND)
    assert await due(posted, NOW + SECOND) == [(3, "b")]


async def test_a_wish_after_a_shown_one_has_its_own_time(posted: Store) -> None:
    await posted.show_on_card("card-1", {"shows": "a"}, edit_at=NOW)
    await posted.card_edited("card-1", 2, next_edit_at=NOW)
    await posted.show_on_card("card-1", {"shows": "b"}, edit_at=NOW + MINUTE)
    assert await due(posted, NOW + SECOND) == []


async def test_a_card_not_posted_yet_is_not_edited(with_room: Store) -> None:
    await with_room.say([letter("post", card="card-1")], cards=[card("1")])
    await with_room.show_on_card("card-1", {"shows": "running"}, edit_at=NOW)
    assert await due(with_room) == []
    await with_room.letter_sent("post", "$1", at=NOW)
    assert await due(with_room) == [(2, "running")]


async def test_an_old_answer_does_not_take_back_a_newer_edit(posted: Store) -> None:
    await posted.show_on_card("card-1", {"shows": "a"}, edit_at=NOW)
    await posted.show_on_card("card-1", {"shows": "b"}, edit_at=NOW)
    await posted.card_edited("card-1", 3, next_edit_at=NOW)
    await posted.card_edited("card-1", 2, next_edit_at=NOW)
    assert (await posted.card("card-1")).shown == 3  # type: ignore[union-attr]


async def test_a_failed_edit_is_counted_until_one_works_or_the_content_changes(
    posted: Store,
) -> None:
    async def attempts() -> int:
        return (await posted.card("card-1")).attempts  # type: ignore[union-attr]

    await posted.show_on_card("card-1", {"shows": "a"}, edit_at=NOW)
    await posted.card_edit_later("card-1", at=NOW + MINUTE)
    await posted.card_edit_later("card-1", at=NOW + MINUTE)
    assert await attempts() == 2
    assert await due(posted, NOW + SECOND) == []
    assert await due(posted, NOW + MINUTE) == [(2, "a")]
    await posted.show_on_card("card-1", {"shows": "b"}, edit_at=NOW)
    assert await attempts() == 0
    await posted.card_edit_later("card-1", at=NOW + MINUTE)
    await posted.card_edited("card-1", 3, next_edit_at=NOW)
    assert await attempts() == 0


async def test_a_refused_edit_is_not_tried_again(posted: Store) -> None:
    await posted.show_on_card("card-1", {"shows": "a"}, edit_at=NOW)
    await posted.card_edit_dropped("card-1", 2)
    assert await due(posted, NOW + MINUTE) == []
    await posted.show_on_card("card-1", {"shows": "b"}, edit_at=NOW)
    assert await due(posted) == [(3, "b")]


async def test_cards_of_another_chat_are_not_edited_here(with_room: Store) -> None:
    elsewhere = replace(card("2"), channel=replace(TEAM, platform="rocketchat"), revision=2)
    await with_room.say([letter("post", card="card-2")], cards=[elsewhere])
    await with_room.letter_sent("post", "$2", at=NOW)
    assert await due(with_room) == []
    assert len(await with_room.cards_to_edit(now=NOW, platform="rocketchat")) == 1


async def test_a_card_that_cannot_be_read_stays_as_it_is_until_there_is_something_new(
    posted: Store, damage: Damage
) -> None:
    await posted.show_on_card("card-1", {"shows": "running"}, edit_at=NOW)
    damage("UPDATE card SET content = '['")
    for _ in range(2):
        assert await due(posted) == []
    await posted.show_on_card("card-1", {"shows": "ended"}, edit_at=NOW)
    assert await due(posted) == [(3, "ended")]
