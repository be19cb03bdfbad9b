"""Hostile names in Rocket.Chat: its own parser shows them as characters that mean nothing."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import pytest
from babel.messages.pofile import read_po
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.chat.rocketchat import escaping
from bot.chat.rocketchat.rendering import body_of
from commands.i18n import LANGUAGES, Renderer
from commands.messages import (
    Address,
    Arg,
    Document,
    LinkTo,
    Mention,
    Message,
    Phrase,
    Text,
    Typed,
    Who,
)
from storage.records import LinkKind
from tests.conftest import Proof
from tests.requirements import require_rocketchat_node
from tests.rocketchat.hostile import ANA, LINK, SHORT, around, hostile, messages
from tests.rocketchat.parser import Parser

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    require_rocketchat_node()
    with Parser() as parser:
        yield parser


@pytest.mark.promise("Hostile names: Rocket.Chat's own parser makes nothing of them.")
def test_they_are_plain_text(parser: Parser, proof: Proof) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201
    found = list(hostile(seed, proof.amount(200, long=5_500)))
    for start in range(0, len(found), 500):
        documents = [around(name) for name in found[start : start + 500]]
        step = proof.amount(4, long=1)
        assert not next(parser.differs(documents, messages(documents), step=step), None)
    proof.measured(seed=seed, names=len(found))


ALPHABET = "*_~`[]()<>|#@:.-+!$\\/=;'\"^%& \u00a0\u3000aZ9\téD)O\n\u200b\u2060"


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(st.sampled_from(ALPHABET), max_size=12), min_size=10, max_size=10))
def test_any_signs_are_plain_text(parser: Parser, found: list[str]) -> None:
    documents = [around(name) for name in found]
    assert not next(parser.differs(documents, messages(documents)), None)


# --- every text ----------------------------------------------------------------------------------


@cache
def templates(language: str) -> dict[str, set[str]]:
    """The arguments of each text of the catalogue."""
    source = files("commands") / "locales" / language / "LC_MESSAGES" / "chat.po"
    with source.open("rb") as file:
        entries = [entry for entry in read_po(file) if entry.id]
    return {
        entry.id if isinstance(entry.id, str) else entry.id[0]: set(
            re.findall(r"\{([a-z_]+)\}", str(entry.string))
        )
        for entry in entries
    }


def hostile_argument(chance: random.Random, name: str, row: str) -> Arg:
    if name == "n":
        return chance.choice([1, 3])
    if name == "link":
        return LinkTo(LinkKind.ROOM, "room-1", 1)
    return chance.choice([row, row, Typed(f'join "{row}"'), Who(ANA, row), (row, row, row)])


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_every_text(parser: Parser, language: str) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)
    renderer = Renderer(language=language, zone="UTC", prefix="!bbb", links=lambda goal: LINK)
    documents = []
    for key, arguments in templates(language).items():
        row = chance.choice(SHORT)
        args = {name: hostile_argument(chance, name, row) for name in sorted(arguments)}
        documents.append(renderer.document(Message((Phrase(key, args),))))
    assert len(documents) > 100
    assert not next(parser.differs(documents, messages(documents)), None)


# --- what we mean is seen ------------------------------------------------------------------------


def test_links_are_exact(parser: Parser) -> None:
    """Whatever the 22 characters of a link are: `-` and `_` at its ends too."""
    chance = random.Random(5)
    letters = "-_-_abcXYZ019"
    links = ["".join(chance.choice(letters) for _ in range(22)) for _ in range(100)]
    urls = [f"https://calls.example.org/j/{link}" for link in links]
    documents = [
        Document(((Text("Join: "), Address(url, ""), Text(" – or")), (Address(url, ""),)))
        for url in urls
    ]
    assert not next(parser.differs(documents, messages(documents)), None)


@pytest.mark.parametrize("old", [False, True])
def test_somebody_is_called(parser: Parser, old: bool) -> None:
    line = (Text("("), Mention(ANA, "Ana"), Text("). Look: "), Mention(ANA, "Ana"))
    usernames = ["ana", "ana.martin", "a-b_c", "7"]
    for username in usernames:
        message = body_of(Document((line,), pings=(ANA,)), {ANA.id: username}, max_size=5000).msg
        assert list(parser.shows([message], old=old)) == [
            [[("text", "( "), ("call", username), ("text", "). Look: "), ("call", username)]]
        ]


# --- the test can fail ---------------------------------------------------------------------------


def without(sign: str) -> re.Pattern[str]:
    return re.compile(escaping._MEANING.pattern.replace(re.escape(sign), "", 1))


MUTATIONS = {
    **{f"{sign} is left": ("_MEANING", without(sign)) for sign in escaping._SIGNS},
    "localhost is left": ("_MEANING", re.compile(f"[{re.escape(escaping._SIGNS)}]")),
    "no joiners": ("JOINER", ""),
    "lines are left": ("_BROKEN_LINE", re.compile("(?!)")),
    "code is left": ("_CALLING", re.compile("(?!)")),
    "all can be bold": ("_NEVER_BOLD", frozenset()),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_broken_escaping_is_found(
    parser: Parser, mutation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, value = MUTATIONS[mutation]
    monkeypatch.setattr(escaping, name, value)
    documents = [around(row) for row in SHORT]
    assert next(parser.differs(documents, messages(documents)), None)
