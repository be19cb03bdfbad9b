"""Commands: accepted once with the chat's position, finished once with all they say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from storage.records import Kind
from storage.store import Store, StoreError
from tests.contract.conftest import Damage
from tests.contract.examples import MINUTE, NOW, SECOND, card, command, letter


async def said(store: Store) -> list[str]:
    found = await store.claim_letters(now=NOW, lease=MINUTE, limit=100, platform="matrix")
    return [each.id for each in found]


async def test_a_command_comes_out_as_it_went_in(store: Store) -> None:
    full = command(
        "full",
        kind=Kind.REACTION,
        direct=True,
        thread="$thread",
        target="$target",
        text="▶ »Möbel« \U0001f44d",
        sent_at=NOW.replace(microsecond=999_000),
    )
    assert await store.accept("matrix", "s1", [full]) == [full]
    assert await store.waiting() == [full]


async def test_commands_and_position_are_kept_together(store: Store) -> None:
    assert await store.position("matrix") is None
    await store.accept("matrix", "s1", [command("a")])
    await store.accept("matrix", "s2", [])
    await store.accept("matrix", None, [command("b")])
    assert await store.position("matrix") == "s2"
    assert await store.position("rocketchat") is None
    assert await store.waiting() == [command("a"), command("b")]


async def test_when_a_command_cannot_be_kept_the_position_stays(store: Store) -> None:
    await store.accept("matrix", "s1", [])
    naive = command("naive", sent_at=NOW.replace(tzinfo=None))
    with pytest.raises(ValueError, match="without a zone"):
        await store.accept("matrix", "s2", [command("good"), naive])
    assert await store.position("matrix") == "s1"
    assert await store.waiting() == []


async def test_only_commands_not_seen_before_are_given_in_their_order(store: Store) -> None:
    await store.accept("matrix", "s1", [command("b"), command("d")])
    again = replace(command("a"), text="another text, the same id")
    batch = [command(name) for name in "abcd"] + [again]
    assert await store.accept("matrix", "s2", batch) == [command("a"), command("c")]
    assert [each.id[-1] for each in await store.waiting()] == ["b", "d", "a", "c"]
    assert (await store.waiting())[2].text == "start"


async def test_a_finished_command_is_still_known(store: Store) -> None:
    await store.accept("matrix", "s1", [command("a")])
    await store.finish(command("a").id, [], at=NOW)
    assert await store.accept("matrix", "s2", [command("a")]) == []
    assert await store.waiting() == []


async def test_a_batch_larger_than_one_statement_keeps_its_order(store: Store) -> None:
    batch = [command(f"{number:04}") for number in range(1201)]
    assert await store.accept("matrix", "s1", batch) == batch
    assert await store.waiting() == batch


async def test_ten_that_accept_the_same_events_at_once_run_each_once(store: Store) -> None:
    batch = [command(name) for name in "abc"]
    given = await asyncio.gather(*(store.accept("matrix", "s1", batch) for _ in range(10)))
    assert sum(given, []) == batch


async def test_half_a_character_does_not_stop_the_inbox(store: Store) -> None:
    await store.accept("matrix", "s1", [command("a", text="cut \ud83d")])
    assert [each.text for each in await store.waiting()] == ["cut ?"]


async def test_every_try_is_counted_before_it_runs(store: Store) -> None:
    await store.accept("matrix", "s1", [command("a")])
    assert await store.attempt(command("a").id) == 1
    assert await store.attempt(command("a").id) == 2
    assert [each.attempts for each in await store.waiting()] == [2]


async def test_ten_tries_at_once_are_ten_different_numbers(store: Store) -> None:
    await store.accept("matrix", "s1", [command("a")])
    tries = await asyncio.gather(*(store.attempt(command("a").id) for _ in range(10)))
    assert sorted(tries) == list(range(1, 11))


async def test_finishing_says_everything_at_once(with_room: Store) -> None:
    await with_room.accept("matrix", "s1", [command("a")])
    await with_room.finish(
        command("a").id, [letter("one"), letter("two", card="card-1")], at=NOW, cards=[card("1")]
    )
    assert await with_room.waiting() == []
    assert await said(with_room) == ["one", "two"]
    assert await with_room.card("card-1") == card("1")


async def test_when_one_letter_cannot_be_kept_the_command_is_not_done(with_room: Store) -> None:
    await with_room.accept("matrix", "s1", [command("a")])
    naive = letter("naive", created_at=NOW.replace(tzinfo=None))
    with pytest.raises(ValueError):
        await with_room.finish(command("a").id, [letter("one"), naive], at=NOW, cards=[card("1")])
    assert await with_room.waiting() == [command("a")]
    assert await said(with_room) == []
    assert await with_room.card("card-1") is None


async def test_finished_twice_is_said_once(store: Store) -> None:
    await store.accept("matrix", "s1", [command("a")])
    await store.finish(command("a").id, [letter("one")], at=NOW)
    await store.finish(command("a").id, [letter("one")], at=NOW + SECOND)
    assert await said(store) == ["one"]


async def test_of_ten_that_finish_at_once_one_speaks(store: Store) -> None:
    await store.accept("matrix", "s1", [command("a")])
    await asyncio.gather(
        *(store.finish(command("a").id, [letter(f"by {n}")], at=NOW) for n in range(10))
    )
    assert len(await said(store)) == 1


async def test_a_letter_that_exists_is_left_as_it_is(store: Store) -> None:
    await store.say([letter("one", content={"first": True})])
    await store.accept("matrix", "s1", [command("a")])
    await store.finish(command("a").id, [letter("one", content={"first": False})], at=NOW)
    [kept] = await store.claim_letters(now=NOW, lease=MINUTE, limit=9, platform="matrix")
    assert kept.content == {"first": True}


async def test_a_buried_command_says_so_and_is_not_run_again(store: Store) -> None:
    await store.accept("matrix", "s1", [command("a")])
    for _ in range(2):
        await store.bury(command("a").id, "KeyError", [letter("sorry")])
    await store.finish(command("a").id, [letter("too late")], at=NOW)
    assert await store.waiting() == []
    assert await said(store) == ["sorry"]


@pytest.mark.parametrize("verb", ["attempt", "finish", "bury"])
async def test_a_command_nobody_accepted_is_a_clear_error(store: Store, verb: str) -> None:
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "attempt": lambda: store.attempt("matrix:$x"),
        "finish": lambda: store.finish("matrix:$x", [letter("one")], at=NOW),
        "bury": lambda: store.bury("matrix:$x", "why", [letter("one")]),
    }
    with pytest.raises(StoreError, match="no command"):
        await calls[verb]()
    assert await said(store) == []


async def test_a_cancelled_write_that_began_is_kept(store: Store) -> None:
    task = asyncio.create_task(store.accept("matrix", "s1", [command("a")]))
    await asyncio.sleep(0)
    task.cancel()
    again = await store.accept("matrix", "s1", [command("a")])
    assert await store.waiting() == [command("a")]
    assert again in ([], [command("a")])


async def test_a_command_that_cannot_be_read_is_set_aside_and_stops_nothing(
    store: Store, damage: Damage
) -> None:
    await store.accept("matrix", "s1", [command("broken"), command("good")])
    damage("UPDATE inbox SET sent_ms = 9000000000000000000 WHERE id = 'matrix:$broken'")
    for _ in range(2):
        assert await store.waiting() == [command("good")]
        assert await store.dead_commands() == 1
    await store.accept("matrix", "s2", [command("later")])
    assert await store.waiting() == [command("good"), command("later")]
