"""When the bot silences itself: too many posts in one place, not asked for by ever new people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from commands.limits import Breaker

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(10, 10 * SECOND, 60 * SECOND)


def test_the_post_too_much_begins_the_silence(breaker: Breaker) -> None:
    for number in range(11):
        assert breaker.count("room", "bot", 1, NOON + number * SECOND / 2) is None
    assert breaker.count("room", "bot", 1, NOON + 6 * SECOND) == NOON + 66 * SECOND
    assert breaker.silent_until("room", NOON + 65 * SECOND) == NOON + 66 * SECOND
    assert breaker.silent_until("room", NOON + 66 * SECOND) is None
    assert breaker.silent_until("another room", NOON + 6 * SECOND) is None


def test_fifty_people_who_ask_at_once_are_no_loop(breaker: Breaker) -> None:
    assert [breaker.count("room", f"person {n}", 1, NOON) for n in range(50)] == [None] * 50


def test_one_post_a_second_is_no_loop(breaker: Breaker) -> None:
    assert [breaker.count("room", "bot", 1, NOON + n * SECOND) for n in range(99)] == [None] * 99


def test_one_command_that_says_much_counts_for_all_of_it(breaker: Breaker) -> None:
    assert breaker.count("room", "bot", 11, NOON) is None
    assert breaker.count("room", "bot", 1, NOON) is not None


def test_after_the_silence_counting_begins_anew(breaker: Breaker) -> None:
    assert breaker.count("room", "bot", 12, NOON) is not None
    assert breaker.count("room", "bot", 11, NOON + 60 * SECOND) is None


def test_a_clock_set_back_ends_the_silence(breaker: Breaker) -> None:
    assert breaker.count("room", "bot", 12, NOON) is not None
    earlier = NOON - timedelta(hours=1)
    assert breaker.silent_until("room", earlier) is None
    assert breaker.count("room", "bot", 11, earlier) is None


def test_places_least_used_are_forgotten() -> None:
    breaker = Breaker(10, 10 * SECOND, 60 * SECOND, keys=2)
    for place in ("a", "b", "c"):
        assert breaker.count(place, "bot", 11, NOON) is None
    assert breaker.count("a", "bot", 11, NOON) is None
    assert breaker.count("c", "bot", 1, NOON) is not None
