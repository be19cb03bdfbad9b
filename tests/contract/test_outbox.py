"""Letters: leased to one worker, in their turn, until sent or given up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from storage.records import DeadReason, Letter, Priority
from storage.store import Store
from tests.contract.conftest import Damage
from tests.contract.examples import ANA, BO, MINUTE, NOW, SECOND, TEAM, card, command, letter


async def claim(store: Store, now: object = NOW, limit: int = 100) -> list[Letter]:
    return await store.claim_letters(now=now, lease=MINUTE, limit=limit, platform="matrix")  # type: ignore[arg-type]


async def claimed(store: Store, now: object = NOW, limit: int = 100) -> list[str]:
    return [each.id for each in await claim(store, now, limit)]


async def give_up(
    store: Store,
    name: str,
    reason: DeadReason = DeadReason.REFUSED,
    error: str = "403",
    at: datetime = NOW,
    instead: Sequence[Letter] = (),
) -> None:
    await store.letter_dead(name, at=at, reason=reason, error=error, instead=instead)


async def test_a_letter_comes_out_as_it_went_in(store: Store) -> None:
    to_ana = letter(
        "full",
        person=ANA.id,
        content={"n": [1, {"é": "\ud83d"}], "t": True},
        reply_to="$r",
        thread="$t",
        priority=Priority.NOTICE,
        fallback={"key": "x"},
        fallback_channel="!c",
        next_try_at=NOW,
        attempts=2,
        error="why",
    )
    assert await store.say([to_ana]) == ["full"]
    assert await claim(store) == [to_ana]


async def test_said_again_is_not_new(store: Store) -> None:
    await store.say([letter("b")])
    assert await store.say([letter("c"), letter("b"), letter("a"), letter("c")]) == ["c", "a"]
    assert await claimed(store) == ["b", "c", "a"]


async def test_a_letter_with_two_goals_or_none_is_refused(store: Store) -> None:
    for wrong in (letter("x", channel=None), letter("x", person=ANA.id, channel="!c")):
        with pytest.raises(Exception, match="(?i)check constraint"):
            await store.say([wrong])
    assert await claimed(store) == []


async def test_letters_go_by_priority_then_age(store: Store) -> None:
    await store.say(
        [
            letter("notice", priority=Priority.NOTICE, created_at=NOW - MINUTE),
            letter("young", created_at=NOW),
            letter("card", priority=Priority.CARD),
            letter("old", created_at=NOW - SECOND),
            letter("young too", created_at=NOW),
        ]
    )
    assert await claimed(store) == ["old", "young", "young too", "card", "notice"]


async def test_a_claimed_letter_is_nobody_elses_until_the_lease_ends(store: Store) -> None:
    await store.say([letter("one")])
    assert await claimed(store) == ["one"]
    assert await claimed(store, NOW + MINUTE - SECOND) == []
    assert await claimed(store, NOW + MINUTE) == ["one"]


async def test_of_ten_workers_each_letter_is_claimed_by_one(store: Store) -> None:
    names = [f"letter {number:02}" for number in range(25)]
    await store.say([letter(name, channel=f"!{name}") for name in names])
    taken = await asyncio.gather(*(claimed(store, limit=3) for _ in range(10)))
    assert sorted(sum(taken, [])) == names
    assert [len(part) for part in taken].count(3) == 8


async def test_letters_of_another_chat_stay(store: Store) -> None:
    await store.say([letter("theirs", platform="rocketchat")])
    assert await claimed(store) == []
    theirs = await store.claim_letters(now=NOW, lease=MINUTE, limit=9, platform="rocketchat")
    assert [one.id for one in theirs] == ["theirs"]


async def test_a_sent_letter_is_gone(store: Store) -> None:
    await store.say([letter("one")])
    await claim(store)
    for _ in range(2):
        await store.letter_sent("one", "$posted", at=NOW)
    await store.letter_later("one", at=NOW, error="too late")
    await give_up(store, "one", instead=[letter("instead")])
    assert await claimed(store, NOW + 2 * MINUTE) == []
    assert await store.say([letter("one")]) == []


async def test_a_card_learns_where_it_was_posted(with_room: Store) -> None:
    await with_room.say([letter("post", card="card-1")], cards=[card("1")])
    await with_room.letter_sent("post", "$posted", at=NOW)
    posted = await with_room.card("card-1")
    assert posted == replace(card("1"), ref="$posted", shown=1)
    assert await with_room.card_by_ref("matrix", "$posted") == posted
    assert await with_room.card_by_ref("rocketchat", "$posted") is None


async def test_a_letter_put_off_comes_back_with_its_failure_counted(store: Store) -> None:
    await store.say([letter("one")])
    await claim(store)
    await store.letter_later("one", at=NOW + SECOND, error="502")
    assert await claimed(store) == []
    [again] = await claim(store, NOW + SECOND)
    assert (again.attempts, again.error) == (1, "502")
    await store.letter_later("one", at=NOW + SECOND, error="429", counts=False)
    [again] = await claim(store, NOW + SECOND)
    assert (again.attempts, again.error) == (1, "429")


async def test_a_letter_given_up_is_shown_and_replaced(store: Store) -> None:
    await store.say([letter("one"), letter("two"), letter("three")])
    await give_up(store, "one", DeadReason.FAILED, "500")
    for minute in range(2):
        await give_up(
            store, "two", error="403", at=NOW + (1 + minute) * MINUTE, instead=[letter("instead")]
        )
    two, one = await store.dead_letters()
    assert await store.letter_counts() == (2, 2)
    assert (one.id, one.reason, one.error, one.dead_at) == ("one", DeadReason.FAILED, "500", NOW)
    assert (two.id, two.reason, two.error) == ("two", DeadReason.REFUSED, "403")
    assert two.dead_at == NOW + MINUTE
    assert (two.content, two.channel, two.created_at) == ({"key": "two"}, TEAM.id, NOW)
    assert [each.id for each in await store.dead_letters(limit=1)] == ["two"]
    assert await claimed(store) == ["three", "instead"]


async def test_letters_waiting_for_a_person_are_woken(store: Store) -> None:
    later = NOW + 60 * MINUTE
    await store.say(
        [
            letter("ana", person=ANA.id, next_try_at=later),
            letter("ana, due", person=ANA.id),
            letter("bo", person=BO.id, next_try_at=later),
            letter("channel", next_try_at=later),
        ]
    )
    assert await store.wake_letters(ANA, now=NOW) == 1
    assert await claimed(store) == ["ana", "ana, due"]


async def test_waking_a_leased_letter_does_not_give_it_to_another_worker(store: Store) -> None:
    await store.say([letter("ana", person=ANA.id)])
    await claim(store)
    assert await store.wake_letters(ANA, now=NOW) == 1
    assert await claimed(store) == []


async def test_a_person_who_arrives_while_their_letter_is_tried_is_not_missed(
    store: Store,
) -> None:
    await store.say([letter("ana", person=ANA.id)])
    await claim(store)
    await store.wake_letters(ANA, now=NOW)
    await store.letter_later("ana", at=NOW + 60 * MINUTE, error="not there yet")
    assert await claimed(store) == ["ana"]
    await store.letter_later("ana", at=NOW + 60 * MINUTE, error="not there yet")
    assert await claimed(store) == []


async def test_behind_a_letter_that_is_put_off_or_leased_the_later_ones_of_its_goal_wait(
    store: Store,
) -> None:
    await store.say([letter("one"), letter("two"), letter("other", channel="!other")])
    await store.say([letter("ana 1", person=ANA.id), letter("ana 2", person=ANA.id)])
    assert await claimed(store, limit=1) == ["one"]
    assert await claimed(store) == ["other", "ana 1", "ana 2"]
    await store.letter_sent("other", "$other", at=NOW)
    await store.letter_later("one", at=NOW + MINUTE, error="502")
    await store.letter_later("ana 1", at=NOW + MINUTE, error="502")
    await store.release_letters(["ana 2"])
    await store.say([letter("three"), letter("ana 3", person=ANA.id)])
    assert await claimed(store) == []
    assert await claimed(store, NOW + MINUTE) == ["one", "two", "ana 1", "ana 2", "three", "ana 3"]


async def test_what_goes_first_does_not_wait_for_what_comes_after_it(store: Store) -> None:
    await store.say([letter("notice", priority=Priority.NOTICE, created_at=NOW - MINUTE)])
    await store.letter_later("notice", at=NOW + MINUTE, error="502")
    await store.say([letter("answer"), letter("notice 2", priority=Priority.NOTICE)])
    assert await claimed(store) == ["answer"]


async def test_answers_are_claimed_apart_from_what_nobody_waits_for(store: Store) -> None:
    priorities = {"answer": Priority.ANSWER, "card": Priority.CARD, "notice": Priority.NOTICE}
    await store.say([letter(n, channel=f"!{n}", priority=p) for n, p in priorities.items()])
    for asked, names in ((True, ["answer"]), (False, ["card", "notice"])):
        found = await store.claim_letters(
            now=NOW, lease=MINUTE, limit=9, platform="matrix", asked=asked
        )
        assert [each.id for each in found] == names


async def test_a_letter_given_back_is_free_at_once(store: Store) -> None:
    await store.say([letter("one")])
    await claim(store)
    await store.release_letters(["one", "unknown"])
    assert await claimed(store) == ["one"]


async def test_handed_over_are_answers_that_need_not_wait(store: Store) -> None:
    await store.say([letter("before"), letter("elsewhere", channel="!other")])
    await store.letter_later("before", at=NOW + MINUTE, error="502")
    said = [
        letter("waits", created_at=NOW + SECOND),
        letter("goes", channel="!third"),
        letter("in flight", channel="!other", created_at=NOW + SECOND),
        letter("later", channel="!fourth", next_try_at=NOW + MINUTE),
        letter("notice", channel="!fifth", priority=Priority.NOTICE),
    ]
    await store.accept("matrix", None, [command("a")])
    new = await store.finish(command("a").id, said, at=NOW, lease=SECOND)
    assert new == ["goes", "in flight"]
    assert await claimed(store) == ["elsewhere", "notice"]


async def test_how_often_the_chat_broke_is_counted_by_itself(store: Store) -> None:
    await store.say([letter("one")])
    await store.letter_later("one", at=NOW, error="502")
    await store.letter_later("one", at=NOW, error="500", broke=True)
    [again] = await claim(store)
    assert (again.attempts, again.failures) == (2, 1)


@pytest.mark.parametrize("column", ["content", "fallback"])
async def test_a_letter_that_cannot_be_read_is_set_aside(
    store: Store, damage: Damage, column: str
) -> None:
    await store.say([letter("broken"), letter("good")])
    damage(f"UPDATE outbox SET {column} = '{{' WHERE id = 'broken'")
    assert await claimed(store) == ["good"]
    [dead] = await store.dead_letters()
    assert (dead.id, dead.reason) == ("broken", DeadReason.UNREADABLE)
    assert dead.error == "JSONDecodeError"


async def test_letters_given_up_are_retried_once_per_cause(store: Store) -> None:
    await store.say([letter("one", attempts=2, failures=2), letter("two"), letter("alive")])
    for name in ("one", "two"):
        await give_up(store, name)
    numbers = sorted(each.number for each in await store.dead_letters())
    assert await store.retry_letters([numbers[1], 999], cause="c1") == [numbers[1]]
    assert await store.retry_letters(None, cause="c2") == [numbers[0]]
    again = await claim(store)
    assert [each.id for each in again] == ["one", "two", "alive"]
    assert {(each.attempts, each.failures, each.error) for each in again} == {(0, 0, "")}
    await give_up(store, "one")
    assert [each.number for each in await store.dead_letters()] == [numbers[0]]
    assert await store.retry_letters(None, cause="c2") == [numbers[0]]
    assert await store.letter_counts() == (2, 1)


async def test_what_is_dropped_says_nothing_any_more_and_is_still_known(store: Store) -> None:
    await store.say([letter("one"), letter("two", person=ANA.id)])
    for name in ("one", "two"):
        await give_up(store, name)
    [two, one] = [each.number for each in await store.dead_letters()]
    assert await store.drop_letters([one], at=NOW, cause="c1") == [one]
    assert await store.drop_letters(None, at=NOW, cause="c2") == [two]
    assert await store.drop_letters(None, at=NOW, cause="c2") == [two]
    assert await store.drop_letters(None, at=NOW, cause="c3") == []
    assert await store.dead_letters() == []
    assert await store.letter_counts() == (0, 0)
    assert await store.say([letter("one")]) == []
    assert await store.prune(before=NOW + MINUTE) == 2
