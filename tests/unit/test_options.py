"""Options as typed, and what they become."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.errors import UserError
from commands.options import KEYS, TYPED, Options, is_value, read, span
from commands.ports import Limits, Policy

POLICY = Policy("https://meet.example.org", limits=Limits(max_participants=100))


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("90m", 90),
        ("90", 90),
        ("2h", 120),
        ("1h30", 90),
        ("1h 30m", 90),
        ("1 hour", 60),
        ("2 hours 5 minutes", 125),
        ("45 min", 45),
        ("45MIN", 45),
        (" 10m ", 10),
        ("999h", 999 * 60),
        ("0m", None),
        ("0", None),
        ("", None),
        ("h", None),
        ("1000h", None),
        ("-5m", None),
        ("1.5h", None),
        ("90s", None),
        ("tomorrow", None),
        ("1h30m10", None),
    ],
)
def test_a_length_as_people_type_it(typed: str, minutes: int | None) -> None:
    assert span(typed) == (None if minutes is None else timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("key", "typed", "options"),
    [
        ("record", "", Options(record="on")),
        ("record", "YES", Options(record="on")),
        ("record", "auto", Options(record="auto")),
        ("record", "fixed", Options(record="fixed")),
        ("record", "no", Options(record="off")),
        ("max", "2", Options(max_participants=2)),
        ("max", "100", Options(max_participants=100)),
        ("lobby", "", Options(lobby=True)),
        ("lobby", "Off", Options(lobby=False)),
        ("mute", "", Options(mute=True)),
        ("mute", "no", Options(mute=False)),
        ("moderators", "everyone", Options(moderators="everyone")),
        ("moderators", "CREATOR", Options(moderators="creator")),
        ("guests", "lobby", Options(guests="lobby")),
        ("for", "2h", Options(minutes=120)),
    ],
)
def test_an_option_means(key: str, typed: str, options: Options) -> None:
    assert read({key: typed}, POLICY) == options


@pytest.mark.parametrize(
    ("key", "typed", "possible"),
    [
        pytest.param("record", "maybe", "record:auto", id="record that is no mode"),
        pytest.param("max", "", "max:100", id="max without a number"),
        pytest.param("max", "many", "max:100", id="max in words"),
        pytest.param("max", "1", "max:2", id="a call of one"),
        pytest.param("max", "101", "max:100", id="more than the configuration allows"),
        pytest.param("max", "9" * 400, "max:100", id="an absurd number"),
        pytest.param("max", "000010999999", "max:100", id="a large number that begins small"),
        pytest.param("max", "٢٠", "max:100", id="digits of another script"),
        pytest.param("max", "²", "max:100", id="what Python calls a digit"),
        pytest.param("lobby", "maybe", "lobby:off", id="lobby that is no switch"),
        pytest.param("mute", "1", "mute:on", id="mute that is no switch"),
        pytest.param("moderators", "", "moderators:everyone", id="moderators without a value"),
        pytest.param("moderators", "ana", "moderators:everyone", id="moderators by name"),
        pytest.param("guests", "yes", "guests:lobby", id="guests with a switch's word"),
        pytest.param("for", "ever", "for 90m", id="a length that is none"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_possible(
    key: str, typed: str, possible: str
) -> None:
    with pytest.raises(UserError) as refusal:
        read({key: typed}, POLICY)
    assert refusal.value.key == "e.option_value"
    assert refusal.value.args_for_text["option"] == f"{key}:{typed}".rstrip(":")
    assert possible in str(refusal.value.args_for_text["possible"])


def test_a_call_longer_than_allowed_is_refused_with_the_longest() -> None:
    with pytest.raises(UserError) as refusal:
        read({"for": "6h"}, POLICY)
    assert refusal.value.key == "e.too_long"
    assert refusal.value.args_for_text == {"typed": "6h", "most": timedelta(hours=5)}


@given(st.sampled_from(sorted(KEYS)), st.text(max_size=40))
def test_any_value_is_read_or_refused_in_words(key: str, typed: str) -> None:
    with contextlib.suppress(UserError):
        assert read({key: typed}, POLICY) != Options()


@given(st.sampled_from(sorted(KEYS)), st.text(max_size=8) | st.sampled_from(["20", "auto", "off"]))
def test_a_word_taken_for_a_value_stands_for_itself(key: str, typed: str) -> None:
    """What is taken for a value must not be refused as one that does not exist."""
    if is_value(key, typed) and typed.isascii() and key != "max":
        try:
            read({key: typed}, POLICY)
        except UserError as refusal:
            assert refusal.key == "e.too_long"


def test_the_more_special_options_win_where_they_say_something() -> None:
    room = Options(record="auto", lobby=True, moderators="everyone")
    typed = Options(record="off", lobby=False)
    assert typed.over(room) == Options(record="off", lobby=False, moderators="everyone")


def test_the_configuration_fills_what_nobody_said() -> None:
    policy = Policy("https://meet.example.org", record="on", guests="lobby", max_participants=8)
    assert Options().over(Options.default(policy)) == Options(
        record="on", guests="lobby", max_participants=8, lobby=False, moderators="admins"
    )


@given(
    st.builds(
        Options,
        record=st.none() | st.sampled_from(["off", "auto"]),
        max_participants=st.none() | st.integers(2, 500),
        lobby=st.none() | st.booleans(),
        minutes=st.none() | st.integers(1, 600),
    )
)
def test_options_survive_being_kept_as_json(options: Options) -> None:
    assert Options.from_json(options.to_json()) == options


@pytest.mark.parametrize("key", sorted(KEYS))
def test_help_shows_each_option_as_it_can_be_typed(key: str) -> None:
    for typed in TYPED[key].split(", "):
        name, _, values = typed.replace("for ", "for:").partition(":")
        for value in values.split("|"):
            assert read({name: value}, POLICY) != Options(), typed
