"""Reactions on the bot's own messages read as presses of buttons. Pure.

Rocket.Chat sends no event for one reaction: the message comes again with the whole map of who
reacted how. So what is new is what was not there before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.chat.rocketchat.emoji import KEYS
from bot.chat.rocketchat.receive import PLATFORM, Place
from bot.chat.rocketchat.times import moment
from bot.chat.shapes import mapping, nested, text
from storage.records import Channel, Command, Kind, Person


@dataclass(frozen=True, slots=True)
class Card:
    """A message of the bot with buttons, as it was last seen: by shortname who has pressed it.

    `seen` is the server's time of that state; people stand there by username, as the server has it.
    """

    room: str
    seen: datetime
    pressed: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button, by username."""

    key: str
    shortname: str
    username: str


def card_of(document: Mapping[str, Any], *, me: str, names: Iterable[str]) -> Card | None:
    """The state of one of the bot's own messages that carries buttons; None for all others.

    `names`: the bot's own username; its own reactions are the buttons.
    """
    room, seen = text(document.get("rid")), moment(document.get("_updatedAt"))
    if nested(document, "u", "_id") != me or text(document.get("_id")) is None:
        return None
    if room is None or seen is None or document.get("t") is not None:
        return None
    reactions = mapping(document.get("reactions"))
    known = {name: mapping(found) for name, found in reactions.items() if name in KEYS}
    if not known:
        return None
    own = frozenset(names)
    people = {name: _usernames(found) - own for name, found in known.items()}
    return Card(room, seen, {name: who for name, who in people.items() if who})


def presses(before: Card | None, now: Card) -> list[Press]:
    """What was pressed between two states; nothing when the later one came first.

    Two states of the same moment may differ all the same: then only what was added counts.
    """
    if before is not None and now.seen < before.seen:
        return []
    return [
        Press(KEYS[name], name, username)
        for name, who in sorted(now.pressed.items())
        for username in sorted(who - _of(before, name))
    ]


def merged(before: Card | None, now: Card) -> Card:
    """What to remember after `presses`: the later state; of the same moment both together."""
    if before is None or now.seen > before.seen:
        return now
    if now.seen < before.seen:
        return before
    names = {*before.pressed, *now.pressed}
    return Card(now.room, now.seen, {n: _of(before, n) | _of(now, n) for n in names})


def command_of(press: Press, card_id: str, card: Card, place: Place, person: str) -> Command:
    """The press of the person with this user id, as the core hears of it.

    Its id holds the moment: pressed, taken back and pressed again is two presses.
    """
    at = int(card.seen.timestamp() * 1000)
    return Command(
        id=f"{PLATFORM}:{card_id}:{press.shortname}:{person}:{at}",
        kind=Kind.REACTION,
        channel=Channel(PLATFORM, card.room),
        person=Person(PLATFORM, person),
        text=press.key,
        origin=card_id,
        sent_at=card.seen,
        direct=place.direct,
        target=card_id,
    )


def _of(card: Card | None, name: str) -> frozenset[str]:
    return frozenset() if card is None else card.pressed.get(name, frozenset())


def _usernames(found: Mapping[str, Any]) -> frozenset[str]:
    listed = found.get("usernames")
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(name for name in listed if isinstance(name, str) and name)
