"""Link ids: derived, short, never the same for two goals."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.links import Links, fingerprint, pseudonym, token
from commands.messages import LinkTo
from storage.records import LinkKind, Person

KEY = bytes(range(32))
ANA = Person("matrix", "@ana:example.org")
GOAL = LinkTo(LinkKind.PERSONAL, "room-1", 1, ANA)

GOALS = st.builds(
    LinkTo,
    st.sampled_from(LinkKind),
    st.text(max_size=20),
    st.integers(1, 10_000),
    st.none() | st.builds(Person, st.sampled_from(["matrix", "rocketchat"]), st.text(max_size=20)),
)


@given(GOALS, st.binary(min_size=32, max_size=32))
def test_a_link_id_has_22_characters_that_need_no_escaping(goal: LinkTo, key: bytes) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token(key, goal))


def test_the_same_goal_has_the_same_id_also_after_a_restart() -> None:
    """Any other result would make every link in the chats dead."""
    assert token(KEY, replace(GOAL)) == "qDcrjIBG4C1puSskK_EIMg"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(GOAL, kind=LinkKind.CALL), id="kind"),
        pytest.param(replace(GOAL, room="room-2"), id="room"),
        pytest.param(replace(GOAL, generation=2), id="generation"),
        pytest.param(replace(GOAL, person=None), id="nobody in particular"),
        pytest.param(replace(GOAL, person=replace(ANA, id="@bo:example.org")), id="person"),
        pytest.param(replace(GOAL, person=replace(ANA, platform="rocketchat")), id="platform"),
    ],
)
def test_an_id_differs_by(other: LinkTo) -> None:
    assert token(KEY, other) != token(KEY, GOAL)


def test_an_id_differs_by_the_key() -> None:
    assert token(bytes(32), GOAL) != token(KEY, GOAL)


@given(st.text(max_size=30), st.data())
def test_parts_cannot_be_shifted_into_each_other(text: str, data: st.DataObject) -> None:
    """However one text is cut into room, platform, id and generation, each cut has its own id."""
    cuts = data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2).map(sorted))
    others = data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2).map(sorted))
    same = cuts == others
    assert (token(KEY, _cut(text, cuts)) == token(KEY, _cut(text, others))) is same


def _cut(text: str, at: list[int]) -> LinkTo:
    first, second = at
    person = Person(text[first:second], text[second:])
    return LinkTo(LinkKind.PERSONAL, text[:first], 1, person)


def test_a_generation_cannot_be_typed_into_an_id() -> None:
    assert token(KEY, replace(GOAL, person=replace(ANA, id="x1"), generation=2)) != token(
        KEY, replace(GOAL, person=replace(ANA, id="x"), generation=12)
    )


@pytest.mark.parametrize("public_url", ["https://a.org/calls", "https://a.org/calls/"])
def test_the_address_stands_below_the_public_url(public_url: str) -> None:
    assert Links(KEY, public_url).address(GOAL) == f"https://a.org/calls/j/{token(KEY, GOAL)}"


def test_the_database_keeps_a_fingerprint_that_does_not_tell_the_id() -> None:
    kept = fingerprint(token(KEY, GOAL))
    assert re.fullmatch(r"[0-9a-f]{64}", kept)
    assert token(KEY, GOAL) not in kept


def test_a_pseudonym_is_stable_and_differs_by_person_platform_and_key() -> None:
    made = pseudonym(KEY, "matrix", ANA.id)
    others = {
        pseudonym(KEY, "matrix", "@bo:example.org"),
        pseudonym(KEY, "rocketchat", ANA.id),
        pseudonym(bytes(32), "matrix", ANA.id),
    }
    assert made == pseudonym(KEY, "matrix", ANA.id)
    assert made not in others
    assert re.fullmatch(r"p-[A-Za-z0-9_-]{20}", made)
    assert "ana" not in made
