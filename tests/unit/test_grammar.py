"""What people type, taken apart."""

import contextlib
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commands.grammar import LONGEST, Kind, Parsed, Piece, Unclosed, addressed, parse

PREFIXES = ("!bbb", "!Call")
LINES = st.text(max_size=LONGEST)


def heard(text: str, *, direct: bool = False, mentioned: bool = False) -> str | None:
    return addressed(text, prefixes=PREFIXES, direct=direct, mentioned=mentioned)


def word(text: str) -> Piece:
    return Piece(Kind.WORD, text)


def title(text: str) -> Piece:
    return Piece(Kind.TITLE, text)


def option(key: str, value: str = "") -> Piece:
    return Piece(Kind.OPTION, value, key)


def person(text: str) -> Piece:
    return Piece(Kind.PERSON, text)


# --- whether the bot is meant --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("!bbb", "", id="the prefix alone"),
        pytest.param("!bbb start", "start", id="the prefix and a verb"),
        pytest.param("  !BBB   start  ", "start", id="in capitals, with spaces"),
        pytest.param("!call start", "start", id="another configured prefix"),
        pytest.param("/bbb start", "start", id="as a slash command"),
        pytest.param("//bbb start", "start", id="as an escaped slash command"),
        pytest.param("!bbb start\nand bring cake", "start", id="only the first line"),
        pytest.param("!bbb start\r\nand bring cake", "start", id="only the first Windows line"),
        pytest.param("!bbb\u00a0start", "start", id="an unbreakable space after the prefix"),
        pytest.param("!bbb\tstart", "start", id="a tab after the prefix"),
        pytest.param("!bbbq", None, id="a longer word that begins like the prefix"),
        pytest.param("start !bbb", None, id="the prefix somewhere else"),
        pytest.param("hello", None, id="people talking"),
        pytest.param("", None, id="nothing"),
        pytest.param(" \n ", None, id="nothing but spaces"),
    ],
)
def test_in_a_channel_the_bot_hears(text: str, line: str | None) -> None:
    assert heard(text) == line


def test_in_a_direct_channel_no_prefix_is_needed() -> None:
    assert heard("my reset", direct=True) == "my reset"
    assert heard("!bbb my reset", direct=True) == "my reset"
    assert heard("   ", direct=True) is None


def test_a_mention_is_a_trigger_also_with_nothing_after_it() -> None:
    assert heard("start", mentioned=True) == "start"
    assert heard("", mentioned=True) == ""


@given(LINES, st.booleans(), st.booleans())
def test_what_is_heard_is_one_line_of_bounded_length(
    text: str, direct: bool, mentioned: bool
) -> None:
    line = heard(text, direct=direct, mentioned=mentioned)
    assert line is None or (len(line.splitlines()) <= 1 and line == line.strip())
    assert len(heard("!bbb " + text * 3) or "") <= LONGEST


# --- taking it apart -----------------------------------------------------------------------------


@given(LINES)
@example('start "')
@example("start key:“")
@example("--=")
@example("@")
@example("\x1c")
def test_any_line_is_taken_apart_or_has_an_open_quotation_mark(text: str) -> None:
    with contextlib.suppress(Unclosed):
        assert parse(text).verb == parse(text).verb.strip()


@given(LINES.filter(lambda text: not any(mark in text for mark in '"“„«»”')))
def test_without_quotation_marks_every_line_is_taken_apart_and_loses_nothing(text: str) -> None:
    parsed = parse(text)
    verb, *rest = unicodedata.normalize("NFC", text).split() or [""]
    assert parsed.verb == verb.casefold()
    assert [p.text for p in parsed.pieces if p.kind is Kind.WORD] == [
        w for w in rest if not _is_special(w)
    ]


def _is_special(typed: str) -> bool:
    return parse(f"x {typed}").pieces[0].kind is not Kind.WORD


@pytest.mark.parametrize(
    ("line", "verb", "pieces"),
    [
        pytest.param("", "", [], id="an empty line"),
        pytest.param("START", "start", [], id="a verb in capitals"),
        pytest.param("de\u0301marrer", "démarrer", [], id="a decomposed accent"),
        pytest.param('"Budget"', "", [title("Budget")], id="a title without a verb"),
        pytest.param("start “Budget 1”", "start", [title("Budget 1")], id="English quotes"),
        pytest.param("start „Haushalt“", "start", [title("Haushalt")], id="German quotes"),
        pytest.param("start „Budżet”", "start", [title("Budżet")], id="Polish quotes"),
        pytest.param("start « Budget »", "start", [title("Budget")], id="French quotes"),
        pytest.param("start »Haushalt«", "start", [title("Haushalt")], id="book quotes"),
        pytest.param("start max:20", "start", [option("max", "20")], id="an option"),
        pytest.param("start MAX:20", "start", [option("max", "20")], id="an option in capitals"),
        pytest.param("start --max=20", "start", [option("max", "20")], id="a long option"),
        pytest.param("start —max=20", "start", [option("max", "20")], id="as phones write it"),
        pytest.param("start --mute", "start", [option("mute")], id="a long option without value"),
        pytest.param('x a:"b c" d', "x", [option("a", "b c"), word("d")], id="a quoted value"),
        pytest.param("x https://a.b", "x", [word("https://a.b")], id="an address is no option"),
        pytest.param("x 12:30", "x", [word("12:30")], id="a time is no option"),
        pytest.param("call @ana", "call", [person("@ana")], id="a person"),
        pytest.param("call @a:b.c", "call", [person("@a:b.c")], id="a person by id"),
        pytest.param("call @a:b:8448", "call", [person("@a:b:8448")], id="a server with a port"),
        pytest.param("call @a, @b;", "call", [person("@a"), person("@b")], id="people and commas"),
        pytest.param("call a@b.c", "call", [word("a@b.c")], id="a mail address is no person"),
        pytest.param("call @", "call", [word("@")], id="a lonely sign"),
        pytest.param(
            "say it's 5 o'clock",
            "say",
            [word("it's"), word("5"), word("o'clock")],
            id="apostrophes",
        ),
    ],
)
def test_a_line_has_these_pieces(line: str, verb: str, pieces: list[Piece]) -> None:
    parsed = parse(line)
    assert (parsed.verb, list(parsed.pieces)) == (verb, pieces)


@pytest.mark.parametrize("line", ['start "Budget', "start „Haushalt", "start « Budget", 'x a:"b'])
def test_an_open_quotation_mark_is_named(line: str) -> None:
    with pytest.raises(Unclosed):
        parse(line)


def test_the_rest_stays_as_it_was_typed() -> None:
    assert parse('say  "hi"  to  max:20') == Parsed(
        "say", (title("hi"), word("to"), option("max", "20")), '"hi"  to  max:20'
    )


def test_half_a_character_is_replaced_before_anybody_reads_it() -> None:
    line = addressed("!bbb call @a\ud800", prefixes=["!bbb"], direct=False, mentioned=False)
    assert line == "call @a\ufffd"
