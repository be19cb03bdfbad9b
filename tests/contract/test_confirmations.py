"""A question is taken once, in time, and by its own cause as often as a crash makes it ask."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from storage.records import Confirmation
from storage.store import Store
from tests.contract.examples import ANA, BO, MINUTE, NOW, SECOND

END = Confirmation(ANA, "end", "room-1 meeting-1", NOW + MINUTE)


async def test_nothing_asked_nothing_taken(store: Store) -> None:
    assert await store.take_confirmation(ANA, "end", now=NOW, cause="c") is None


async def test_a_question_is_taken_by_one_cause_only(store: Store) -> None:
    await store.ask_to_confirm(END)
    causes = [f"cause-{number}" for number in range(10)]
    taken = await asyncio.gather(
        *(store.take_confirmation(ANA, "end", now=NOW, cause=cause) for cause in causes)
    )
    assert [each for each in taken if each] == [replace(END, taken_by=causes[0])]


async def test_the_same_cause_takes_it_again_even_later(store: Store) -> None:
    await store.ask_to_confirm(END)
    first = await store.take_confirmation(ANA, "end", now=NOW, cause="c")
    again = await store.take_confirmation(ANA, "end", now=NOW + 9 * MINUTE, cause="c")
    assert first == again == replace(END, taken_by="c")


async def test_a_question_is_open_until_its_time_is_over(store: Store) -> None:
    await store.ask_to_confirm(END)
    assert await store.take_confirmation(ANA, "end", now=NOW + MINUTE, cause="c") is None
    almost = NOW + MINUTE - SECOND
    assert await store.take_confirmation(ANA, "end", now=almost, cause="c") is not None


async def test_a_question_belongs_to_its_person_and_verb(store: Store) -> None:
    await store.ask_to_confirm(END)
    assert await store.take_confirmation(BO, "end", now=NOW, cause="c") is None
    assert await store.take_confirmation(ANA, "delete", now=NOW, cause="c") is None


async def test_a_newer_question_replaces_the_old_one(store: Store) -> None:
    await store.ask_to_confirm(END)
    await store.take_confirmation(ANA, "end", now=NOW, cause="first")
    newer = replace(END, subject="room-2 meeting-2")
    await store.ask_to_confirm(newer)
    taken = await store.take_confirmation(ANA, "end", now=NOW, cause="second")
    assert taken == replace(newer, taken_by="second")
