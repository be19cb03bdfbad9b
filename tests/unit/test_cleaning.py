"""Names, topics and other text from outside, made fit to be shown."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commands.cleaning import LONGEST_NAME, clean, local_part

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
RAINBOW_FLAG = "🏳\ufe0f\u200d🌈"
DARK_COOK = "👩🏿\u200d🍳"

# Letters, marks and everything that ever made trouble, close together.
HOSTILE = st.text(
    st.sampled_from(
        "aA é\u0301\u0308\u200b\u200d\u200e\u202e\u2066\ufeff\x00\n\t👨👩🏿\ufe0f❤…\u3164<*`"
    )
    | st.characters(),
    max_size=200,
)


@given(HOSTILE)
@example("e\u200b\u0301")  # taking the hidden one away brings the two together
@example("e\u200d\u0301")
@example("x" * 61 + "👨\u200d👩\u200d👧")  # the cut falls behind a joiner
@example("x" * 63 + " y")
@example("\u0301" * 100)
def test_cleaned_text_is_clean_and_cleaning_it_again_changes_nothing(text: str) -> None:
    shown = clean(text)
    assert clean(shown) == shown
    assert len(shown) <= LONGEST_NAME
    assert unicodedata.is_normalized("NFC", shown)
    assert shown == " ".join(shown.split())
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {char for char in shown if unicodedata.category(char) == "Cf"} - {"\u200d"}


@given(HOSTILE, HOSTILE)
def test_a_joiner_stays_only_inside_an_emoji(before: str, after: str) -> None:
    shown = clean(f"{before}\u200d{after}")
    for i, char in enumerate(shown):
        if char == "\u200d":
            assert 0 < i < len(shown) - 1
            assert shown[i - 1] == "\ufe0f" or unicodedata.category(shown[i - 1]) in ("So", "Sk")
            assert unicodedata.category(shown[i + 1]) in ("So", "Sk")


@pytest.mark.parametrize(
    "name",
    [
        "Ana",
        "Åse Ødegård",
        "Ana (she/her)",
        "李小龙",
        "עידו",
        "نور",
        "O'Neil & Sons <3",
        FAMILY,
        RAINBOW_FLAG,
        DARK_COOK,
        "❤\ufe0f",
    ],
)
def test_a_decent_name_stays_as_it_is(name: str) -> None:
    assert clean(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("A\u030asa", "Åsa", id="a decomposed letter"),
        pytest.param("e\u200b\u0301", "é", id="a letter and its accent kept apart"),
        pytest.param("Ana\u202eanA", "AnaanA", id="text turned round"),
        pytest.param("\u2066Ana\u2069", "Ana", id="isolated text"),
        pytest.param("An\u200ba\u200d \u2060B\u00ado", "Ana Bo", id="zero width and soft hyphens"),
        pytest.param("Ana\nBo\r\n\tCy", "Ana Bo Cy", id="several lines"),
        pytest.param("  Ana \u00a0\u3000 Bo ", "Ana Bo", id="spaces of all kinds"),
        pytest.param("Ana\x00\x1b[31m", "Ana[31m", id="controls"),
        pytest.param("Ana\ud800", "Ana", id="half a surrogate"),
        pytest.param("Ana\ue000\uffff", "Ana", id="private and no characters"),
        pytest.param("👨\u200d\u200b👩", "👨\u200d👩", id="something hidden in a family"),
        pytest.param("a" * 65, "a" * 63 + "…", id="one character too many"),
        pytest.param("a" * 64, "a" * 64, id="just short enough"),
    ],
)
def test_trouble_is_taken_out(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "\u200b\u200d",
        "\u202e",
        "\u3164",
        "\u2800 \u2800",
        "\u115f\u1160",
        "\uffa0",
        "\u00ad",
        "\u0301" * 100,
        "\ufe0f",
        "\u034f",
        "\x00",
    ],
    ids=ascii,
)
def test_a_name_that_nobody_can_see_is_empty(name: str) -> None:
    assert clean(name) == ""


@given(st.text(min_size=1), st.integers(2, 10))
def test_the_length_can_be_chosen(text: str, longest: int) -> None:
    assert len(clean(text, longest)) <= longest


@pytest.mark.parametrize(
    ("person", "local"),
    [("@ana:example.org", "ana"), ("@ana:example.org:8448", "ana"), ("ana", "ana"), ("@:x", "")],
)
def test_the_local_part_stands_for_a_missing_name(person: str, local: str) -> None:
    assert local_part(person) == local
