"""Message documents of Rocket.Chat read as commands. Pure; what is not clearly one is None.

The server sends a document again, whole, whenever anything of it changes (an edit, a reaction, a
pin, a thread that grows, a preview), and brings public channels that the bot is not in, its own
messages, and those of the system. Each of these is left out here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.chat.mention import without_leading
from bot.chat.rocketchat.ddp.events import MY_MESSAGES
from bot.chat.rocketchat.escaping import bare
from bot.chat.rocketchat.times import EPOCH, moment
from bot.chat.shapes import mapping, nested, objects, text
from commands.grammar import addressed
from storage.records import Channel, Command, Kind, Person

PLATFORM = "rocketchat"

LONGEST_TEXT = 8_000
"""Longer messages are not read at all."""

# Before a message that quotes others Rocket.Chat writes "[ ](https://…?msg=ID) " for each of them.
_QUOTES = re.compile(r"(?:\s*\[ ?\]\(https?://[^\s()]*[?&]msg=[^\s()]*\))+\s*")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A room the bot is in. `kind` is `c` (channel), `p` (private group) or `d` (direct message).

    `direct`: just one other person is in it. `since`: when the bot came in, by the server's clock;
    what was said before is not for it. `subscription`: the id of the bot's membership, None where
    only a message told of the room.
    """

    room: str
    kind: str
    name: str | None = None
    direct: bool = False
    since: datetime = EPOCH
    subscription: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads documents for the bot with the user id `me`; it never answers itself.

    `prefixes` are the configured ones; for each `!x` a `/x` works as well, where it comes through.
    """

    me: str
    prefixes: tuple[str, ...]

    def command(
        self, document: Document, place: Place, *, after: datetime, names: tuple[str, ...] = ()
    ) -> Command | None:
        """What a message asks of the bot. `names`: what the bot is called, with or without `@`.

        `after`: messages that were written before that were read then. Without it a reaction to a
        command of last month would carry it out again.
        """
        sent_at = self._new(document, place, after=after)
        if sent_at is None or document.get("t") is not None:
            return None
        line = self._addressed(document, place, names)
        if line is None:
            return None
        return Command(
            id=f"{PLATFORM}:{document['_id']}",
            kind=Kind.MESSAGE,
            channel=Channel(PLATFORM, place.room),
            person=Person(PLATFORM, document["u"]["_id"]),
            text=line,
            origin=document["_id"],
            sent_at=sent_at,
            direct=place.direct,
            thread=text(document.get("tmid")),
        )

    def is_unreadable(self, document: Document, place: Place, *, after: datetime) -> bool:
        """Whether this is a new message that only people can decrypt."""
        if document.get("t") != "e2e":
            return False
        return self._new(document, place, after=after) is not None

    def _new(self, document: Document, place: Place, *, after: datetime) -> datetime | None:
        """When a person wrote this; None for what the bot wrote, what is edited, what is old."""
        author = text(nested(document, "u", "_id"))
        if text(document.get("_id")) is None or author is None or author == self.me:
            return None
        if nested(document, "bot", "i") or document.get("_hidden"):
            return None
        if document.get("editedAt") is not None:
            return None
        sent_at = moment(document.get("ts"))
        if sent_at is None or sent_at < place.since or sent_at <= after:
            return None
        return sent_at

    def _addressed(self, document: Document, place: Place, names: tuple[str, ...]) -> str | None:
        typed = document.get("msg")
        if not isinstance(typed, str) or len(typed) > LONGEST_TEXT:
            return None
        if quotes := _QUOTES.match(typed):
            typed = typed[quotes.end() :]
        typed = bare(typed)
        rest = without_leading(typed.lstrip(), self._mentions(document, names))
        return addressed(
            typed if rest is None else rest,
            prefixes=(*self.prefixes, *(f"/{p[1:]}" for p in self.prefixes if p[0] == "!")),
            direct=place.direct,
            mentioned=rest is not None,
        )

    def _mentions(self, document: Document, names: tuple[str, ...]) -> list[str]:
        """How the text may name the bot; the server lists under which names it found it there."""
        found = [one for one in objects(document.get("mentions")) if one.get("_id") == self.me]
        listed = [one.get(key) for one in found for key in ("username", "name")]
        return [f"@{name}" for name in {*listed, *names} if isinstance(name, str) and name]


def room_of(document: Document, access: Mapping[str, Any] | None, event_name: str) -> str | None:
    """The room of a live message; None for one that was meant for nobody here.

    `access` is what the event of all rooms adds: whether the bot is in the room. Livechat is not
    for the bot.
    """
    room = text(document.get("rid"))
    if room is None or event_name not in (MY_MESSAGES.event, room):
        return None
    said = mapping(access)
    if said.get("roomParticipant") is False or said.get("roomType") in ("l", "v"):
        return None
    return room
