"""What a realtime connection tells the rest of the bot, and what it is asked to listen to."""

from dataclasses import dataclass
from typing import Final

from bot.chat.shapes import Json

ROOM_MESSAGES: Final = "stream-room-messages"
NOTIFY_USER: Final = "stream-notify-user"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One event of one of the server's streams."""

    stream: str
    event: str


MY_MESSAGES: Final = Subscription(ROOM_MESSAGES, "__my_messages__")
"""Messages of all rooms at once, also of public channels the account has not joined."""


def messages_of(room_id: str) -> Subscription:
    """The messages of one room: the way round a refused MY_MESSAGES."""
    return Subscription(ROOM_MESSAGES, room_id)


def memberships_of(user_id: str) -> Subscription:
    """The rooms this account enters and leaves, and much noise about unread counters."""
    return Subscription(NOTIFY_USER, f"{user_id}/subscriptions-changed")


def logouts_of(user_id: str) -> Subscription:
    """The server ends the sessions of this account."""
    return Subscription(NOTIFY_USER, f"{user_id}/force_logout")


@dataclass(frozen=True, slots=True)
class Live:
    """Logged in, and every subscription the session began with is answered. Comes once."""

    refused: tuple[Subscription, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A subscription made later was refused, never answered, or ended by the server.

    `code` is the server's (`not-allowed`, `404`, `500` ...), or empty where it gave none.
    """

    subscription: Subscription
    code: str


@dataclass(frozen=True, slots=True)
class MessageSeen:
    """A message was written, edited, reacted to, threaded, pinned ...: the whole document, again.

    It comes once for each subscription that matches. `access` is what `__my_messages__` adds
    (`roomParticipant`, `roomType`, `roomName` but for direct messages), None for a room's own
    subscription. Nothing inside either was looked at; `md`, the parsed text, is left out.
    """

    document: Json
    access: Json | None
    event_name: str


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """The account's own subscription to a room: `action` is inserted, updated or removed."""

    action: str
    subscription: Json


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is over; the last thing a session says.

    `reason` is a sentence without secrets. `terminal`: trying again soon is useless, and an
    administrator has to know (the token is refused, or belongs to another account).
    """

    reason: str
    terminal: bool = False


Event = Live | Refused | MessageSeen | SubscriptionChanged | Lost
