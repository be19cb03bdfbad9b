"""Everything the server knows, and the one way each thing changes: written, then said aloud.

Nothing here asks who may do what; `posting.py` and the endpoints do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.rocketchat import text
from tests.fakes.rocketchat.counters import counted, notification
from tests.fakes.rocketchat.events import (
    Event,
    MessageErased,
    MessageWritten,
    RoomWritten,
    SubscriptionWritten,
    TokensGone,
    UserNotified,
)
from tests.fakes.rocketchat.permissions import DEFAULTS, can_access, has_permission
from tests.fakes.rocketchat.records import Membership, Room, Token, User
from tests.fakes.rocketchat.settings import SETTINGS
from tests.fakes.rocketchat.wire import Json, new_id, whole_milliseconds

LOGIN_LASTS = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Grave:
    """What is left of a deleted message or subscription."""

    id: str
    rid: str
    user_id: str
    when: datetime

    @property
    def document(self) -> Json:
        return {"_id": self.id, "_deletedAt": self.when}


class State:
    """The database, so to speak. `clock` gives aware datetimes.

    Without `side_effects` a change is only itself: no unread counters, no system messages, no
    link previews. So were the frames of 6.14 recorded: documents put beside the server.
    """

    def __init__(self, clock: Callable[[], datetime], *, side_effects: bool = True) -> None:
        self.clock = clock
        self.side_effects = side_effects
        self.users: dict[str, User] = {}
        self.rooms: dict[str, Room] = {}
        self.messages: dict[str, Json] = {}
        self.settings: dict[str, Any] = dict(SETTINGS)
        self.permissions = dict(DEFAULTS)
        self.commands: dict[str, Json] = {}
        self.call_provider: str | None = None
        """The name of the app that owns the call button."""
        self.deleted_messages: list[Grave] = []
        self.ended_subscriptions: list[Grave] = []
        self.listeners: list[Callable[[Event], None]] = []
        self._order: dict[str, list[str]] = {}

    def now(self) -> datetime:
        return whole_milliseconds(self.clock())

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)

    # --- asking

    def named(self, username: str) -> User | None:
        """The user of this name, whatever its case."""
        wanted = username.casefold()
        return next((u for u in self.users.values() if u.username.casefold() == wanted), None)

    def room_named(self, name: str) -> Room | None:
        return next((room for room in self.rooms.values() if room.name == name), None)

    def may(self, user: User | None, permission: str, room: Room | None = None) -> bool:
        return has_permission(self.permissions, user, permission, room)

    def sees(self, user: User | None, room: Room) -> bool:
        if user is None and not self.settings["Accounts_AllowAnonymousRead"]:
            return False
        return can_access(self.permissions, user, room)

    def reads(self, user: User | None, room: Room) -> bool:
        """Whether somebody may read on in a room; of an unjoined channel by preview-c-room."""
        if not self.sees(user, room):
            return False
        inside = user is not None and user.id in room.members
        return inside or self.may(user, "preview-c-room", room)

    def messages_in(self, room: Room) -> Iterator[Json]:
        """Oldest first, hidden ones too."""
        return (self.messages[message_id] for message_id in self._order.get(room.id, []))

    def direct_room(self, users: Collection[User]) -> Room | None:
        """The direct room with exactly these members."""
        wanted = {user.id for user in users}
        return next(
            (r for r in self.rooms.values() if r.kind == "d" and set(r.members) == wanted), None
        )

    def rooms_of(self, user: User) -> list[Room]:
        return [room for room in self.rooms.values() if user.id in room.members]

    # --- users and their tokens

    def add_user(
        self,
        username: str,
        *,
        roles: Iterable[str] = ("user",),
        name: str | None = None,
        password: str | None = None,
        type: str = "user",
        id: str | None = None,
        token: str | None = None,
        totp: str | None = None,
        federated: bool = False,
    ) -> User:
        now = self.now()
        user = User(
            id=id or new_id(),
            username=username,
            name=username if name is None else name,
            roles=set(roles),
            type=type,
            created=now,
            updated=now,
            token=token or new_id(43),
            password=password or f"password-of-{username}",
            email=f"{username}@example.org",
            totp=totp,
            federated=federated,
        )
        self.users[user.id] = user
        user.tokens[user.token] = Token(user.token, name="bbb-bot", made=now)
        return user

    def log_in(self, user: User) -> Token:
        """A token as a password gets it."""
        token = Token(new_id(43), expires=self.now() + LOGIN_LASTS, made=self.now())
        user.tokens[token.text] = token
        return token

    def bearer(self, token: str) -> tuple[User, Token] | None:
        """Whose token it is, expired or not."""
        for user in self.users.values():
            if (found := user.tokens.get(token)) and user.active:
                return user, found
        return None

    def has_expired(self, token: Token) -> bool:
        return token.expires is not None and token.expires <= self.now()

    def drop_tokens(self, user: User, tokens: Collection[str], *, forced: bool = False) -> None:
        gone = [user.tokens.pop(token) for token in tokens if token in user.tokens]
        self._tell(TokensGone(user, gone, forced))

    def deactivate(self, user: User) -> None:
        """As an administrator does it: the tokens go, their direct rooms become read-only."""
        user.active = False
        user.updated = self.now()
        for room in self.rooms_of(user):
            if room.kind == "d":
                room.readonly = True
                self.touch(room)
        self.drop_tokens(user, list(user.tokens), forced=True)

    def notify(self, user: User, what: str, *args: Any) -> None:
        self._tell(UserNotified(user, what, list(args)))

    # --- rooms and their members

    def add_room(
        self,
        name: str | None,
        kind: str,
        owner: User | None,
        members: Iterable[User],
        *,
        id: str | None = None,
        **more: Any,
    ) -> Room:
        now = self.now()
        members = list(members)
        if kind == "d" and members:
            owner = members[0]
        room = Room(
            id=id or new_id(),
            kind=kind,
            name=name,
            owner=owner,
            created=now,
            updated=now,
            more=more,
        )
        self.rooms[room.id] = room
        everybody = list(dict.fromkeys([*([owner] if owner else []), *members]))
        for user in everybody:
            room.members[user.id] = self._membership(room, user, everybody)
        if owner and kind in "cp":
            room.roles[owner.id] = {"owner"}
        for user in everybody:
            self._tell_joined(room, user)
        return room

    def _membership(self, room: Room, user: User, everybody: Collection[User]) -> Membership:
        name = fname = room.name or ""
        if room.kind == "d":
            others = [other for other in everybody if other is not user] or [user]
            name = ", ".join(sorted(other.username for other in others))
            fname = ", ".join(sorted(other.name or other.username for other in others))
        else:
            fname = room.more.get("fname", fname)
        now = self.now()
        return Membership(user, name, fname, since=now, seen=now, updated=now)

    def _tell_joined(self, room: Room, user: User) -> None:
        self._tell(SubscriptionWritten("inserted", user, room, room.subscription(user)))
        self._tell(RoomWritten("inserted", room.document, [user]))

    def join(self, user: User, room: Room, *, by: User | None = None) -> None:
        """Put somebody into a room. Nothing happens to one who is in."""
        if user.id in room.members:
            return
        room.members[user.id] = self._membership(room, user, [*room.users, user])
        self._tell_joined(room, user)
        if by:
            self.system(room, by, "au", user.username)
        else:
            self.system(room, user, "uj", user.username)

    def leave(self, user: User, room: Room, *, by: User | None = None, event: bool = True) -> None:
        """Take somebody out. Without `event` the server finds no trash record and says nothing."""
        if user.id not in room.members:
            return
        self._end(user, room, event=event)
        if by:
            self.system(room, by, "ru", user.username)
        else:
            self.system(room, user, "ul", user.username)

    def set_role(self, user: User, room: Room, role: str, *, on: bool = True) -> None:
        """Owner, moderator or leader of a room."""
        roles = room.roles.setdefault(user.id, set())
        (roles.add if on else roles.discard)(role)
        if not roles:
            del room.roles[user.id]
        if user.id in room.members:
            self.touch_membership(room, user)

    def rename(self, room: Room, name: str, by: User | None = None) -> None:
        room.name = name
        for membership in room.members.values():
            membership.name = membership.fname = name
        self.touch(room)
        if self.side_effects:
            for user in room.users:
                self.touch_membership(room, user)
        if by:
            self.system(room, by, "r", name)

    def touch(self, room: Room) -> None:
        """Say that something about a room changed."""
        room.updated = self.now()
        self._tell(RoomWritten("updated", room.document, room.users))

    def touch_membership(self, room: Room, user: User) -> None:
        """Say that something about a member's subscription changed."""
        room.members[user.id].updated = self.now()
        self._tell(SubscriptionWritten("updated", user, room, room.subscription(user)))

    def _end(self, user: User, room: Room, *, event: bool) -> None:
        """End a subscription; what it was is told to its user."""
        membership = room.members.pop(user.id)
        room.roles.pop(user.id, None)
        self.ended_subscriptions.append(Grave(membership.id, room.id, user.id, self.now()))
        gone = {"_id": membership.id, "u": user.short, "rid": room.id, "t": room.kind}
        if event:
            self._tell(SubscriptionWritten("removed", user, room, gone))

    def remove_room(self, room: Room) -> None:
        """Delete a room with all its messages."""
        users = room.users
        for user in users:
            self._end(user, room, event=True)
        for message_id in self._order.pop(room.id, []):
            del self.messages[message_id]
        del self.rooms[room.id]
        self._tell(RoomWritten("removed", {"_id": room.id}, users))

    # --- messages

    def write(
        self, user: User, room: Room, fields: Json, *, previews: list[str] | None = None
    ) -> Json:
        """Store a new message and send it out. The only way a message comes to be.

        `fields` may hold any key of IMessage; `previews` are the addresses that are fetched, all of
        them for None.
        """
        now = self.now()
        said = fields.get("msg") or ""
        document: Json = {
            "_id": fields.get("_id") or new_id(),
            "rid": room.id,
            "msg": said,
            "ts": now,
            "u": user.short,
            "_updatedAt": now,
            **self._read(said),
            **{key: value for key, value in fields.items() if key not in ("_id", "rid", "msg")},
        }
        self.messages[document["_id"]] = document
        self._order.setdefault(room.id, []).append(document["_id"])
        if document.get("_hidden"):
            return document
        self._tell(MessageWritten(room, document))
        if self.side_effects:
            self._count(room, user, document)
            self._preview(document, previews)
        if parent := self.messages.get(document.get("tmid", "")):
            self._count_reply(parent, document)
        return document

    def _read(self, said: str) -> Json:
        return {
            "urls": text.addresses(said),
            "mentions": text.mentions(said, self.named),
            "channels": text.channels(said, self._public_channel),
            "md": text.parsed(said),
        }

    def _public_channel(self, name: str) -> str | None:
        room = self.room_named(name)
        return room.id if room and room.kind == "c" else None

    def _count(self, room: Room, sender: User, document: Json) -> None:
        room.count += 1
        room.last = document
        self.touch(room)
        if "t" in document:
            return
        named = {mention["_id"] for mention in document["mentions"]}
        for membership in list(room.members.values()):
            unread = membership.unread
            if counted(membership, room, sender, named, document["ts"]):
                self.touch_membership(room, membership.user)
            if membership.unread > unread:
                self.notify(membership.user, "notification", notification(room, document))

    def _count_reply(self, parent: Json, reply: Json) -> None:
        if not self.side_effects:
            return
        replies = dict.fromkeys([*parent.get("replies", []), parent["u"]["_id"], reply["u"]["_id"]])
        self.rewrite(
            parent,
            tcount=parent.get("tcount", 0) + 1,
            tlm=reply["ts"],
            replies=list(replies),
        )

    def _preview(self, document: Json, wanted: list[str] | None) -> None:
        """What fetching the addresses brings: the document again, with what was found."""
        if not self.settings["API_Embed"]:
            return
        fetched = [
            {**url, "meta": {"pageTitle": "A page"}}
            if wanted is None or url["url"] in wanted
            else {**url, "ignoreParse": True}
            for url in document["urls"]
        ]
        if any(url["meta"] for url in fetched):
            self.rewrite(document, urls=fetched)
        else:
            document["urls"] = fetched

    def rewrite(self, document: Json, **changes: Any) -> None:
        """Change a message and send the whole document out again. None takes a key away."""
        for key, value in changes.items():
            if value is None:
                document.pop(key, None)
            else:
                document[key] = value
        document["_updatedAt"] = self.now()
        if not document.get("_hidden"):
            self._tell(MessageWritten(self.rooms[document["rid"]], document))

    def edit(self, document: Json, by: User, said: str, **changes: Any) -> None:
        edited = {"editedAt": self.now(), "editedBy": by.shortest}
        self.rewrite(document, msg=said, **self._read(said), **edited, **changes)

    def react(self, document: Json, by: User, emoji: str, *, on: bool) -> None:
        reactions = {key: dict(value) for key, value in document.get("reactions", {}).items()}
        usernames: list[str] = reactions.pop(emoji, {}).get("usernames", [])
        if on is (by.username in usernames):
            return
        others = [username for username in usernames if username != by.username]
        if now := [*others, by.username] if on else others:
            reactions[emoji] = {"usernames": now}
        self.rewrite(document, reactions=reactions or None)

    def erase(self, document: Json, by: User, *, keep: bool = False) -> None:
        """Delete a message, or with `keep` leave its shell, as with a kept history."""
        if keep:
            edited = {"editedAt": self.now(), "editedBy": by.shortest}
            emptied: Json = {"urls": [], "mentions": [], "channels": [], "attachments": None}
            self.rewrite(document, msg="", t="rm", reactions=None, **emptied, **edited)
            return
        room = self.rooms[document["rid"]]
        del self.messages[document["_id"]]
        self._order[room.id].remove(document["_id"])
        self.deleted_messages.append(Grave(document["_id"], room.id, "", self.now()))
        self._tell(MessageErased(room, document["_id"]))

    def pin(self, document: Json, by: User) -> Json:
        self.rewrite(document, pinned=True, pinnedAt=self.now(), pinnedBy=by.shortest)
        room = self.rooms[document["rid"]]
        return self.write(by, room, {"msg": "", "t": "message_pinned", "groupable": False})

    def system(self, room: Room, user: User, kind: str, said: str) -> None:
        """A message about what happened."""
        if self.side_effects and room.kind != "d":
            self.write(user, room, {"msg": said, "t": kind, "groupable": False})
