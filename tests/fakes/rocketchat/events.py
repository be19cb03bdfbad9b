"""What the state says aloud when something changed; the realtime side listens."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from tests.fakes.rocketchat.records import Room, Token, User
from tests.fakes.rocketchat.wire import Json

Action = Literal["inserted", "updated", "removed"]


@dataclass(frozen=True, slots=True)
class MessageWritten:
    """A message is new or changed: the whole document goes out (again)."""

    room: Room
    document: Json


@dataclass(frozen=True, slots=True)
class MessageErased:
    room: Room
    message_id: str


@dataclass(frozen=True, slots=True)
class SubscriptionWritten:
    action: Action
    user: User
    room: Room
    document: Json


@dataclass(frozen=True, slots=True)
class RoomWritten:
    action: Action
    document: Json
    users: Collection[User]


@dataclass(frozen=True, slots=True)
class TokensGone:
    """`forced`: with the event user.forceLogout, not only in the user's record."""

    user: User
    tokens: Collection[Token]
    forced: bool = False


@dataclass(frozen=True, slots=True)
class UserNotified:
    """`UID/<what>` on stream-notify-user: notification, message (an ephemeral one) ..."""

    user: User
    what: str
    args: list[Any]


Event = (
    MessageWritten | MessageErased | SubscriptionWritten | RoomWritten | TokensGone | UserNotified
)
