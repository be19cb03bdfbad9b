"""Documents as Rocket.Chat messages: a complete text, and for cards a link button. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from bot.chat.rocketchat.escaping import JOINER, SPACES, coded, emboldened, escaped, storable
from bot.chat.rocketchat.receive import PLATFORM
from commands.i18n import texts
from commands.messages import Address, Code, Document, Mention, Node, Style, Text
from storage.records import Person

Usernames = Mapping[str, str]
"""Usernames by user id."""

Called = Mapping[Person, str]
"""The usernames of those who are to be called."""

_CALLABLE = re.compile(r"[0-9A-Za-z._-]*[0-9A-Za-z]")
"""Usernames that every version takes whole after an `@`."""


@dataclass(frozen=True, slots=True)
class Body:
    """What stands in a message: its text, and attachments, which no edit can change."""

    msg: str
    attachments: tuple[dict[str, Any], ...] = ()


def body_of(document: Document, usernames: Usernames, *, max_size: int) -> Body:
    """The message; `max_size`: the longest text the workspace takes, in UTF-16 units.

    Who is in `document.pings` is called by the `@username` that `usernames` has for the user id;
    all others are only named.
    """
    called = {who: usernames.get(who.id, "") for who in document.pings if who.platform == PLATFORM}
    return Body(_text(document, called, max_size), _attachments(document))


def edited_of(document: Document, *, max_size: int) -> Body:
    """The same for `chat.update`: it calls nobody, and the attachments stay as they were."""
    return Body(_text(document, {}, max_size))


def _attachments(document: Document) -> tuple[dict[str, Any], ...]:
    """A title and a button for the one link of a card; both have to stay true for ever."""
    nodes = [node for line in document.lines for node in _merged(line, {})]
    links = [node.url for node in nodes if isinstance(node, Address) and _opens(node.url)]
    if document.style is not Style.TEXT or len(links) != 1:
        return ()
    word = texts(document.language).plain("card.button")
    bold = (node.text for node in nodes if isinstance(node, Text) and node.bold)
    button = {"type": "button", "text": word, "url": links[0]}
    title = storable(next(bold, word))
    return ({"title": title, "title_link": links[0], "actions": [button]},)


# --- the text ------------------------------------------------------------------------------------


def _text(document: Document, called: Called, max_size: int) -> str:
    lines = [_joined([_piece(node) for node in _merged(line, called)]) for line in document.lines]
    whole = "\n".join(lines)
    return whole if _units(whole) <= max_size else _shortened(lines, document.language, max_size)


def _shortened(lines: Sequence[str], language: str, max_size: int) -> str:
    """As many whole lines as fit, and a sentence that says how many are missing."""
    shortened = ""
    for kept in range(len(lines) - 1, -1, -1):
        missing = texts(language).plain("message.shortened", n=len(lines) - kept)
        shortened = "\n".join([*lines[:kept], escaped(missing)])
        if _units(shortened) <= max_size:
            break
    return shortened


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a line. Where it has a `gap`, a space keeps it from what touches it in front, and
    the gap from what touches it behind: without, that would become a part of it.
    """

    text: str
    gap: str = ""


def _joined(pieces: Sequence[_Piece]) -> str:
    line, gap = "", ""
    for piece in pieces:
        if line and piece.text and not SPACES.intersection((line[-1], piece.text[0])):
            line += gap or (" " if piece.gap else "")
        line += piece.text
        gap = piece.gap
    return line


def _merged(line: Sequence[Node], called: Called) -> Iterator[Node]:
    """The nodes, texts that follow each other as one; a mention is left where it calls."""
    nodes = [_called(node, called) if isinstance(node, Mention) else node for node in line]
    for bold, run in groupby(nodes, _boldness):
        if bold is None:
            yield from run
        else:
            yield Text("".join(node.text for node in run if isinstance(node, Text)), bold)


def _boldness(node: Node) -> bool | None:
    """Whether a text is bold; None for what is no text."""
    return node.bold if isinstance(node, Text) else None


def _called(mention: Mention, called: Called) -> Node:
    """The mention by username, or the name as text."""
    username = called.get(mention.person, "")
    return replace(mention, name=username) if _CALLABLE.fullmatch(username) else Text(mention.name)


def _piece(node: Node) -> _Piece:
    match node:
        case Text(text, bold):
            return _Piece(emboldened(text) if bold else escaped(text))
        case Code(text):
            return _Piece(coded(text))
        case Address(url, label) if _opens(url):
            return _Piece(f"{escaped(label)}: {url}" if label else url, gap=" ")
        case Address(url, label):
            return _Piece(escaped(f"{label}: {url}" if label else url))
        case Mention(_, username):
            return _Piece(f"@{username}", gap=JOINER)


def _opens(url: str) -> bool:
    return url.startswith(("https://", "http://"))
