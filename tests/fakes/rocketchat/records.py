"""Who and what there is on the server: users with their tokens, rooms with their members."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.fakes.rocketchat.wire import Json, new_id


@dataclass(frozen=True, slots=True)
class Token:
    """`expires` is None for a personal access token."""

    text: str
    expires: datetime | None = None
    name: str = ""
    made: datetime | None = None
    without_2fa: bool = False


@dataclass(slots=True, eq=False)
class User:
    """An account. `token` is a personal access token that works until it is revoked."""

    id: str
    username: str
    name: str
    roles: set[str]
    type: str
    created: datetime
    updated: datetime
    token: str
    password: str
    email: str
    active: bool = True
    status: str = "online"
    status_text: str = ""
    totp: str | None = None
    """The code that a login with the password needs besides."""
    federated: bool = False
    tokens: dict[str, Token] = field(default_factory=dict)

    @property
    def short(self) -> Json:
        """As it stands in messages."""
        return {"_id": self.id, "username": self.username, "name": self.name}

    @property
    def shortest(self) -> Json:
        return {"_id": self.id, "username": self.username}

    @property
    def document(self) -> Json:
        """IUser, as much of it as everybody may know."""
        document: Json = {
            "_id": self.id,
            "username": self.username,
            "name": self.name,
            "type": self.type,
            "roles": sorted(self.roles),
            "active": self.active,
            "status": self.status if self.active else "offline",
            "utcOffset": 0,
            "createdAt": self.created,
            "_updatedAt": self.updated,
        }
        if self.status_text:
            document["statusText"] = self.status_text
        if self.federated:
            document["federated"] = True
        return document


@dataclass(slots=True, eq=False)
class Membership:
    """A user's subscription to a room."""

    user: User
    name: str
    fname: str
    since: datetime
    seen: datetime
    updated: datetime
    id: str = field(default_factory=new_id)
    open: bool = True
    alert: bool = False
    unread: int = 0
    mentions: int = 0
    group_mentions: int = 0
    blocked: bool = False
    blocker: bool = False


@dataclass(slots=True, eq=False)
class Room:
    """`kind` is c, p, d or l; `members` and `roles` go by user id.

    `more` are further keys of its document: topic, prid, teamId, encrypted ...
    """

    id: str
    kind: str
    name: str | None
    owner: User | None
    created: datetime
    updated: datetime
    members: dict[str, Membership] = field(default_factory=dict)
    roles: dict[str, set[str]] = field(default_factory=dict)
    readonly: bool = False
    encrypted: bool = False
    archived: bool = False
    muted: set[str] = field(default_factory=set)
    unmuted: set[str] = field(default_factory=set)
    join_code: str | None = None
    count: int = 0
    last: Json | None = None
    more: Json = field(default_factory=dict)

    @property
    def users(self) -> list[User]:
        return [membership.user for membership in self.members.values()]

    @property
    def document(self) -> Json:
        """IRoom. A room whose maker is gone has a `u` of nulls, as real ones have."""
        owner: Json = self.owner.short if self.owner else {"_id": None, "username": None}
        document: Json = {
            "_id": self.id,
            "t": self.kind,
            "u": owner,
            "msgs": self.count,
            "usersCount": len(self.members),
            "ts": self.created,
            "_updatedAt": self.updated,
            "ro": self.readonly,
            **self.more,
        }
        if self.kind == "d":
            document["usernames"] = [user.username for user in self.users]
            document["uids"] = [user.id for user in self.users]
        else:
            document["name"] = self.name
        optional: dict[str, Any] = {
            "encrypted": self.encrypted,
            "archived": self.archived,
            "muted": sorted(self.muted),
            "unmuted": sorted(self.unmuted),
            "joinCodeRequired": self.join_code is not None,
        }
        document |= {key: value for key, value in optional.items() if value}
        if self.last:
            document |= {"lm": self.last["ts"], "lastMessage": self.last}
        return document

    def subscription(self, user: User) -> Json:
        """ISubscription of one of its members."""
        membership = self.members[user.id]
        document: Json = {
            "_id": membership.id,
            "rid": self.id,
            "t": self.kind,
            "name": membership.name,
            "fname": membership.fname,
            "u": user.short,
            "ts": membership.since,
            "ls": membership.seen,
            "open": membership.open,
            "alert": membership.alert,
            "unread": membership.unread,
            "userMentions": membership.mentions,
            "groupMentions": membership.group_mentions,
            "_updatedAt": membership.updated,
        }
        if roles := self.roles.get(user.id):
            document["roles"] = sorted(roles)
        document |= {key: True for key in ("blocked", "blocker") if getattr(membership, key)}
        return document | {key: self.more[key] for key in ("prid", "teamId") if key in self.more}
