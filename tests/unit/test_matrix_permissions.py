"""Levels and admins in Matrix rooms: room version x preset x shape of the content, as a table."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bot.chat.matrix.permissions import is_admin, level_of, number, required_for_state

ADA, BO, EVE = "@ada:x.org", "@bo:x.org", "@eve:x.org"


def created(version: str | None = "11", *, by: str = ADA, **content: Any) -> dict[str, Any]:
    """A create event as a room of this version has it."""
    if version is not None:
        content = {"room_version": version, **content}
    if version in {None, "1", "9", "10"}:
        content = {"creator": by, **content}
    return {"type": "m.room.create", "sender": by, "content": content}


USUAL = {"users": {ADA: 100}, "users_default": 0, "state_default": 50}
USUAL_12 = {"users": {}, "users_default": 0, "state_default": 50}
TRUSTED = {"users": {ADA: 100, BO: 100}}
OLD = ["1", "9", "10", "11", None]
NEW = ["12", "13", "org.matrix.hydra.11"]


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize(
    ("power", "user", "level", "admin"),
    [
        pytest.param(USUAL, ADA, 100, True, id="private chat, the creator"),
        pytest.param(USUAL, BO, 0, False, id="private chat, a member"),
        pytest.param(TRUSTED, BO, 100, True, id="trusted private chat, whoever was invited"),
        pytest.param(None, ADA, 100, True, id="no event, the creator"),
        pytest.param(None, BO, 0, False, id="no event, a member"),
        pytest.param({}, ADA, 0, False, id="empty content, even the creator"),
        pytest.param({}, BO, 0, False, id="empty content, a member"),
        pytest.param({"users": {BO: 50}}, BO, 50, True, id="fifty is enough"),
        pytest.param({"users": {BO: 49}}, BO, 49, False, id="forty-nine is not"),
        pytest.param({"users": {BO: "100"}}, BO, 100, True, id="a level as text"),
        pytest.param({"users": {BO: "-1"}}, BO, -1, False, id="a negative level as text"),
        pytest.param({"users_default": 50}, BO, 50, True, id="everybody has fifty"),
        pytest.param({"users_default": 50, "users": {BO: 0}}, BO, 0, False, id="all but one"),
        pytest.param({"state_default": 100, "users": {BO: 50}}, BO, 50, False, id="state asks 100"),
        pytest.param({"state_default": 0}, BO, 0, False, id="state is free, admins are not"),
        pytest.param({"state_default": "60", "users": {BO: 60}}, BO, 60, True, id="60 as text"),
        pytest.param(
            {"state_default": None, "users": {BO: 100}}, BO, 100, False, id="state asks nonsense"
        ),
        pytest.param({"users": {BO: 99.5}}, BO, 0, False, id="a fraction is no level"),
        pytest.param({"users": {BO: True}}, BO, 0, False, id="true is no level"),
        pytest.param({"users": {BO: None}}, BO, 0, False, id="null is no level"),
        pytest.param({"users": {BO: "1_00"}}, BO, 0, False, id="an underscore is no digit"),
        pytest.param({"users": {BO: "١٠٠"}}, BO, 0, False, id="other scripts' digits are none"),
        pytest.param({"users": {BO: " 100"}}, BO, 0, False, id="a blank is no digit"),
        pytest.param({"users": {BO: "9" * 5000}}, BO, 0, False, id="an endless number is none"),
        pytest.param({"users": [BO]}, BO, 0, False, id="users as a list"),
        pytest.param(
            {"users": {BO: "x"}, "users_default": 50}, BO, 50, True, id="nonsense counts as absent"
        ),
    ],
)
def test_levels_before_version_12(
    version: str | None, power: Any, user: str, level: int, admin: bool
) -> None:
    create = created(version)

    assert level_of(user, create=create, power=power) == level
    assert is_admin(user, create=create, power=power) is admin


@pytest.mark.parametrize("version", NEW)
@pytest.mark.parametrize(
    ("power", "user", "level", "admin"),
    [
        pytest.param(USUAL_12, ADA, math.inf, True, id="the creator"),
        pytest.param(USUAL_12, BO, math.inf, True, id="an additional creator"),
        pytest.param(USUAL_12, EVE, 0, False, id="a member"),
        pytest.param(None, ADA, math.inf, True, id="no event, the creator"),
        pytest.param(None, EVE, 0, False, id="no event, a member"),
        pytest.param({}, ADA, math.inf, True, id="empty content, the creator"),
        pytest.param({"state_default": 10**9}, ADA, math.inf, True, id="above every level"),
        pytest.param(
            {"state_default": "no"}, ADA, math.inf, False, id="nonsense is refused even to creators"
        ),
        pytest.param({"users": {EVE: 50}}, EVE, 50, True, id="a moderator"),
    ],
)
def test_levels_from_version_12(
    version: str, power: Any, user: str, level: float, admin: bool
) -> None:
    create = created(version, additional_creators=[BO, 5, None])

    assert level_of(user, create=create, power=power) == level
    assert is_admin(user, create=create, power=power) is admin


@pytest.mark.parametrize("version", ["", "1x", "12.1", "٣٠", "org.example.99", "012", 12, None])
def test_an_unknown_version_gives_creators_nothing_special(version: Any) -> None:
    create = {"sender": ADA, "content": {"room_version": version, "additional_creators": [BO]}}

    assert level_of(ADA, create=create, power={}) == 0
    assert level_of(BO, create=create, power=None) == 0


def test_additional_creators_mean_nothing_before_version_12() -> None:
    create = created("11", additional_creators=[BO])

    assert level_of(BO, create=create, power=None) == 0


def test_the_creator_of_an_old_room_is_who_its_content_names() -> None:
    create = {"sender": ADA, "content": {"room_version": "9", "creator": BO}}

    assert level_of(BO, create=create, power=None) == 100
    assert level_of(ADA, create=create, power=None) == 0


@pytest.mark.parametrize("content", [None, [], "x"])
def test_a_create_event_without_content_is_that_of_a_room_of_version_1(content: Any) -> None:
    assert level_of(ADA, create={"sender": ADA, "content": content}, power=None) == 100


def test_state_needs_fifty_where_nothing_is_said() -> None:
    assert required_for_state(None) == required_for_state({}) == 50


def test_numbers_of_levels() -> None:
    assert [number(value) for value in (0, "7", "-7", "", "+7", 1.0, False)] == [
        0,
        7,
        -7,
        None,
        None,
        None,
        None,
    ]
