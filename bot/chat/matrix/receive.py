"""Matrix events read as commands. Pure; whatever is not clearly a command is None."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.chat.matrix.mentions import with_ids
from bot.chat.mention import without_leading
from bot.chat.shapes import mapping
from commands.grammar import addressed
from storage.records import Channel, Command, Kind, Person

PLATFORM = "matrix"
OUR_ID = "org.bbb-bot.id"
"""In the content of each message that a bbb-bot sends, and beside it when that is encrypted: a
digest that says nothing.
"""

LONGEST_BODY = 8_000
"""Longer messages are not read at all."""

_LONGEST_KEY = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EMOJI_STYLE = "\ufe0f"  # some clients send "▶" with it, some without

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """The room an event is in. `names`: what the bot is called there."""

    room: str
    direct: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads events for the bot `me`; it never answers itself."""

    me: str
    prefixes: tuple[str, ...]

    def command(self, event: Event, place: Place) -> Command | None:
        """What an event asks of the bot; messages that a bbb-bot sent ask nothing of another one.

        A reaction is read whatever it stands on; whose message that is remains to be asked.
        """
        if "state_key" in event or not _is_whole(event) or event["sender"] == self.me:
            return None
        if event["type"] == "m.room.message":
            return self._message(event, place)
        if event["type"] == "m.reaction":
            return self._reaction(event, place)
        return None

    def _message(self, event: Event, place: Place) -> Command | None:
        content = event["content"]
        text = None if OUR_ID in content else _typed(content)
        line = None if text is None else self._addressed(text, content, place)
        if line is None:
            return None
        return _command(event, place, Kind.MESSAGE, line, thread=_thread(content))

    def _addressed(self, text: str, content: Event, place: Place) -> str | None:
        rest = without_leading(text, self._names(content, place))
        return addressed(
            text if rest is None else rest,
            prefixes=self.prefixes,
            direct=place.direct,
            mentioned=rest is not None,
        )

    def _names(self, content: Event, place: Place) -> tuple[str, ...]:
        """By the id always, by a mere name only where the client says that it meant the bot."""
        if self.me not in _mentioned(content):
            return (self.me,)
        local = self.me.split(":")[0]
        return (self.me, local, local[1:], *place.names)

    def _reaction(self, event: Event, place: Place) -> Command | None:
        relation = mapping(event["content"].get("m.relates_to"))
        key, target = relation.get("key"), relation.get("event_id")
        if relation.get("rel_type") != "m.annotation" or not isinstance(target, str):
            return None
        if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
            return None
        key = key.replace(_EMOJI_STYLE, "")
        return _command(event, place, Kind.REACTION, key, target=target)


def _command(
    event: Event,
    place: Place,
    kind: Kind,
    text: str,
    *,
    thread: str | None = None,
    target: str | None = None,
) -> Command | None:
    sent_at = moment(event["origin_server_ts"])
    if sent_at is None:
        return None
    return Command(
        id=f"{PLATFORM}:{event['event_id']}",
        kind=kind,
        channel=Channel(PLATFORM, place.room),
        person=Person(PLATFORM, event["sender"]),
        text=text,
        origin=target or event["event_id"],  # one replies to the message, not to the reaction
        sent_at=sent_at,
        direct=place.direct,
        thread=thread,
        target=target,
    )


def moment(milliseconds: Any) -> datetime | None:
    """A time stamp of Matrix; None where it is none."""
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def _is_whole(event: Event) -> bool:
    texts = ("type", "event_id", "sender")
    if not all(isinstance(event.get(name), str) for name in texts):
        return False
    redacted = "redacted_because" in mapping(event.get("unsigned"))
    return (
        isinstance(event.get("content"), Mapping) and "origin_server_ts" in event and not redacted
    )


def _typed(content: Event) -> str | None:
    """The text somebody typed; None for notices, emotes, edits, and what is no text."""
    body, relation = content.get("body"), mapping(content.get("m.relates_to"))
    if content.get("msgtype") != "m.text" or not isinstance(body, str):
        return None
    if relation.get("rel_type") == "m.replace" or "m.new_content" in content:
        return None
    if len(body) > LONGEST_BODY:
        return None
    if "m.in_reply_to" in relation:
        body = without_reply_fallback(body)
    formatted = content.get("formatted_body")
    if isinstance(formatted, str) and len(formatted) <= LONGEST_BODY:
        body = with_ids(body, formatted)
    return body.strip() or None


def without_reply_fallback(body: str) -> str:
    """A reply's own text: old clients quote before it, as `> ` lines and a blank one."""
    lines = body.split("\n")
    quoted = next((n for n, line in enumerate(lines) if not line.startswith(">")), len(lines))
    if quoted and quoted < len(lines) and not lines[quoted].strip():
        return "\n".join(lines[quoted + 1 :])
    return body


def _thread(content: Event) -> str | None:
    relation = mapping(content.get("m.relates_to"))
    root = relation.get("event_id")
    return root if relation.get("rel_type") == "m.thread" and isinstance(root, str) else None


def _mentioned(content: Event) -> frozenset[str]:
    listed = mapping(content.get("m.mentions")).get("user_ids")
    found = listed if isinstance(listed, list) else []
    return frozenset(who for who in found if isinstance(who, str))
