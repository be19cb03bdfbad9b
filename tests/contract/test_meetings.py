"""Meetings: planned first, one alive per room, followed until they end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from storage.records import Meeting, MeetingState
from storage.store import Conflict, Store, StoreError
from tests.contract.examples import BO, MINUTE, NOW, SECOND, meeting, room


async def opened(store: Store, name: str = "1", **other: object) -> Meeting:
    """A meeting that BBB has, to be looked at a minute after NOW."""
    planned = await store.plan_meeting(meeting(name, **other))
    await store.meeting_created(
        planned.id, internal_id="int-1", create_time=1_772_366_400_123, next_look_at=NOW + MINUTE
    )
    found = await store.meeting(planned.id)
    assert found
    return found


async def test_a_meeting_comes_out_as_it_went_in(with_room: Store) -> None:
    full = meeting("1", card="card-9", topic="Möbel", options={"mute": True})
    assert await with_room.plan_meeting(full) == full
    assert await with_room.meeting("meeting-1") == full
    assert await with_room.meeting_by_cause("cause-1") == full
    assert await with_room.meeting("meeting-2") is None
    assert await with_room.meeting_by_cause("cause-2") is None


async def test_the_same_cause_gives_the_first_meeting_back(with_room: Store) -> None:
    first = await opened(with_room)
    assert await with_room.plan_meeting(meeting("2", cause="cause-1")) == first
    await with_room.meeting_ended(first.id, at=NOW)
    again = await with_room.plan_meeting(meeting("2", cause="cause-1"))
    assert (again.id, again.state) == (first.id, MeetingState.ENDED)


async def test_a_room_has_one_living_meeting(with_room: Store) -> None:
    await with_room.put_room(room("2"))
    first = await opened(with_room)
    with pytest.raises(Conflict, match=r"^meeting\.room$"):
        await with_room.plan_meeting(meeting("2"))
    await with_room.plan_meeting(meeting("3", room="room-2"))
    await with_room.meeting_ended(first.id, at=NOW)
    await with_room.plan_meeting(meeting("2"))


async def test_of_ten_that_open_a_room_at_once_one_wins(with_room: Store) -> None:
    made = await asyncio.gather(
        *(with_room.plan_meeting(meeting(str(n))) for n in range(10)), return_exceptions=True
    )
    assert sum(isinstance(each, Meeting) for each in made) == 1
    assert sum(isinstance(each, Conflict) for each in made) == 9
    assert len(await with_room.live_meetings()) == 1


async def test_planned_becomes_open_and_nothing_else_does(with_room: Store) -> None:
    first = await opened(with_room)
    assert first.state is MeetingState.OPEN
    assert (first.internal_id, first.create_time) == ("int-1", 1_772_366_400_123)
    assert first.next_look_at == NOW + MINUTE
    await with_room.meeting_seen(first.id, present=1, at=NOW, next_look_at=NOW)
    assert (await opened(with_room)).state is MeetingState.RUNNING
    await with_room.meeting_ended(first.id, at=NOW)
    ended = await with_room.meeting(first.id)
    assert await opened(with_room) == ended


async def test_only_a_planned_meeting_can_be_dropped(with_room: Store) -> None:
    await with_room.plan_meeting(meeting("1"))
    for _ in range(2):
        await with_room.drop_meeting("meeting-1")
    assert await with_room.meeting("meeting-1") is None
    first = await opened(with_room)
    await with_room.drop_meeting(first.id)
    assert await with_room.meeting(first.id) == first


async def test_the_living_and_the_last_meeting_of_a_room(with_room: Store) -> None:
    assert await with_room.live_meeting("room-1") is None
    assert await with_room.last_meeting("room-1") is None
    first = await opened(with_room)
    assert await with_room.live_meeting("room-1") == first
    assert await with_room.last_meeting("room-1") == first
    await with_room.meeting_ended(first.id, at=NOW)
    second = await opened(with_room, "2")  # at the same moment
    assert await with_room.last_meeting("room-1") == second
    await with_room.meeting_ended(second.id, at=NOW)
    assert await with_room.live_meeting("room-1") is None
    assert await with_room.live_meetings() == []


async def test_the_first_one_inside_makes_it_running_and_the_peak_never_falls(
    with_room: Store,
) -> None:
    first = await opened(with_room)
    seen = []
    for second, present in enumerate([0, 2, 5, 1, 0]):
        at = NOW + second * SECOND
        now = await with_room.meeting_seen(
            first.id, present=present, at=at, next_look_at=at + MINUTE
        )
        seen.append((now.state.value, now.present, now.peak))
    assert seen == [
        ("open", 0, 0),
        ("running", 2, 2),
        ("running", 5, 5),
        ("running", 1, 5),
        ("running", 0, 5),
    ]
    assert now.joined_at == NOW + SECOND
    assert now.next_look_at == NOW + 4 * SECOND + MINUTE


async def test_an_ended_meeting_stays_as_it_is(with_room: Store) -> None:
    first = await opened(with_room)
    await with_room.meeting_seen(first.id, present=2, at=NOW, next_look_at=NOW)
    for minute in (1, 2):
        await with_room.meeting_ended(first.id, at=NOW + minute * MINUTE)
    await with_room.look_again(first.id, at=NOW)
    seen = await with_room.meeting_seen(first.id, present=9, at=NOW, next_look_at=NOW)
    assert seen.state is MeetingState.ENDED
    assert (seen.ended_at, seen.present, seen.peak) == (NOW + MINUTE, 0, 2)
    assert seen.next_look_at is None


async def test_meetings_are_looked_at_the_longest_due_first(with_room: Store) -> None:
    for name, minute in [("1", 3), ("2", 1), ("3", 2), ("4", 9), ("5", 0)]:
        await with_room.put_room(room(name))
        await opened(with_room, name, room=f"room-{name}", cause=f"m-{name}")
        await with_room.look_again(f"meeting-{name}", at=NOW + minute * MINUTE)
    await with_room.meeting_ended("meeting-5", at=NOW)

    async def due(limit: int = 100) -> list[str]:
        found = await with_room.meetings_to_look_at("bbb", now=NOW + 3 * MINUTE, limit=limit)
        return [each.id[-1] for each in found]

    assert await due() == ["2", "3", "1"]
    assert await due(limit=1) == ["2"]


async def test_who_started_it_is_kept_with_their_platform(with_room: Store) -> None:
    other = replace(BO, platform="rocketchat")
    assert (await opened(with_room, started_by=other)).started_by == other


async def test_a_meeting_that_is_not_there_is_a_clear_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no meeting"):
        await store.meeting_seen("meeting-1", present=1, at=NOW, next_look_at=NOW)


async def test_what_a_command_is_about_to_end_is_known_by_its_cause(with_room: Store) -> None:
    await with_room.plan_meeting(meeting("1"))
    assert await with_room.meeting_ended_by("end-1") is None
    for _ in range(2):
        await with_room.ending_meeting("meeting-1", cause="end-1")
    await with_room.meeting_ended("meeting-1", at=NOW)
    await with_room.plan_meeting(meeting("2"))
    await with_room.ending_meeting("meeting-2", cause="end-1")
    found = await with_room.meeting_ended_by("end-1")
    assert found is not None
    assert found.id == "meeting-1"
