"""What the server says of one person or one room, at most 10 seconds old."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.chat.remembering import Remembered
from bot.chat.rocketchat.answers import Refused
from bot.chat.rocketchat.rest import RestApi
from bot.chat.shapes import mapping, objects, text
from commands.errors import ChatUnavailable

_NO_SUCH_USER = re.compile(r"user.{0,12}not.{0,3}found|invalid.user|error-user-not-found", re.I)
_ROBOTS = {"bot", "app"}
_MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody of this workspace, or, where it is federated, of another."""

    id: str
    username: str
    name: str | None
    active: bool
    robot: bool
    federated: bool


@dataclass(frozen=True, slots=True)
class Room:
    """`kind` is `c`, `p`, `d`, or something that is not for bots. `people`: only those of a `d`."""

    id: str
    kind: str
    topic: str | None
    people: frozenset[str] = frozenset()


class Lookups:
    """Reads. All raise ChatUnavailable when the server cannot be asked; it decides nothing."""

    def __init__(self, rest: RestApi, steady: Callable[[], float] = time.monotonic) -> None:
        self._rest = rest
        self.account = Remembered(self.account_now, steady=steady)
        self.named = Remembered(self._named_now, steady=steady)
        self.room = Remembered(self.room_now, steady=steady)

    async def account_now(self, user_id: str) -> Account | None:
        """The account with this id, None when there is none.

        The server also finds somebody whose *username* is the id asked for: that is not the person.
        """
        found = await self._user(userId=user_id)
        return found if found and found.id == user_id else None

    async def _named_now(self, username: str) -> Account | None:
        """The account with this username, in whatever case."""
        found = await self._user(username=username)
        return found if found and found.username.casefold() == username.casefold() else None

    async def _user(self, **which: str) -> Account | None:
        try:
            return account_of((await self._rest.get("users.info", **which)).get("user"))
        except Refused as error:
            if _NO_SUCH_USER.search(f"{error.code} {error.text}"):
                return None
            raise ChatUnavailable(f"people could not be asked: {error}") from error

    async def room_now(self, rid: str) -> Room | None:
        """The room, None when there is none that the bot may see."""
        try:
            found = mapping((await self._rest.get("rooms.info", roomId=rid)).get("room"))
        except Refused:
            return None
        kind, topic = text(found.get("t")), text(found.get("fname")) or text(found.get("name"))
        if found.get("_id") != rid or kind is None:
            return None
        people = await self._people(found) if kind == "d" else frozenset()
        return Room(rid, kind, topic, people)

    async def _people(self, room: Mapping[str, Any]) -> frozenset[str]:
        """The user ids of a direct message; they never change. Empty where nobody can say.

        dm.members leaves out who is deactivated now, and may come back: only where the room tells
        nothing, or of as many people, it is believed.
        """
        if isinstance(listed := room.get("uids"), list):
            return frozenset(filter(text, listed))
        try:
            answer = await self._rest.get("dm.members", roomId=room["_id"], count=_MOST_LISTED)
        except Refused:
            return frozenset()
        found = frozenset(str(one.get("_id")) for one in objects(answer.get("members")))
        told = {len(found), *_numbers(room, answer)}
        return found if len(told) == 1 else frozenset()


def account_of(user: Any) -> Account | None:
    """A user document as an account; None for what is none."""
    user = mapping(user)
    user_id, username = text(user.get("_id")), text(user.get("username"))
    if user_id is None or username is None:
        return None
    return Account(
        id=user_id,
        username=username,
        name=text(user.get("name")),
        active=user.get("active") is not False,
        robot=user.get("type") in _ROBOTS or "bot" in _roles(user),
        federated=user.get("federated") is True or "@" in username or ":" in username,
    )


def _roles(user: Mapping[str, Any]) -> list[Any]:
    """Shown only to whom has view-full-other-user-info."""
    listed = user.get("roles")
    return listed if isinstance(listed, list) else []


def _numbers(room: Mapping[str, Any], answer: Mapping[str, Any]) -> list[int]:
    """Of how many people a direct message is, wherever this is told."""
    names = room.get("usernames")
    told = [len(names) if isinstance(names, list) else None, room.get("usersCount")]
    return [one for one in (*told, answer.get("total")) if isinstance(one, int)]
