"""Events that wait for their key: read when it comes, given up after five minutes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.chat.matrix.client import Client
from bot.chat.matrix.late import PATIENCE_SECONDS, LateKeys

ROOM = "!room"


class Keyring:
    """A client that can read the events in `known`."""

    def __init__(self) -> None:
        self.olm: object | None = SimpleNamespace()
        self.known: set[str] = set()

    def decrypted(self, event: dict[str, Any], room: str) -> dict[str, Any]:
        return {**event, "type": "m.room.message"} if event["event_id"] in self.known else event


class Moment:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keyring() -> Keyring:
    return Keyring()


@pytest.fixture
def clock() -> Moment:
    return Moment()


@pytest.fixture
def late(keyring: Keyring, clock: Moment) -> LateKeys:
    return LateKeys(cast(Client, keyring), clock)


def event(name: str) -> dict[str, Any]:
    return {"type": "m.room.encrypted", "event_id": name, "content": {"ciphertext": "x"}}


def ids(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    assert all(room == ROOM for room, _ in found)
    return [event["event_id"] for _, event in found]


def test_an_event_is_read_when_its_key_has_come_until_it_is_taken(
    late: LateKeys, keyring: Keyring
) -> None:
    late.keep(ROOM, event("$1"))
    late.keep(ROOM, event("$2"))
    assert late.readable() == []

    keyring.known.add("$2")

    assert ids(late.readable()) == ["$2"]
    assert ids(late.readable()) == ["$2"]  # the database could not keep what it asks

    late.taken(late.readable())
    keyring.known.add("$1")
    assert ids(late.readable()) == ["$1"]


def test_it_is_given_up_after_five_minutes_and_not_before(late: LateKeys, clock: Moment) -> None:
    late.keep(ROOM, event("$1"))
    clock.now += 60
    late.keep(ROOM, event("$2"))

    clock.now += PATIENCE_SECONDS - 61
    assert late.given_up() == []
    clock.now += 1
    assert ids(late.given_up()) == ["$1"]
    clock.now += 60
    assert ids(late.given_up()) == ["$2"]
    assert late.given_up() == []


def test_a_key_in_the_last_moment_is_in_time(
    late: LateKeys, keyring: Keyring, clock: Moment
) -> None:
    late.keep(ROOM, event("$1"))
    clock.now += PATIENCE_SECONDS
    keyring.known.add("$1")

    late.taken(late.readable())
    assert late.given_up() == []


def test_a_flood_gives_up_the_oldest(late: LateKeys) -> None:
    for number in range(205):
        late.keep(ROOM, event(f"${number}"))

    assert ids(late.given_up()) == ["$0", "$1", "$2", "$3", "$4"]


def test_the_same_event_waits_once(late: LateKeys, clock: Moment) -> None:
    late.keep(ROOM, event("$1"))
    late.keep(ROOM, event("$1"))
    clock.now += PATIENCE_SECONDS

    assert ids(late.given_up()) == ["$1"]


def test_nothing_is_waited_for_that_can_never_come(
    late: LateKeys, keyring: Keyring, clock: Moment
) -> None:
    late.keep(ROOM, {**event("$deleted"), "content": {}})
    keyring.olm = None  # encryption is off
    late.keep(ROOM, event("$1"))
    clock.now += PATIENCE_SECONDS

    assert late.given_up() == []
