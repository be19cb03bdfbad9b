"""What the server itself looks for in the raw text of a message: mentions and addresses.

It does so by regular expressions, before and apart from the parser, also within code. Written
after what Rocket.Chat 6.14 does (`MentionsParser`, `getMessageUrlRegex`).
"""

from __future__ import annotations

import random
import re

import pytest

from bot.chat.rocketchat import escaping
from bot.chat.rocketchat.rendering import body_of
from commands.messages import Code, Document, Mention, Text
from tests.conftest import Proof
from tests.rocketchat.hostile import ANA, LINK, SHORT, around, hostile, messages

SPACE = "[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
"""What `\\s` is in JavaScript."""

NAMES = ["[0-9a-zA-Z-_.]+", "[0-9a-zA-Z-_.\u00c0-\uffff]+"]
"""UTF8_User_Names_Validation and UTF8_Channel_Names_Validation: the default, and a wide one."""

ADDRESS = re.compile(r"([A-Za-z]{3,9})://([-;:&=+$,\w]+@)?[-A-Za-z0-9.]+[^\s)]*", re.ASCII)


def called(message: str, names: str) -> list[str]:
    """Whom and which channels a message calls."""
    users = re.compile(f"(?:^|{SPACE}|> ?)@({names}(?:@{names})?)", re.MULTILINE)
    channels = re.compile(f"(?:^|{SPACE}|>)#({names}(?:@{names})?)", re.MULTILINE)
    found = users.findall(message) + channels.findall(message)
    return [name for name in found if not name.startswith("\u2060")]


@pytest.mark.promise("Hostile names: Rocket.Chat's server finds no mention and no address in them.")
def test_it_finds_nothing_in_names(proof: Proof) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201
    found = list(hostile(seed, proof.amount(200, long=5_500)))
    for name, message in zip(found, messages([around(name) for name in found]), strict=True):
        assert [called(message, names) for names in NAMES] == [[], []], ascii(name)
        assert {match[0] for match in ADDRESS.finditer(message)} == {LINK}, ascii(name)
    proof.measured(seed=seed, names=len(found))


@pytest.mark.parametrize("code", ["invite @all", "@all", "say #general", "x> @here"])
def test_it_finds_nobody_in_code(code: str) -> None:
    [message] = messages([Document(((Code(code), Text(" "), Code(code)),))])
    assert called(message, NAMES[0]) == []


def test_it_finds_who_is_called() -> None:
    line = (Text("Look, "), Mention(ANA, "Ana"), Text(". "), Mention(ANA, "Ana"), Text("!"))
    document = Document((line, line), pings=(ANA,))
    message = body_of(document, {ANA.id: "ana.martin"}, max_size=5000).msg
    assert called(message, NAMES[0]) == ["ana.martin"] * 4


@pytest.mark.parametrize("part", ["JOINER", "_CALLING"])
def test_a_broken_escaping_is_found(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escaping, part, "" if part == "JOINER" else re.compile("(?!)"))
    assert any(called(message, NAMES[0]) for message in messages([around(row) for row in SHORT]))
