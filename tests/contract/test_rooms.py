"""Rooms: one per cause, living names unique in a channel, changes made once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from storage.records import Channel, Person, Room, RoomKind
from storage.store import Conflict, Store, StoreError
from tests.contract.examples import ANA, BO, NOW, TEAM, link, room

ELSEWHERE = Channel("matrix", "!other:example.org")


def default(name: str = "Team", **other: object) -> Room:
    return room("d", kind=RoomKind.DEFAULT, name=name, **other)


async def test_a_room_comes_out_as_it_went_in(store: Store) -> None:
    full = room("1", options={"max": 20, "mute": True}, generation=3)
    assert await store.put_room(full) == full
    assert await store.room("room-1") == full
    assert await store.room("room-2") is None


async def test_the_same_cause_gives_the_first_room_back(store: Store) -> None:
    first = await store.put_room(room("1"), [ANA])
    again = room("2", cause=first.cause, name="Another")
    assert await store.put_room(again, [BO]) == first
    assert await store.room("room-2") is None
    assert await store.invited_to("room-1") == [ANA]


async def test_one_cause_may_make_rooms_of_two_kinds(store: Store) -> None:
    await store.put_room(room("1"))
    personal = room("2", cause="cause-1", kind=RoomKind.PERSONAL)
    assert await store.put_room(personal) == personal


@pytest.mark.parametrize("taken", ["Standup", "STANDUP", "standup"])
async def test_a_living_name_is_taken_whatever_its_case(store: Store, taken: str) -> None:
    await store.put_room(room("1", name="Standup"))
    with pytest.raises(Conflict) as refused:
        await store.put_room(room("2", name=taken))
    assert taken not in str(refused.value)
    assert "room" in str(refused.value)


async def test_case_is_compared_as_people_do(store: Store) -> None:
    await store.put_room(room("1", name="Straße Élan"))
    with pytest.raises(Conflict):
        await store.put_room(room("2", name="STRASSE éLAN"))


async def test_the_name_of_the_default_room_is_taken_too(store: Store) -> None:
    await store.put_room(default("Team"))
    await store.put_room(room("1", name="Standup"))
    with pytest.raises(Conflict):
        await store.put_room(room("2", name="team"))
    with pytest.raises(Conflict):
        await store.rename_room("room-1", "TEAM", cause="rename")


async def test_a_default_room_is_made_even_where_its_name_is_taken(store: Store) -> None:
    await store.put_room(room("1", name="Team"))
    assert (await store.put_room(default("Team"))).kind is RoomKind.DEFAULT


async def test_a_name_is_free_elsewhere_and_after_the_end(store: Store) -> None:
    await store.put_room(room("1", name="Standup"))
    await store.put_room(room("2", name="Standup", channel=ELSEWHERE))
    await store.delete_room("room-1", at=NOW, cause="delete")
    await store.put_room(room("3", name="standup"))


async def test_ten_that_create_one_name_at_once_make_one_room(store: Store) -> None:
    made = await asyncio.gather(
        *(store.put_room(room(str(n), name="Standup")) for n in range(10)), return_exceptions=True
    )
    assert sum(isinstance(each, Room) for each in made) == 1
    assert sum(isinstance(each, Conflict) for each in made) == 9


async def test_a_channel_has_one_default_room(store: Store) -> None:
    async def put(number: int) -> Room:
        return await store.put_room(
            room(f"d{number}", kind=RoomKind.DEFAULT, name=f"Team {number}")
        )

    assert await store.default_room(TEAM) is None
    made = await asyncio.gather(*(put(number) for number in range(10)))
    assert len({each.id for each in made}) == 1
    assert await store.default_room(TEAM) == made[0]
    assert await store.default_room(ELSEWHERE) is None


async def test_a_person_has_one_personal_room(store: Store) -> None:
    first = await store.put_room(room("1", kind=RoomKind.PERSONAL))
    elsewhere = room("2", kind=RoomKind.PERSONAL, channel=ELSEWHERE)
    assert await store.put_room(elsewhere) == first
    assert await store.personal_room(ANA) == first
    assert await store.personal_room(Person("rocketchat", ANA.id)) is None


async def test_rooms_of_a_channel_are_listed_the_default_first_then_by_name(store: Store) -> None:
    await store.put_room(room("1", name="beta"))
    await store.put_room(room("2", name="Alpha"))
    await store.put_room(default("Zoo"))
    await store.put_room(room("3", name="gone"))
    await store.put_room(room("4", kind=RoomKind.CALL))
    await store.put_room(room("5", kind=RoomKind.PERSONAL))
    await store.put_room(room("6", name="Aaa", channel=ELSEWHERE))
    await store.delete_room("room-3", at=NOW, cause="delete")
    assert [each.name for each in await store.rooms_in(TEAM)] == ["Zoo", "Alpha", "beta"]


async def test_a_renamed_room_keeps_everything_else(store: Store) -> None:
    before = await store.put_room(room("1", name="Old"))
    await store.rename_room("room-1", "New", cause="rename")
    assert await store.room("room-1") == replace(before, name="New")
    assert await store.room_changed_by("rename") == replace(before, name="New")
    await store.put_room(room("2", name="old"))


async def test_a_name_may_change_its_case(store: Store) -> None:
    await store.put_room(room("1", name="standup"))
    await store.rename_room("room-1", "Standup", cause="rename")
    assert (await store.room("room-1")).name == "Standup"  # type: ignore[union-attr]


async def test_a_refused_rename_leaves_no_trace(store: Store) -> None:
    await store.put_room(room("1", name="One"))
    await store.put_room(room("2", name="Two"))
    with pytest.raises(Conflict):
        await store.rename_room("room-2", "ONE", cause="rename")
    assert await store.room_changed_by("rename") is None
    assert (await store.room("room-2")).name == "Two"  # type: ignore[union-attr]


async def test_a_rename_repeated_after_another_one_changes_nothing(store: Store) -> None:
    await store.put_room(room("1"))
    for name, cause in [("New", "first"), ("Newer", "second"), ("New", "first")]:
        await store.rename_room("room-1", name, cause=cause)
    assert (await store.room("room-1")).name == "Newer"  # type: ignore[union-attr]


async def test_a_deleted_room_is_dead_with_its_links(store: Store) -> None:
    await store.put_room(room("1"))
    await store.put_room(room("2"))
    await store.put_link(link("1"))
    await store.put_link(link("2", room="room-2"))
    for at in (NOW, NOW.replace(year=2030)):
        await store.delete_room("room-1", at=at, cause=f"delete in {at.year}")
    gone = await store.room("room-1")
    assert gone and (gone.deleted_at, gone.deleted_cause) == (NOW, "delete in 2026")
    assert await store.room_changed_by("delete in 2026") == gone
    assert await store.room_changed_by("delete in 2030") is None
    assert (await store.link("hash-1")).revoked_at == NOW  # type: ignore[union-attr]
    assert (await store.link("hash-2")).revoked_at is None  # type: ignore[union-attr]


async def test_a_reset_room_has_a_new_generation_once(store: Store) -> None:
    before = await store.put_room(room("1", kind=RoomKind.PERSONAL))
    reset = await store.reset_room("room-1", meeting_id="mx-new", cause="reset")
    assert reset == replace(before, generation=2, meeting_id="mx-new")
    again = await store.reset_room("room-1", meeting_id="mx-newer", cause="reset")
    assert again == reset
    assert await store.room_changed_by("reset") == reset


async def test_changing_a_room_that_is_not_there_is_a_clear_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no room"):
        await store.reset_room("room-1", meeting_id="mx-new", cause="reset")
    with pytest.raises(StoreError, match="no room"):
        await store.rename_room("room-1", "New", cause="rename")


async def test_the_invited_are_kept_once_in_their_order(store: Store) -> None:
    await store.put_room(room("1", kind=RoomKind.CALL), [BO, ANA, BO])
    carl = Person("matrix", "@carl:example.org")
    await store.invite("room-1", [ANA, carl])
    await store.invite("room-1", [])
    assert await store.invited_to("room-1") == [BO, ANA, carl]
    assert await store.invited_to("room-2") == []


async def test_living_calls_of_a_person_newest_first(store: Store) -> None:
    for name in "1234":
        await store.put_room(room(name, kind=RoomKind.CALL), [ANA] if name != "3" else [BO])
    await store.put_room(room("5", kind=RoomKind.PERSONAL), [ANA])
    await store.delete_room("room-2", at=NOW, cause="delete")
    assert [each.id for each in await store.call_rooms_of(ANA)] == ["room-4", "room-1"]
