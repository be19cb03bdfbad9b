"""Who may do what: the rules as tables."""

from datetime import UTC, datetime

import pytest

from commands.handlers.table import COMMANDS
from commands.options import MODERATORS, Options
from commands.permissions import Right, Standing, is_moderator, may, may_change_room, may_end
from commands.ports import Membership, Rights
from storage.records import Channel, Person, Room, RoomKind

ANA, BO = Person("matrix", "@ana:example.org"), Person("matrix", "@bo:example.org")
TEAM = Channel("matrix", "!team:example.org")

MEMBER = Rights(Membership.JOINED)
ADMIN = Rights(Membership.JOINED, admin=True)
LEFT = Rights(Membership.LEFT)
BANNED = Rights(Membership.BANNED)
EVERYDAY = set(Right) - {Right.BOT_ADMIN}
NOT_INSIDE = [
    pytest.param(LEFT, id="who left"),
    pytest.param(BANNED, id="who is banned"),
    pytest.param(Rights(Membership.LEFT, admin=True), id="an admin who left"),
    pytest.param(Rights(Membership.BANNED, admin=True), id="an admin who is banned"),
]


def room(kind: RoomKind = RoomKind.NAMED, owner: Person = BO) -> Room:
    return Room("room-1", kind, TEAM, "Plan", "mx-1", owner, datetime(2026, 1, 31, tzinfo=UTC), "c")


# --- commands ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "allowed"),
    [
        pytest.param(Standing(MEMBER), {Right.ANYONE, Right.MEMBER}, id="a member"),
        pytest.param(Standing(ADMIN), EVERYDAY, id="a channel admin"),
        pytest.param(Standing(MEMBER, bot_admin=True), set(Right), id="a bot admin, member"),
        pytest.param(Standing(MEMBER, direct=True), EVERYDAY, id="somebody in a direct channel"),
        pytest.param(Standing(LEFT), {Right.ANYONE}, id="who left"),
        pytest.param(Standing(BANNED), {Right.ANYONE}, id="who is banned"),
        pytest.param(Standing(LEFT, bot_admin=True), {Right.ANYONE}, id="a bot admin, no member"),
        pytest.param(Standing(LEFT, direct=True), {Right.ANYONE}, id="who left a direct channel"),
        pytest.param(
            Standing(Rights(Membership.BANNED, admin=True)), {Right.ANYONE}, id="a banned admin"
        ),
    ],
)
def test_rights_of(standing: Standing, allowed: set[Right]) -> None:
    assert {right for right in Right if may(right, standing)} == allowed


def test_only_help_and_what_is_about_the_asker_is_open_to_people_who_left() -> None:
    assert {s.verb for s in COMMANDS.specs if s.right is Right.ANYONE} == {"forget-me", "help"}


# --- rooms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "rights", "change", "end"),
    [
        pytest.param(BO, MEMBER, True, True, id="the owner"),
        pytest.param(ANA, ADMIN, True, True, id="a channel admin"),
        pytest.param(ANA, MEMBER, False, False, id="another member"),
        pytest.param(BO, LEFT, False, False, id="the owner who left"),
        pytest.param(BO, BANNED, False, False, id="the owner who is banned"),
    ],
)
def test_a_room_is_changed_and_its_call_ended_by(
    person: Person, rights: Rights, change: bool, end: bool
) -> None:
    standing, somebody = Standing(rights), Person("matrix", "@cy:example.org")
    assert may_change_room(person, standing, room()) is change
    assert may_end(person, standing, room(), somebody) is end


def test_who_started_a_call_may_end_it_but_not_change_the_room() -> None:
    assert may_end(ANA, Standing(MEMBER), room(), ANA)
    assert not may_change_room(ANA, Standing(MEMBER), room())


@pytest.mark.parametrize("rights", NOT_INSIDE)
def test_who_started_a_call_cannot_end_it_from_outside(rights: Rights) -> None:
    assert not may_end(ANA, Standing(rights), room(), ANA)


# --- roles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "rights", "started", "moderates"),
    [
        pytest.param("admins", ADMIN, False, True, id="admins: a channel admin"),
        pytest.param("admins", MEMBER, True, True, id="admins: who started"),
        pytest.param("admins", MEMBER, False, False, id="admins: another member"),
        pytest.param("everyone", MEMBER, False, True, id="everyone: a member"),
        pytest.param("creator", MEMBER, True, True, id="creator: who started"),
        pytest.param("creator", ADMIN, False, False, id="creator: a channel admin"),
        pytest.param("creator", MEMBER, False, False, id="creator: another member"),
        pytest.param(None, ADMIN, False, True, id="nothing said: a channel admin"),
        pytest.param(None, MEMBER, False, False, id="nothing said: another member"),
    ],
)
def test_who_moderates_in_a_channel(
    rule: str | None, rights: Rights, started: bool, moderates: bool
) -> None:
    by = ANA if started else BO
    assert is_moderator(ANA, rights, room(), by, Options(moderators=rule)) is moderates


@pytest.mark.parametrize("rights", NOT_INSIDE)
@pytest.mark.parametrize("rule", MODERATORS)
@pytest.mark.parametrize("kind", [RoomKind.DEFAULT, RoomKind.NAMED])
@pytest.mark.parametrize("started_by", [ANA, BO], ids=["started", "did not start"])
def test_an_invited_outsider_never_moderates(
    kind: RoomKind, rule: str, rights: Rights, started_by: Person
) -> None:
    options = Options(moderators=rule)
    assert not is_moderator(ANA, rights, room(kind, owner=ANA), started_by, options)


@pytest.mark.parametrize("rule", MODERATORS)
@pytest.mark.parametrize("rights", [MEMBER, LEFT], ids=["member", "outsider"])
def test_in_a_private_call_everyone_moderates(rule: str, rights: Rights) -> None:
    assert is_moderator(ANA, rights, room(RoomKind.CALL), BO, Options(moderators=rule))


@pytest.mark.parametrize("rule", MODERATORS)
def test_in_a_personal_room_its_owner_moderates(rule: str) -> None:
    own = room(RoomKind.PERSONAL, owner=ANA)
    assert is_moderator(ANA, LEFT, own, BO, Options(moderators=rule))


@pytest.mark.parametrize(("rule", "moderates"), [("everyone", True), ("admins", False)])
def test_whoever_is_invited_into_a_personal_room_moderates_by_its_rule(
    rule: str, moderates: bool
) -> None:
    own = room(RoomKind.PERSONAL, owner=BO)
    assert is_moderator(ANA, LEFT, own, BO, Options(moderators=rule)) is moderates
