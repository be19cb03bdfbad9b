"""What the server reads out of a message's text: mentions, channels, addresses, a parsed form."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.fakes.rocketchat.records import User
from tests.fakes.rocketchat.wire import Json

_NAME = r"[0-9a-zA-Z\-_.]+"
_MENTION = re.compile(rf"(?:^|\s|> ?)@({_NAME}(?:@{_NAME}(?::{_NAME})?)?)", re.MULTILINE)
_CHANNEL = re.compile(rf"(?:^|\s|>)#({_NAME})", re.MULTILINE)
_ADDRESS = re.compile(r"https?://[^\s<>\"'|)\]]+", re.IGNORECASE)


def mentions(text: str, find: Callable[[str], User | None]) -> list[Json]:
    """Who is named, `@all` and `@here` too; the server looks into code as well."""
    found: list[Json] = []
    for name in dict.fromkeys(_MENTION.findall(text)):
        if name in ("all", "here"):
            found.append({"_id": name, "username": name})
        elif user := find(name):
            found.append({**user.short, "type": "user"})
    return found


def channels(text: str, find: Callable[[str], str | None]) -> list[Json]:
    """The public channels named that exist."""
    names = dict.fromkeys(_CHANNEL.findall(text))
    return [{"_id": rid, "name": name} for name in names if (rid := find(name))]


def addresses(text: str) -> list[Json]:
    return [{"url": url, "meta": {}} for url in dict.fromkeys(_ADDRESS.findall(text))]


def parsed(text: str) -> list[Json]:
    """`md`: paragraphs of plain text; no client of ours reads more of it."""
    return [
        {"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": line}]}
        for line in text.split("\n")
        if line
    ]


def length(text: str) -> int:
    """As JavaScript counts: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
