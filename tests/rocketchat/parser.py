"""What Rocket.Chat's clients show of a message: their own parser, in one Node process."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bot.chat.rocketchat.escaping import JOINER
from commands.messages import Address, Code, Document, Line, Mention, Node, Text
from tests import node

HERE = Path(__file__).parent / "node"
AT_ONCE = 25

Seen = tuple[str, str]
"""What a part is (`text`, `bold`, `code`, `link`, `call`, or the parser's word), and what shows."""

NEVER_BOLD = re.compile(r"[*_~`<]|^\s*$")
"""What a bold text cannot hold: then it is shown as it is, not bold."""

_BREAKS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_HALVES = re.compile("[\ud800-\udfff]")


class Parser:
    """Use as a context manager, where no event loop runs."""

    def __enter__(self) -> Parser:
        self._runner = asyncio.Runner().__enter__()
        self._node = self._runner.run(node.Node(HERE, "parser.mjs").__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._node.__aexit__())
        self._runner.close()

    def shows(self, messages: Sequence[str], *, old: bool = False) -> Iterator[list[list[Seen]]]:
        """The lines of each message, as the newest version shows them, or that of Rocket.Chat 6."""
        for start in range(0, len(messages), AT_ONCE):
            asked = self._node.do("parse", texts=messages[start : start + AT_ONCE], old=old)
            for tree in self._runner.run(asked):
                yield tidy([_block(block) for block in tree])

    def differs(
        self, documents: Sequence[Document], messages: Sequence[str], *, step: int = 1
    ) -> Iterator[str]:
        """Those of the messages, with what is seen instead, that the newest version or the old one
        shows otherwise than its document means it. The old one is slow, and reads one in `step`.
        """
        for old, every in ((False, 1), (True, step)):
            shown = self.shows(messages[::every], old=old)
            for message, document, seen in zip(
                messages[::every], documents[::every], shown, strict=True
            ):
                meant = expected(document)
                if seen != meant:
                    pairs = zip(meant, seen, strict=False)
                    first = next((one for one in pairs if one[0] != one[1]), (meant, seen))
                    yield f"{ascii(message)}\nmeant {ascii(first[0])}\nseen  {ascii(first[1])}"


def _block(block: dict[str, Any]) -> list[Seen]:
    match block:
        case {"type": "PARAGRAPH", "value": parts}:
            return [_part(part) for part in parts]
        case {"type": "LINE_BREAK"}:
            return []
        case other:
            return [(other["type"], json.dumps(other))]


def _part(part: dict[str, Any]) -> Seen:
    match part:
        case {"type": "PLAIN_TEXT", "value": str(text)} | {"type": "EMOJI", "unicode": str(text)}:
            return "text", text
        case {"type": "BOLD", "value": parts} if all(_part(one)[0] == "text" for one in parts):
            return "bold", "".join(_part(one)[1] for one in parts)
        case {"type": "INLINE_CODE", "value": {"value": str(text)}}:
            return "code", text
        case {"type": "LINK", "value": {"src": {"value": url}, "label": [{"value": label}]}}:
            return "link", url if url == label else f"{url} called {label}"
        case {"type": "MENTION_USER", "value": {"value": str(username)}}:
            return "call", username
        case other:
            return other["type"], json.dumps(other)


def expected(document: Document) -> list[list[Seen]]:
    """The lines of a document as they should be seen; nobody is called."""
    lines = [[part for node in _whole(line) for part in _meant(node)] for line in document.lines]
    return tidy(lines)


def _whole(line: Line) -> Iterator[Node]:
    """Bold texts that follow each other are one."""
    for bold, run in groupby(line, lambda node: isinstance(node, Text) and node.bold):
        if bold:
            yield Text("".join(node.text for node in run if isinstance(node, Text)), bold=True)
        else:
            yield from run


def _meant(node: Node) -> Iterator[Seen]:
    match node:
        case Text(text, bold):
            yield "bold" if bold and not NEVER_BOLD.search(text) else "text", text
        case Code(text):
            for number, part in enumerate(text.split("`")):
                yield from [("text", "`")] if number else []
                yield "code", part
        case Address(url, _):
            yield "link", url
        case Mention(_, name):
            yield "text", name


def tidy(lines: list[list[Seen]]) -> list[list[Seen]]:
    """Without what nobody sees: joiners, which dollar sign it is, what is empty."""
    seen = [_merged([(kind, _shown(text)) for kind, text in line]) for line in lines]
    while seen and not seen[-1]:
        seen.pop()
    return seen


def _merged(parts: list[Seen]) -> list[Seen]:
    runs = groupby((part for part in parts if part[1]), lambda part: part[0])
    merged = [(kind, "".join(text for _, text in run)) for kind, run in runs]
    return merged if "".join(text for _, text in merged).strip(" \t") else []


def _shown(text: str) -> str:
    """Line breaks are a space, halves of characters U+FFFD."""
    whole = _HALVES.sub("\ufffd", _BREAKS.sub(" ", text))
    return whole.replace(JOINER, "").replace("\uff04", "$")
