"""A channel takes the place of another: what moves over, what stays, and what happens to names."""

from __future__ import annotations

from typing import Any

import pytest

from storage.records import Channel, ChannelRow, Letter, MeetingState, RoomKind
from storage.store import Store
from tests.contract.examples import ANA, MINUTE, NOW, TEAM, card, letter, link, meeting, room

NEW = Channel("matrix", "!new")


async def names(store: Store, channel: Channel) -> list[tuple[str, str]]:
    return [(room.kind.value, room.name) for room in await store.rooms_in(channel)]


def default(name: str, title: str, channel: Channel = TEAM) -> Any:
    return room(name, kind=RoomKind.DEFAULT, name=title, channel=channel)


async def test_rooms_move_with_their_links_and_meetings(store: Store) -> None:
    await store.put_room(default("d", "Team"))
    await store.put_room(room("1"))
    await store.put_room(room("2", kind=RoomKind.PERSONAL))
    await store.put_link(link("1"))
    await store.plan_meeting(meeting("1"))

    await store.move_channel(TEAM, NEW)

    assert await names(store, NEW) == [("default", "Team"), ("named", "Room 1")]
    assert await store.rooms_in(TEAM) == []
    personal = await store.personal_room(ANA)
    assert personal and personal.channel == NEW
    kept = await store.link("hash-1")
    assert kept and kept.revoked_at is None
    live = await store.live_meeting("room-1")
    assert live and live.state is MeetingState.PLANNED


async def test_deleted_rooms_and_other_channels_stay(store: Store) -> None:
    elsewhere = Channel("matrix", "!elsewhere")
    other_chat = Channel("rocketchat", TEAM.id)
    await store.put_room(room("1"))
    await store.delete_room("room-1", at=NOW, cause="x")
    await store.put_room(room("2", channel=elsewhere))
    await store.put_room(room("3", channel=other_chat))

    await store.move_channel(TEAM, NEW)

    assert await store.rooms_in(NEW) == []
    assert len(await store.rooms_in(elsewhere)) == len(await store.rooms_in(other_chat)) == 1
    gone = await store.room("room-1")
    assert gone and gone.channel == TEAM


async def test_settings_move_and_those_of_the_new_channel_hold(store: Store) -> None:
    await store.put_channel(ChannelRow(TEAM, settings={"language": "fr", "guests": "on"}))
    await store.put_channel(ChannelRow(NEW, direct=True, settings={"language": "de"}))

    await store.move_channel(TEAM, NEW)

    moved = {"language": "de", "guests": "on"}
    assert await store.channel(NEW) == ChannelRow(NEW, direct=True, settings=moved)
    old = await store.channel(TEAM)
    assert old and old.moved_to == NEW.id


async def test_a_channel_without_a_row_may_be_replaced_too(store: Store) -> None:
    await store.move_channel(TEAM, NEW)
    assert await store.channel(TEAM) == ChannelRow(TEAM, moved_to=NEW.id)


async def test_names_that_are_taken_get_a_number_and_one_room_is_the_default(store: Store) -> None:
    await store.put_room(default("d", "Team"))
    await store.put_room(room("1", name="Standup", cause="cause-d"))  # of the same command
    await store.put_room(default("e", "Team", NEW))
    await store.put_room(room("2", name="STANDUP", channel=NEW))
    await store.put_room(room("3", name="Standup 2", channel=NEW))

    await store.move_channel(TEAM, NEW)

    assert sorted(await names(store, NEW)) == [
        ("default", "Team"),
        ("named", "STANDUP"),
        ("named", "Standup 2"),
        ("named", "Standup 3"),
        ("named", "Team 2"),
    ]
    default_now = await store.default_room(NEW)
    assert default_now and default_now.id == "room-e"


async def test_again_changes_nothing(store: Store) -> None:
    await store.put_room(default("d", "Team"))
    await store.move_channel(TEAM, NEW)
    before = await store.rooms_in(NEW), await store.channel(NEW), await store.channel(TEAM)
    await store.move_channel(TEAM, NEW)
    assert before == (
        await store.rooms_in(NEW),
        await store.channel(NEW),
        await store.channel(TEAM),
    )


async def posted(store: Store) -> None:
    await store.say([letter("post", card="card-1")], cards=[card("1")])
    await store.letter_sent("post", "$old", at=NOW)


async def due(store: Store) -> list[tuple[str, str | None]]:
    found = await store.claim_letters(
        now=NOW + MINUTE, lease=MINUTE, limit=10, platform=TEAM.platform
    )
    return [(each.id, each.channel) for each in found]


@pytest.fixture
def anew() -> Letter:
    return letter("anew", card="card-1", channel=NEW.id)


async def test_a_card_is_posted_anew_and_its_old_message_left(
    with_room: Store, anew: Letter
) -> None:
    await posted(with_room)

    await with_room.move_channel(TEAM, NEW, [anew])
    assert await due(with_room) == [("anew", NEW.id)]
    await with_room.letter_sent("anew", "$new", at=NOW)

    moved = await with_room.card("card-1")
    assert moved and (moved.channel, moved.ref, moved.shown) == (NEW, "$new", 1)
    assert await with_room.card_by_ref("matrix", "$old") is None


async def test_a_card_under_way_is_posted_in_the_new_channel_only(
    with_room: Store, anew: Letter
) -> None:
    await with_room.say([letter("post", card="card-1")], cards=[card("1")])
    assert await due(with_room) == [("post", TEAM.id)]  # somebody sends it just now

    await with_room.move_channel(TEAM, NEW, [anew])
    await with_room.letter_sent("post", "$old", at=NOW)

    moved = await with_room.card("card-1")
    assert moved and moved.ref is None
    assert await due(with_room) == [("anew", NEW.id)]


async def test_a_card_of_another_channel_is_left_alone(with_room: Store, anew: Letter) -> None:
    elsewhere = Channel("matrix", "!elsewhere")
    await with_room.say([], cards=[card("1", channel=elsewhere)])

    await with_room.move_channel(TEAM, NEW, [anew])

    assert await due(with_room) == []
    kept = await with_room.card("card-1")
    assert kept and kept.channel == elsewhere
