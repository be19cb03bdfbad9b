"""What Rocket.Chat's clients show of a text: their own parser, in one Node process.

Two versions read each text: that of Rocket.Chat 6 and the newest, both with all options on.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bot.chat.rocketchat.escaping import JOINER
from commands.messages import Address, Code, Document, Mention, Node, Text

HERE = Path(__file__).parent / "node"
AT_ONCE = 50

Seen = tuple[str, str]
"""What a part is (`text`, `bold`, `code`, `link`, `call`, or the parser's word), and what shows."""

UNBOLD = re.compile(r"[*_~`]|^\s*$")
"""What a bold text cannot hold: it is shown as it is, not bold."""

_BREAKS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_HALVES = re.compile("[\ud800-\udfff]")


class Parser:
    """Use as a context manager."""

    def __init__(self, where: Path = HERE) -> None:
        self._where = Path(os.environ.get("PARSER_AT", where))

    def __enter__(self) -> Parser:
        self._process = subprocess.Popen(
            ["node", "parse.mjs"],
            cwd=self._where,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def reads(self, texts: Sequence[str]) -> Iterator[tuple[list[list[Seen]], ...]]:
        """The lines of each text as each version shows them."""
        assert self._process.stdin and self._process.stdout
        for start in range(0, len(texts), AT_ONCE):
            self._process.stdin.write(json.dumps(texts[start : start + AT_ONCE]) + "\n")
            self._process.stdin.flush()
            for trees in json.loads(self._process.stdout.readline()):
                yield tuple(tidy([_block(block) for block in tree]) for tree in trees)


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
        case {"type": "MENTION_USER", "value": {"value": username}}:
            return "call", username
        case other:
            return other["type"], json.dumps(other)


def expected(document: Document) -> list[list[Seen]]:
    """The lines of a document as they should be seen; nobody is called."""
    return tidy([[part for node in line for part in _node(node)] for line in document.lines])


def _node(node: Node) -> Iterator[Seen]:
    match node:
        case Text(text, bold):
            yield "bold" if bold and not UNBOLD.search(text) else "text", text
        case Code(text):
            for number, part in enumerate(text.split("`")):
                yield from [("text", "`")] if number else []
                yield "code", part
        case Address(url, _):
            yield "link", url
        case Mention(_, name):
            yield "text", name


def tidy(lines: list[list[Seen]]) -> list[list[Seen]]:
    """Without what is not seen: joiners, which dollar sign it is, parts and lines of nothing."""
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
