"""Whom a message mentions: pills turned into ids. Pure."""

import html
import re
from collections.abc import Iterable
from urllib.parse import unquote

# Written so that hostile text costs linear time: no part may run over the next "<".
_PILL = re.compile(
    r"""<a\s[^<>]*?\bhref\s*=\s*["']https://matrix\.to/\#/(?P<id>(?:@|%40)[^"'?<>]+)[^<>]*>"""
    r"""(?P<label>[^<]*)</a>""",
    re.IGNORECASE | re.VERBOSE,
)
_LINK = "https://matrix.to/#/"


def with_ids(body: str, formatted: str) -> str:
    """The text with each person's pill written as their id.

    Clients put only the display name into the plain text ("call Ana Martin"); whom that means
    stands in the formatted one. Pills are looked for in their order.
    """
    start = 0
    for pill in _PILL.finditer(formatted):
        person, label = unquote(pill["id"]), html.unescape(pill["label"])
        found = _first(body, _ways_to_write(person, label), start)
        if found is None:
            continue
        at, written = found
        body = body[:at] + person + body[at + len(written) :]
        start = at + len(person)
    return body


def _ways_to_write(person: str, label: str) -> list[str]:
    """How a plain text may name this pill, the longest first."""
    links = [f"[{name}]({_LINK}{person})" for name in (label, person)]
    return [*links, person, *([label] if label.strip() else [])]


def _first(text: str, words: Iterable[str], start: int) -> tuple[int, str] | None:
    found = [(text.find(word, start), -len(word), word) for word in words]
    there = [hit for hit in found if hit[0] >= 0]
    return (min(there)[0], min(there)[2]) if there else None
