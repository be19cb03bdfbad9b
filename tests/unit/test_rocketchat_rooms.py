"""Where the bot is: by lists, by events, by messages; what comes and goes is told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.chat.rocketchat.rooms import OwnRooms
from storage.records import Command

ME = "botBBB0000000001"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def sub(room: str, kind: str = "c", *, id: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "_id": id or f"sub-{room}",
        "rid": room,
        "t": kind,
        "name": room.lower(),
        "u": {"_id": ME, "username": "bbb.bot", "name": "BBB Bot"},
        "ts": "2026-11-21T12:00:00.000Z",
        "_updatedAt": "2026-11-21T12:00:00.000Z",
        **more,
    }


def told(commands: list[Command]) -> list[tuple[str, str]]:
    return [(str(command.kind), command.channel.id) for command in commands]


@pytest.fixture
def rooms() -> OwnRooms:
    """In TEAM and in a direct message with Ana."""
    found = OwnRooms(ME)
    found.learn({"_id": "DM", "t": "d", "uids": [ME, "ana"]})
    found.listed([sub("TEAM"), sub("DM", "d")], at=NOON)
    return found


def test_a_list_tells_what_came_and_went(rooms: OwnRooms) -> None:
    assert told(rooms.listed([sub("TEAM"), sub("DM", "d")], at=LATER)) == []
    changes = rooms.listed([sub("NEW", "p"), sub("DM", "d")], at=LATER)
    assert told(changes) == [("gone", "TEAM"), ("welcome", "NEW")]
    assert [command.sent_at for command in changes] == [LATER, NOON]
    assert set(rooms.all()) == {"NEW", "DM"}


def test_direct_messages_come_and_go_in_silence(rooms: OwnRooms) -> None:
    assert told(rooms.listed([sub("TEAM"), sub("DM2", "d")], at=LATER)) == []
    assert rooms.place("DM") is None


def test_a_room_left_and_entered_between_two_looks_is_both(rooms: OwnRooms) -> None:
    changes = rooms.listed([sub("TEAM", id="sub-again"), sub("DM", "d")], at=LATER)
    assert told(changes) == [("welcome", "TEAM")]
    first = OwnRooms(ME).listed([sub("TEAM")], at=NOON)
    assert changes[0].id != first[0].id


def test_part_of_the_list_names_the_deleted_by_the_subscription(rooms: OwnRooms) -> None:
    changes = rooms.changed([sub("NEW")], ["sub-TEAM", "sub-unknown"], at=LATER)
    assert told(changes) == [("gone", "TEAM"), ("welcome", "NEW")]


def test_events(rooms: OwnRooms) -> None:
    assert told(rooms.happened("updated", sub("TEAM", unread=3), at=LATER)) == []
    assert told(rooms.happened("inserted", sub("NEW"), at=LATER)) == [("welcome", "NEW")]
    assert told(rooms.happened("inserted", sub("NEW"), at=LATER)) == []
    assert told(rooms.happened("removed", sub("NEW"), at=LATER)) == [("gone", "NEW")]
    assert told(rooms.happened("removed", sub("NEW"), at=LATER)) == []
    assert told(rooms.happened("removed", {"rid": None}, at=LATER)) == []
    assert told(rooms.happened("inserted", {"rid": "X"}, at=LATER)) == [], "no kind"


def test_an_end_that_is_told_after_the_next_beginning_ends_nothing(rooms: OwnRooms) -> None:
    rooms.happened("inserted", sub("TEAM", id="sub-again"), at=LATER)
    assert told(rooms.happened("removed", sub("TEAM"), at=LATER)) == []
    assert rooms.place("TEAM") is not None


def test_events_are_newer_than_a_list_asked_for_before(rooms: OwnRooms) -> None:
    rooms.begin_look()
    rooms.happened("inserted", sub("NEW"), at=LATER)
    rooms.happened("removed", sub("TEAM"), at=LATER)
    assert told(rooms.listed([sub("TEAM"), sub("DM", "d")], at=LATER)) == []
    assert set(rooms.all()) == {"NEW", "DM"}
    rooms.begin_look()
    assert told(rooms.listed([sub("DM", "d")], at=LATER)) == [("gone", "NEW")]


def test_renamed(rooms: OwnRooms) -> None:
    assert told(rooms.happened("updated", sub("TEAM", fname="The Team"), at=LATER)) == []
    place = rooms.place("TEAM")
    assert place is not None
    assert place.name == "The Team"


def test_invited_is_not_in_and_banned_is_out(rooms: OwnRooms) -> None:
    assert told(rooms.happened("inserted", sub("NEW", status="INVITED"), at=LATER)) == []
    assert told(rooms.happened("updated", sub("NEW"), at=LATER)) == [("welcome", "NEW")]
    banned = sub("TEAM", status="BANNED")
    assert told(rooms.happened("updated", banned, at=LATER)) == [("gone", "TEAM")]


@pytest.mark.parametrize("kind", ["l", "v"])
def test_livechat_is_not_ours(kind: str) -> None:
    rooms = OwnRooms(ME)
    assert told(rooms.listed([sub("L", kind)], at=NOON)) == []
    assert rooms.place("L") is None
    assert rooms.told_of("L", {"roomParticipant": True, "roomType": kind}) is None


@pytest.mark.parametrize(
    ("facts", "direct"),
    [
        ({"uids": [ME, "ana"]}, True),
        ({"uids": [ME, "ana", "bo"]}, False),
        ({"uids": [ME, ME]}, False),
        ({"usernames": ["bbb.bot", "ana"]}, True),
        ({"usernames": ["bbb.bot"]}, False),
        ({"usersCount": 2}, True),
        ({"usersCount": 3}, False),
    ],
)
def test_only_two_are_direct(facts: dict[str, Any], direct: bool) -> None:
    rooms = OwnRooms(ME)
    rooms.listed([sub("DM", "d")], at=NOON)
    assert rooms.needs_facts("DM", None)
    rooms.learn({"_id": "DM", "t": "d", **facts})
    assert not rooms.needs_facts("DM", None)
    place = rooms.place("DM")
    assert place is not None
    assert place.direct is direct


@pytest.mark.parametrize("facts", [{"uids": None, "usersCount": "2"}, {}])
def test_a_direct_message_that_does_not_tell_is_asked_about(facts: dict[str, Any]) -> None:
    rooms = OwnRooms(ME)
    rooms.listed([sub("DM", "d")], at=NOON)
    rooms.learn({"_id": "DM", "t": "d", **facts})
    assert rooms.needs_facts("DM", None)
    place = rooms.place("DM")
    assert place is not None
    assert not place.direct


def test_a_message_may_come_before_the_subscription(rooms: OwnRooms) -> None:
    access = {"roomParticipant": True, "roomType": "p", "roomName": "new"}
    place = rooms.told_of("NEW", access)
    assert place is not None
    assert (place.kind, place.name, place.direct) == ("p", "new", False)
    assert rooms.place("NEW") is None, "the subscription is still to come"
    assert rooms.told_of("NEW", {"roomType": "p"}) is None, "nothing says that it is ours"


def test_what_the_store_keeps_tells_a_restart_what_went(rooms: OwnRooms) -> None:
    restarted = OwnRooms(ME)
    restarted.recall(rooms.memberships())
    assert set(restarted.all()) == {"TEAM"}, "direct messages are not worth it"
    changes = restarted.listed([sub("DM", "d"), sub("NEW")], at=LATER)
    assert told(changes) == [("gone", "TEAM"), ("welcome", "NEW")]


def test_what_the_bot_is_called_comes_with_its_subscriptions(rooms: OwnRooms) -> None:
    assert rooms.names == ("bbb.bot", "BBB Bot")
    rooms.happened("updated", sub("TEAM", u={"_id": ME, "username": "meet"}), at=LATER)
    assert rooms.names == ("meet",)
