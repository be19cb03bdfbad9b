"""Documents as Matrix message content: a complete plain text, and HTML from an allow-list. Pure."""

import html
import re
from typing import Any
from urllib.parse import quote

from commands.messages import Address, Code, Document, Line, Mention, Node, Style, Text, plain
from storage.records import Person

PLATFORM = "matrix"

Content = dict[str, Any]

_SURROGATES = re.compile("[\ud800-\udfff]")  # alone in a text they make the homeserver answer 500


def content_of(document: Document) -> Content:
    """The content of an m.room.message. `m.mentions` is always there, `{}` when nobody is meant."""
    return {**_text(document), "m.mentions": _mentions(document.pings)}


def edited(document: Document, ref: str) -> Content:
    """The content of an edit of the message `ref`; an edit pings nobody."""
    new = {**_text(document), "m.mentions": {}}
    return {
        **new,
        "body": f"* {new['body']}",
        "formatted_body": f"* {new['formatted_body']}",
        "m.new_content": new,
        "m.relates_to": {"rel_type": "m.replace", "event_id": ref},
    }


def relation(reply_to: str | None, thread: str | None) -> Content:
    """What ties a message to the one it answers, and to the thread it is in; {} for neither."""
    if thread is not None:
        found = {
            "rel_type": "m.thread",
            "event_id": thread,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": reply_to or thread},
        }
        return {"m.relates_to": found}
    return {"m.relates_to": {"m.in_reply_to": {"event_id": reply_to}}} if reply_to else {}


def _text(document: Document) -> Content:
    return {
        "msgtype": "m.text" if document.style is Style.TEXT else "m.notice",
        "body": _storable(plain(document)),
        "format": "org.matrix.custom.html",
        "formatted_body": _storable("<br>".join(_line(line) for line in document.lines)),
    }


def _mentions(pings: tuple[Person, ...]) -> Content:
    people = [person.id for person in pings if person.platform == PLATFORM]
    return {"user_ids": people} if people else {}


def _line(line: Line) -> str:
    return "".join(_node(node) for node in line)


def _node(node: Node) -> str:
    match node:
        case Text(text, bold=True):
            return f"<strong>{_escaped(text)}</strong>"
        case Text(text):
            return _escaped(text)
        case Code(text):
            return f"<code>{_escaped(text)}</code>"
        case Address(url, label) if url.startswith(("https://", "http://")):
            return _link(url, label or url)
        case Address(url, label):
            return _escaped(f"{label}: {url}" if label else url)
        case Mention(person, name) if person.platform == PLATFORM:
            return _link(f"https://matrix.to/#/{quote(person.id, '@:', errors='replace')}", name)
        case Mention(_, name):
            return _escaped(name)


def _link(url: str, label: str) -> str:
    return f'<a href="{_escaped(url)}">{_escaped(label)}</a>'


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)


def _storable(text: str) -> str:
    return _SURROGATES.sub("\ufffd", text)
