"""Who came, who went and whether the bot is meant: read from room events."""

from __future__ import annotations

from typing import Any

import pytest

from bot.chat.matrix.invites import Invite, invites_in, is_allowed
from bot.chat.matrix.timelines import (
    arrivals,
    came_in,
    gone,
    joined_in,
    since_own_join,
    somebody_left,
    welcome,
)
from storage.records import Kind

ME, ADA, ROOM = "@bbb:example.org", "@ada:example.org", "!room"


def member(user: str, state: str, before: str | None = None, **more: Any) -> dict[str, Any]:
    unsigned = {"prev_content": {"membership": before}, "prev_sender": ADA} if before else {}
    return {
        "type": "m.room.member",
        "state_key": user,
        "sender": user,
        "event_id": f"${state}",
        "origin_server_ts": 1,
        "content": {"membership": state},
        "unsigned": unsigned,
        **more,
    }


SAID: dict[str, Any] = {"type": "m.room.message", "event_id": "$m", "content": {}}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(member(ADA, "join", "invite"), True, id="after an invitation"),
        pytest.param(member(ADA, "join", "leave"), True, id="back again"),
        pytest.param(member(ADA, "join"), True, id="for the first time"),
        pytest.param(member(ADA, "join", "join"), False, id="a new name"),
        pytest.param(
            member(ADA, "join", unsigned={"replaces_state": "$0"}), False, id="nothing is known"
        ),
        pytest.param(member(ADA, "invite"), False, id="invited only"),
        pytest.param(member(ADA, "join", content=None), False, id="no content"),
        pytest.param(member(ADA, "join", state_key=None), False, id="nobody"),
        pytest.param(SAID, False, id="a message"),
    ],
)
def test_who_came_in(event: dict[str, Any], expected: bool) -> None:
    assert came_in(event) is expected


def test_what_was_said_before_my_join_is_left_out() -> None:
    mine = member(ME, "join", "invite")

    assert since_own_join([SAID, mine, SAID], ME) == [mine, SAID]
    assert since_own_join([SAID, member(ME, "join", "join"), SAID], ME)[0] == SAID
    assert joined_in([SAID, mine], ME)
    assert not joined_in([SAID, member(ADA, "join")], ME)


def test_arrivals_are_the_others() -> None:
    events = [member(ME, "join"), member(ADA, "join", "invite"), SAID]

    assert list(arrivals(events, ME)) == [ADA]


def test_a_welcome_names_who_invited() -> None:
    command = welcome(member(ME, "join", "invite"), room=ROOM, me=ME, direct=True)

    assert command is not None
    assert (command.kind, command.person.id, command.direct) == (Kind.WELCOME, ADA, True)
    assert command.id == "matrix:welcome:!room:$join"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(member(ME, "join"), id="a room of my own"),
        pytest.param(member(ME, "join", "join"), id="my new name"),
        pytest.param(member(ADA, "join", "invite"), id="somebody else"),
        pytest.param(member(ME, "join", "invite", event_id=None), id="no event id"),
    ],
)
def test_no_welcome(event: dict[str, Any]) -> None:
    assert welcome(event, room=ROOM, me=ME, direct=False) is None


def test_gone_is_heard_of_a_kick_and_a_ban_but_not_of_an_invitation_declined() -> None:
    kicked = member(ME, "leave", "join", sender=ADA)

    command = gone([SAID, kicked], room=ROOM, me=ME)

    assert command is not None
    assert (command.kind, command.person.id) == (Kind.GONE, ADA)
    assert gone([member(ME, "ban", "join")], room=ROOM, me=ME) is not None
    assert gone([member(ME, "leave", "invite")], room=ROOM, me=ME) is None
    assert gone([member(ADA, "leave", "join")], room=ROOM, me=ME) is None


def test_somebody_left() -> None:
    assert somebody_left([SAID, member(ADA, "leave", "join")])
    assert not somebody_left([SAID, member(ADA, "join")])


@pytest.mark.parametrize(
    ("inviter", "expected"),
    [
        pytest.param("@ada:example.org", True, id="of an allowed server"),
        pytest.param("@eve:evil.org", False, id="of another server"),
        pytest.param("@bo:evil.org", True, id="allowed by name"),
        pytest.param("@eve:example.org.evil.org", False, id="of a server of a similar name"),
        pytest.param("@eve", False, id="of no server"),
        pytest.param("", False, id="nobody"),
    ],
)
def test_whose_invitations_are_followed(inviter: str, expected: bool) -> None:
    assert is_allowed(inviter, frozenset({"example.org", "@bo:evil.org"})) is expected


def invited(**change: Any) -> dict[str, Any]:
    event = {
        "type": "m.room.member",
        "state_key": ME,
        "sender": ADA,
        "content": {"membership": "invite", "is_direct": True},
        **change,
    }
    return {"rooms": {"invite": {ROOM: {"invite_state": {"events": [event]}}}}}


def test_an_invitation_is_read() -> None:
    assert list(invites_in(invited(), ME)) == [Invite(ROOM, ADA, True)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"state_key": ADA}, id="of somebody else"),
        pytest.param({"content": {"membership": "join"}}, id="that is a join"),
        pytest.param({"content": None}, id="without content"),
        pytest.param({"type": "m.room.name"}, id="that is a name"),
    ],
)
def test_what_is_no_invitation(change: dict[str, Any]) -> None:
    assert list(invites_in(invited(**change), ME)) == []
