"""How often somebody may ask."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.limits import Limiter

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def taken(limiter: Limiter, times: int, at: datetime = NOON) -> list[bool]:
    return [limiter.wait("ana", at) is None for _ in range(times)]


def test_so_many_at_once_and_then_no_more() -> None:
    assert taken(Limiter(3, MINUTE), 5) == [True, True, True, False, False]


def test_it_says_how_long_to_wait_and_keeps_its_word() -> None:
    limiter = Limiter(3, MINUTE)
    taken(limiter, 3)
    wait = limiter.wait("ana", NOON)
    assert wait == timedelta(seconds=20)
    assert limiter.wait("ana", NOON + wait / 2) is not None
    assert limiter.wait("ana", NOON + wait) is None


def test_a_refusal_takes_nothing() -> None:
    limiter = Limiter(1, MINUTE)
    taken(limiter, 50)
    assert limiter.wait("ana", NOON + MINUTE) is None


def test_one_person_does_not_use_up_what_another_has() -> None:
    limiter = Limiter(1, MINUTE)
    assert taken(limiter, 2) == [True, False]
    assert limiter.wait("bo", NOON) is None


def test_nothing_is_saved_up_beyond_the_most() -> None:
    limiter = Limiter(3, MINUTE)
    taken(limiter, 1)
    assert taken(limiter, 4, NOON + timedelta(days=7)) == [True, True, True, False]


def test_several_at_once_cost_as_many() -> None:
    limiter = Limiter(20, timedelta(hours=1))
    assert limiter.wait("ana", NOON, cost=15) is None
    assert limiter.wait("ana", NOON, cost=15) == timedelta(minutes=30)
    assert limiter.wait("ana", NOON, cost=5) is None


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    limiter = Limiter(1, MINUTE)
    taken(limiter, 1)
    assert limiter.wait("ana", NOON - timedelta(seconds=1)) == MINUTE
    assert limiter.wait("ana", NOON - timedelta(hours=1)) is None
    assert limiter.wait("ana", NOON - timedelta(hours=1)) == MINUTE


def test_whoever_asked_least_lately_is_forgotten_first() -> None:
    limiter = Limiter(1, MINUTE, keys=2)
    for key in ("ana", "bo", "ana", "cy"):
        limiter.wait(key, NOON)
    assert limiter.wait("ana", NOON) is not None
    assert limiter.wait("bo", NOON) is None


@given(
    st.integers(1, 50),
    st.floats(1, 4000),
    st.lists(st.tuples(st.floats(0, 100), st.integers(1, 5)), max_size=40),
)
def test_waiting_as_long_as_told_is_enough(
    most: int, window: float, asked: list[tuple[float, int]]
) -> None:
    limiter, now = Limiter(most, timedelta(seconds=window)), NOON
    for pause, cost in asked:
        now += timedelta(seconds=pause)
        if cost <= most and (wait := limiter.wait("ana", now, cost)):
            now += wait
            assert limiter.wait("ana", now, cost) is None


@given(st.integers(1, 20), st.lists(st.floats(0, 10), max_size=60))
def test_never_more_than_allowed_in_any_window(most: int, pauses: list[float]) -> None:
    """A full bucket and what flows in while it empties: at most twice as many in a window."""
    limiter, now, let_in = Limiter(most, MINUTE), NOON, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if limiter.wait("ana", now) is None:
            let_in.append(now)
    for start in let_in:
        assert sum(start <= at < start + MINUTE for at in let_in) <= 2 * most


@pytest.mark.parametrize("most", [1, 7, 30])
def test_the_rate_holds_over_a_long_time(most: int) -> None:
    limiter = Limiter(most, MINUTE)
    seconds = (NOON + timedelta(seconds=n) for n in range(3600))
    assert sum(limiter.wait("ana", at) is None for at in seconds) in range(60 * most, 61 * most + 1)
