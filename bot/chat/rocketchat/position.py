"""How far the bot has read, as the text that the store keeps. Pure; the server's times only."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.chat.rocketchat.presses import Card
from bot.chat.rocketchat.times import EPOCH
from bot.chat.shapes import text

OVERLAP = timedelta(seconds=60)
"""Looks begin so much earlier than the last one: a server's processes have clocks of their own."""

MOST_CARDS = 200
CARDS_LAST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Position:
    """What was read of all rooms.

    `base`: the newest change that the last look at the list of rooms has seen. `began`: that of the
    very first look; what is older is history. `behind`: rooms that changed, but were not asked yet,
    and since when. `cards`: the bot's cards and who has pressed them, by message id; those not
    changed since `forgotten` may be missing. `cards_read`: the base when all their rooms were last
    to be asked. `rooms`: the channels and groups the bot is in, with the ids of its subscriptions.
    """

    base: datetime = EPOCH
    began: datetime = EPOCH
    behind: Mapping[str, datetime] = field(default_factory=dict)
    cards: Mapping[str, Card] = field(default_factory=dict)
    forgotten: datetime = EPOCH
    cards_read: datetime = EPOCH
    rooms: Mapping[str, str | None] = field(default_factory=dict)

    def after(self, since: datetime) -> datetime:
        """Messages written before that were read then, or are history."""
        return max(since - OVERLAP, self.began)

    @property
    def silent_until(self) -> datetime:
        """Cards written before that, of which nothing is known, have been pressed before."""
        return max(self.began, self.forgotten)

    def looked(
        self, newest: datetime, since: Mapping[str, datetime], *, complete: bool = False
    ) -> "Position":
        """The list of rooms was looked at: these are to be asked for what is new since then.

        `complete`: those of all cards are among them.
        """
        base = max(self.base, newest)
        cards_read = base if complete else self.cards_read
        return replace(self, base=base, behind={**since, **self.behind}, cards_read=cards_read)

    def asked(self, room: str) -> "Position":
        """What is new in a room was read."""
        return replace(self, behind={r: since for r, since in self.behind.items() if r != room})

    def only(self, rooms: Iterable[str]) -> "Position":
        """Without what is to be asked of other rooms: the bot is not in them any more."""
        kept = frozenset(rooms)
        return replace(self, behind={r: since for r, since in self.behind.items() if r in kept})

    def back_to(self, time: datetime) -> "Position":
        """Read again from there on: the server's clock was ahead when `base` was seen."""
        began, cards_read = min(self.began, time - OVERLAP), min(self.cards_read, time)
        return replace(self, base=time, began=began, cards_read=cards_read)

    def remembering(self, card_id: str, card: Card) -> "Position":
        """With this state of a card, and without the oldest ones."""
        cards = {**self.cards, card_id: card}
        oldest_first = sorted(cards, key=lambda one: cards[one].seen)
        dropped = [one for one in oldest_first if cards[one].seen < card.seen - CARDS_LAST]
        dropped += oldest_first[len(dropped) : max(len(dropped), len(cards) - MOST_CARDS)]
        forgotten = max([self.forgotten, *(cards.pop(one).seen for one in dropped)])
        return replace(self, cards=cards, forgotten=forgotten)


def dumped(position: Position) -> str:
    """Compact JSON; times are milliseconds since 1970."""
    content = {
        "base": _number(position.base),
        "began": _number(position.began),
        "behind": {room: _number(since) for room, since in position.behind.items()},
        "forgotten": _number(position.forgotten),
        "cards_read": _number(position.cards_read),
        "rooms": dict(position.rooms),
        "cards": {
            card_id: [
                card.room,
                _number(card.seen),
                {name: sorted(who) for name, who in card.pressed.items()},
            ]
            for card_id, card in position.cards.items()
        },
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def loaded(kept: str) -> Position:
    """The position of a text. Raises ValueError for one that is none."""
    try:
        content = json.loads(kept)
        return Position(
            base=_time(content["base"]),
            began=_time(content["began"]),
            behind={room: _time(since) for room, since in content["behind"].items()},
            cards={card_id: _card(*card) for card_id, card in content["cards"].items()},
            forgotten=_time(content["forgotten"]),
            cards_read=_time(content["cards_read"]),
            rooms={room: text(membership) for room, membership in content["rooms"].items()},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a position: {error}") from None


def _card(room: str, seen: int, pressed: Mapping[str, list[str]]) -> Card:
    return Card(room, _time(seen), {name: frozenset(who) for name, who in pressed.items()})


def _number(time: datetime) -> int:
    return round((time - EPOCH) / timedelta(milliseconds=1))


def _time(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)
