"""The words: catalogues that agree with each other and with the code; arguments that stay text."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import example, given
from hypothesis import strategies as st

from commands.handlers.table import COMMANDS
from commands.i18n import LANGUAGES, Renderer, texts
from commands.messages import (
    Address,
    Arg,
    Code,
    Document,
    LinkTo,
    Mention,
    Message,
    Node,
    Phrase,
    Text,
    TextKey,
    Typed,
    Who,
    message,
    plain,
)
from commands.options import MODERATORS, RECORD
from storage.records import DeadReason, LinkKind, Person

ANA = Person("matrix", "@ana:example.org")
LINK = LinkTo(LinkKind.ROOM, "room-1", 1)
URL = "https://meet.example.org/j/abc"
NOON = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)

SAME_EVERYWHERE = frozenset({"rooms.line", "status.record", "help.line"})
"""Keys whose text is only arguments and signs."""
SAME_IN = {"fr": frozenset[str](), "de": frozenset({"who.inside"})}
"""Keys that happen to read the same as in English."""

FAMILIES = {
    "help.": [spec.verb for spec in COMMANDS.specs],
    "moderators.": list(MODERATORS),
    "record.": list(RECORD),
    "what.": ["card", "direct", "answer", "notice"],
    "dead.": list(DeadReason),
}
"""Keys that the code puts together: their beginning, and every end there is."""

SPEAKING = frozenset({"say", "Phrase", "UserError", "TextKey", "message", "template"})
"""Calls whose first argument is a key."""


# --- reading catalogues and code -----------------------------------------------------------------


@cache
def catalogue(language: str) -> Catalog:
    source = files("commands") / "locales" / language / "LC_MESSAGES" / "chat.po"
    with source.open("rb") as file:
        return read_po(file)


@cache
def templates(language: str) -> dict[str, tuple[str, ...]]:
    """The texts of each key, one for each plural form."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in catalogue(language):
        if entry.id:
            key = entry.id if isinstance(entry.id, str) else entry.id[0]
            found[key] = (entry.string,) if isinstance(entry.string, str) else tuple(entry.string)
    return found


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{([a-z_]+)\}", text))


ROCKETCHAT_CALLS = {"rooms.get", "rooms.info", "rooms.roles"}
"""Calls of its REST API, which look like keys."""


def sources() -> Iterator[ast.Module]:
    for package in ("commands", "bot.chat"):
        for path in sorted(Path(str(files(package))).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def named_keys() -> frozenset[str]:
    """The keys written in calls that speak, both of `a if b else c`."""
    return frozenset(key for call in _speaking_calls() for key in _choices(call.args[0]))


def _choices(first: ast.expr) -> Iterator[str]:
    if isinstance(first, ast.IfExp):
        yield from _choices(first.body)
        yield from _choices(first.orelse)
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value


@cache
def literals() -> frozenset[str]:
    """Every string in the code: keys are also put into variables first."""
    return frozenset(key for tree in sources() for key in _strings(tree))


def _speaking_calls() -> Iterator[ast.Call]:
    for tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and _name(node.func) in SPEAKING:
                yield node


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _strings(tree: ast.AST) -> Iterator[str]:
    parts = {id(v) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for v in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in parts:
                yield node.value


def composed() -> set[str]:
    """The beginnings of keys that are put together: `help.` of `f"help.{self.verb}"`."""
    found = set()
    for tree in sources():
        for node in ast.walk(tree):
            first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else None
            if isinstance(first, ast.Constant) and re.fullmatch(r"[a-z]+\.", str(first.value)):
                found.add(str(first.value))
    return found


# --- the catalogues ------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_header_says_which_language_it_is(language: str) -> None:
    assert str(catalogue(language).locale) == language
    assert catalogue(language).num_plurals == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_once_and_not_doubtful(language: str) -> None:
    source = files("commands") / "locales" / language / "LC_MESSAGES" / "chat.po"
    written = re.findall(r'(?m)^msgid "(.+)"$', source.read_text(encoding="utf-8"))
    assert len(written) == len(set(written)) == len(templates(language))
    assert all(text for forms in templates(language).values() for text in forms)
    assert not [entry.id for entry in catalogue(language) if entry.fuzzy and entry.id]


@pytest.mark.parametrize("language", ["fr", "de"])
def test_the_keys_are_those_of_english_in_the_same_order(language: str) -> None:
    assert list(templates(language)) == list(templates("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_placeholders_and_marks_are_those_of_english(language: str) -> None:
    """Of plural forms the second counts; the first may leave out the number."""
    for key, forms in templates(language).items():
        english = templates("en")[key]
        assert len(forms) == len(english), key
        assert placeholders(forms[-1]) == placeholders(english[-1]), key
        assert placeholders(forms[0]) | {"n"} >= placeholders(english[-1]), key
        for own, other in zip(forms, english, strict=True):
            assert sorted(re.findall(r"`.+?`|\*\*|\n", own)) == sorted(
                re.findall(r"`.+?`|\*\*|\n", other)
            ), key


@pytest.mark.parametrize("language", ["fr", "de"])
def test_only_what_is_listed_reads_as_in_english(language: str) -> None:
    same = {key for key, forms in templates(language).items() if forms == templates("en")[key]}
    first = {k for k, forms in templates(language).items() if forms[0] == templates("en")[k][0]}
    assert same | first == SAME_EVERYWHERE | SAME_IN[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_code_in_a_text_holds_no_argument_but_the_prefix(language: str) -> None:
    """Between backticks nothing but the prefix is filled in."""
    for key, forms in templates(language).items():
        for code in re.findall(r"`(.+?)`", " ".join(forms)):
            assert placeholders(code) <= {"prefix"}, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_texts_tell_people_to_type_exists(language: str) -> None:
    for key, forms in templates(language).items():
        for line in re.findall(r"`\{prefix\} (.+?)`", " ".join(forms)):
            assert COMMANDS.find(line.split()[0]), (key, line)


def test_french_signs_stand_behind_an_unbreakable_space() -> None:
    for key, forms in templates("fr").items():
        for text in forms:
            assert not re.search(r"[ ][:;?!»](?![^`]*`)|«[ ]", text), key
            assert not re.search(r"\w[;?!»]", text), key


# --- the catalogues and the code -----------------------------------------------------------------


def test_every_key_that_the_code_says_exists() -> None:
    assert len(named_keys()) > 60  # the search itself works
    assert named_keys() - templates("en").keys() == set()


def test_every_key_that_looks_like_ours_exists() -> None:
    """Also keys that wait in a variable."""
    spaces = {key.split(".")[0] for key in templates("en")} - {"hello"}
    ours = re.compile(rf"({'|'.join(sorted(spaces))})\.[a-z_-]+")
    keys = {key for key in literals() - ROCKETCHAT_CALLS if ours.fullmatch(key)}
    assert keys <= templates("en").keys()


def test_keys_put_together_are_those_of_the_families() -> None:
    assert composed() == FAMILIES.keys()
    expected = {f"{start}{end}" for start, ends in FAMILIES.items() for end in ends}
    assert expected <= templates("en").keys()


def test_no_text_is_without_use() -> None:
    put_together = {f"{start}{end}" for start, ends in FAMILIES.items() for end in ends}
    assert templates("en").keys() - put_together - literals() == set()


OURS = frozenset({"n", "usage", "verb", "what", "record", "retry", "prefix"})
"""Arguments that are never what somebody typed."""

HARMLESS = frozenset({"call.invited", "invite.link", "browser.new", "room.personal"})
"""Direct messages that begin with whom they are from or to; and the name of a room."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_begins_with_what_somebody_typed(language: str) -> None:
    """Else a name like `!other end` would be a command to another bot."""
    beginnings = {
        (key, match[1])
        for key, forms in templates(language).items()
        for text in forms
        for line in text.split("\n")
        if (match := re.match(r"[*`]*\{([a-z_]+)\}", line))
    }
    typed = {(key, arg) for key, arg in beginnings if key not in HARMLESS and arg not in OURS}
    assert typed == set()


@pytest.mark.parametrize("spec", COMMANDS.specs, ids=lambda spec: spec.verb)
@pytest.mark.parametrize("language", LANGUAGES)
def test_help_tells_of(spec: object, language: str) -> None:
    assert texts(language).template(getattr(spec, "help_key", ""))


# --- rendering -----------------------------------------------------------------------------------

SAMPLES: dict[str, Arg] = {
    "n": 3,
    "most": 20,
    "moderators": 2,
    "at": NOON,
    "until": NOON,
    "length": timedelta(minutes=42),
    "wait": timedelta(seconds=40),
    "who": Who(ANA, "Ana"),
    "names": (Who(ANA, "Ana"), Who(ANA, "Bo"), Who(ANA, "Cy")),
    "link": LINK,
    "record": TextKey("record.off"),
    "what": TextKey("help.start"),
    **{
        name: Typed("start")
        for name in (
            "again",
            "create",
            "end",
            "help",
            "join",
            "my",
            "near",
            "new",
            "off",
            "one",
            "set",
            "start",
            "usage",
            "write",
            "line",
        )
    },
}


def renderer(language: str = "en", zone: str = "Europe/Paris") -> Renderer:
    return Renderer(language=language, zone=zone, prefix="!bbb", links=lambda goal: URL)


def shown(said: Message, language: str = "en") -> str:
    return plain(renderer(language).document(said))


def nodes(document: Document) -> list[Node]:
    return [node for line in document.lines for node in line]


@pytest.mark.parametrize("key", templates("en"))
@pytest.mark.parametrize("language", LANGUAGES)
def test_renders(language: str, key: str) -> None:
    wanted = set().union(*map(placeholders, templates(language)[key])) - {"prefix"}
    for n in (0, 1, 2, 17):
        args = {name: SAMPLES.get(name, f"<{name}>") for name in wanted} | {"n": n}
        text = shown(message(key, **args), language)
        assert text.strip()
        assert not re.search(r"[{}]|\*\*", text)


HOSTILE = st.text(max_size=30) | st.sampled_from(
    [
        "**bold**",
        "`code`",
        "{who}",
        "{prefix}",
        "{n}",
        "\0" + "0\0",
        "\n",
        "<b>",
        "@room",
        "[x](https://evil.example)",
        "\\",
        "%s",
        "$n",
    ]
)


@given(HOSTILE, st.sampled_from(LANGUAGES))
@example("**x** `y` {link}", "en")
def test_a_name_is_never_markup_wherever_it_stands(name: str, language: str) -> None:
    said = Message(
        (
            Phrase("card.open", {"topic": name, "who": Who(ANA, name)}),
            Phrase("call.told", {"names": (name, Who(ANA, name))}),
            Phrase("card.facts", {"moderators": name, "record": TextKey("record.off")}),
            Phrase("e.no_room", {"room": name, "rooms": name}),
        )
    )
    document = renderer(language).document(said)
    found = nodes(document)

    assert not [node for node in found if isinstance(node, Code | Address)]
    assert [node for node in found if isinstance(node, Mention)] == [Mention(ANA, name)] * 2
    assert Text(name, bold=True) in found
    assert found.count(Text(name)) == 4
    assert document.pings == ()
    assert len(document.lines) == 4


@given(HOSTILE)
def test_what_is_to_be_typed_is_one_piece_of_code(line: str) -> None:
    found = nodes(renderer().document(message("e.away", line=Typed(line))))
    assert [n for n in found if isinstance(n, Code)] == [Code(f"!bbb {line}".strip())]


def test_bold_text_may_hold_an_argument_and_nothing_of_it_leaks_out() -> None:
    document = renderer().document(message("end.done", topic="a ** b"))
    [line] = document.lines
    assert line == (Text("The call "), Text("a ** b", bold=True), Text(" has been ended."))


def test_a_link_is_made_when_it_is_rendered() -> None:
    document = renderer().document(message("rooms.line", room="Plan", link=LINK))
    assert document.lines == ((Text("• "), Text("Plan", bold=True), Text(" – "), Address(URL, "")),)


def test_a_text_of_two_lines_is_two_lines() -> None:
    assert shown(message("my.reset", link=LINK)).count("\n") == 1


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Ana, Bo and Cy"), ("fr", "Ana, Bo et Cy"), ("de", "Ana, Bo und Cy")],
)
def test_people_are_listed_as_the_language_does_it(language: str, text: str) -> None:
    assert text in shown(message("call.told", names=SAMPLES["names"]), language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Tue 24 Nov, 12:30 (Europe/Paris)"),
        ("fr", "mar. 24 nov., 12:30 (Europe/Paris)"),
        ("de", "Di., 24. Nov., 12:30 (Europe/Paris)"),
    ],
)
def test_a_moment_has_weekday_date_time_and_zone(language: str, text: str) -> None:
    assert renderer(language).moment(NOON) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=59), "59 seconds"),
        (timedelta(seconds=59.6), "1 minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=42, seconds=20), "42 minutes"),
        (timedelta(minutes=59, seconds=50), "1 hour"),
        (timedelta(minutes=90), "1 hour 30 minutes"),
        (timedelta(hours=5), "5 hours"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(days=3, hours=1), "3 days 1 hour"),
    ],
)
def test_a_length_is_told_to_the_minute(span: timedelta, text: str) -> None:
    assert renderer().length(span) == text


@pytest.mark.parametrize(
    ("language", "text"), [("fr", "1 heure 30 minutes"), ("de", "1 Stunde 30 Minuten")]
)
def test_a_length_in_other_languages(language: str, text: str) -> None:
    assert renderer(language).length(timedelta(minutes=90)).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("language", "n", "text"),
    [
        ("en", 1, "1 person inside"),
        ("en", 0, "0 people inside"),
        ("fr", 0, "0 personne présente"),
        ("fr", 2, "2 personnes présentes"),
        ("de", 1, "1 Person darin"),
        ("de", 0, "0 Personen darin"),
    ],
)
def test_numbers_have_their_plural(language: str, n: int, text: str) -> None:
    assert text in shown(message("status.inside", n=n, moderators=0), language)


def test_an_unknown_language_speaks_english() -> None:
    assert texts("tlh").template("say.done") == texts("en").template("say.done")


def test_an_unknown_key_and_a_missing_argument_are_errors() -> None:
    with pytest.raises(KeyError):
        shown(message("no.such.key"))
    with pytest.raises(KeyError):
        shown(message("end.done"))
