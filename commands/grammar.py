"""What people type, taken apart: trigger, verb, title, options, people, the rest. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 500
"""Characters of a command line that are read."""

_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "”": "”"}
_OPTION = re.compile(r"(?P<key>[a-z][a-z-]*):(?P<value>.*)", re.IGNORECASE)
_LONG_OPTION = re.compile(r"(?:--|—)(?P<key>[a-z][a-z-]*)(?:=(?P<value>.*))?", re.IGNORECASE)
_HALVES = re.compile("[\ud800-\udfff]")  # lone surrogates, which JSON may bring
_PERSON = re.compile(r"@[^\s@:]+(?::\S+)?")


def addressed(text: str, *, prefixes: Sequence[str], direct: bool, mentioned: bool) -> str | None:
    """The command line in a message, without its trigger; None when it is not for the bot.

    The trigger is a prefix followed by a space or the end (`!bbb`; `/bbb` and `//bbb` always work),
    a mention (already stripped by the adapter), or nothing at all in a direct channel.
    """
    whole = _HALVES.sub("\ufffd", text)
    line = "".join(whole.strip().splitlines()[:1]).strip()[:LONGEST]
    head, rest = _first_word(line)
    triggers = {p.casefold() for p in prefixes} | {"/bbb", "//bbb"}
    if head.casefold() in triggers:
        return rest
    if mentioned or (direct and line):
        return line
    return None


class Kind(StrEnum):
    WORD = "word"
    TITLE = "title"  # in quotation marks
    OPTION = "option"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a line. Of an option `text` is the value (may be ""), `key` its key."""

    kind: Kind
    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A command line taken apart. `verb` may be ""; `rest` is what follows it, as typed."""

    verb: str
    pieces: tuple[Piece, ...] = ()
    rest: str = ""


class Unclosed(ValueError):
    """A quotation mark that is never closed."""


def parse(line: str) -> Parsed:
    """Take a command line apart. Raises Unclosed for an open quotation mark."""
    normal = unicodedata.normalize("NFC", line).strip()
    head, rest = _first_word(normal)
    if not head or head[0] in _QUOTES:
        return Parsed("", tuple(_pieces(normal)), normal)
    return Parsed(head.casefold(), tuple(_pieces(rest)), rest)


def _first_word(line: str) -> tuple[str, str]:
    """Any space parts words: phones and French keyboards type unbreakable ones."""
    head, *rest = line.split(maxsplit=1) or [""]
    return head, "".join(rest).strip()


def _piece(word: str) -> Piece:
    if option := _option(word):
        return Piece(Kind.OPTION, option[1], option[0])
    if _PERSON.fullmatch(person := word.rstrip(",;")):
        return Piece(Kind.PERSON, person)
    return Piece(Kind.WORD, word)


def _option(word: str) -> tuple[str, str] | None:
    match = _LONG_OPTION.fullmatch(word) or _OPTION.fullmatch(word)
    if match is None or word.startswith(("http:", "https:")):
        return None
    value = match["value"]
    return match["key"].casefold(), _unquoted(value) if value else ""


def _unquoted(value: str) -> str:
    closing = _QUOTES.get(value[:1])
    return value[1:-1] if closing and len(value) > 1 and value[-1] in closing else value


def _pieces(line: str) -> list[Piece]:
    pieces: list[Piece] = []
    rest = line.strip()
    while rest:
        if closing := _QUOTES.get(rest[0]):
            text, rest = _quoted(rest, closing)
            pieces.append(Piece(Kind.TITLE, text))
        else:
            word, rest = _word(rest)
            pieces.append(_piece(word))
        rest = rest.lstrip()
    return pieces


def _quoted(rest: str, closing: str) -> tuple[str, str]:
    for end in range(1, len(rest)):
        if rest[end] in closing:
            return rest[1:end].strip(), rest[end + 1 :]
    raise Unclosed


def _word(rest: str) -> tuple[str, str]:
    """A word up to the next space; `key:"two words"` is one word."""
    end = 0
    while end < len(rest) and not rest[end].isspace():
        closing = _QUOTES.get(rest[end])
        if closing and end and rest[end - 1] in ":=":
            end = _closing(rest, end, closing)
        end += 1
    return rest[:end], rest[end:]


def _closing(rest: str, start: int, closing: str) -> int:
    for end in range(start + 1, len(rest)):
        if rest[end] in closing:
            return end
    raise Unclosed
