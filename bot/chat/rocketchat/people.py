"""People and rooms: their names, whom a word means, who shares a room with whom."""

import re
from collections import OrderedDict
from collections.abc import Iterable

from bot.chat.names import plain
from bot.chat.rocketchat.answers import RestError, is_denied
from bot.chat.rocketchat.lookups import Lookups, account_of
from bot.chat.rocketchat.members import Members
from bot.chat.rocketchat.permissions import Permissions, RoomHidden
from bot.chat.rocketchat.rooms import OwnRooms
from bot.chat.rocketchat.workspace import Workspace
from commands.errors import ChatTrouble

_USERNAME = re.compile(r"[^\s@:/\\,]{1,100}")
"""What may be one: what has an `@` or `:` is somebody of another server, or an e-mail address."""
_USER_ID = re.compile(r"[0-9A-Za-z]{17,}")

_MOST_MET = 10_000

_PATHS = {"c": "channel", "p": "group", "d": "direct"}


class People:
    """Reads; raises ChatUnavailable where the server has to be asked and does not answer."""

    def __init__(
        self,
        lookups: Lookups,
        members: Members,
        permissions: Permissions,
        workspace: Workspace,
        rooms: OwnRooms,
    ) -> None:
        self._lookups = lookups
        self._members = members
        self._permissions = permissions
        self._workspace = workspace
        self._rooms = rooms
        self._met: OrderedDict[str, str] = OrderedDict()

    # --- people -----------------------------------------------------------------------------------

    async def display_name(self, user_id: str) -> str | None:
        """The full name, else the username, uncleaned; the last known, where nobody answers."""
        account = await self._lookups.account.or_last(user_id)
        return (account.name or account.username) if account else None

    async def username_of(self, user_id: str) -> str | None:
        """What stands after an `@`."""
        account = await self._lookups.account.or_last(user_id)
        return account.username if account else None

    async def usernames(self, user_ids: Iterable[str]) -> dict[str, str]:
        """Usernames by user id, of those who can be found out now. Raises nothing."""
        found = {}
        for user_id in user_ids:
            try:
                found[user_id] = await self.username_of(user_id)
            except ChatTrouble:
                continue
        return {user_id: username for user_id, username in found.items() if username}

    async def id_of(self, username: str) -> str | None:
        """The user id of an active account with this username."""
        account = await self._lookups.named(username)
        return account.id if account and account.active else None

    async def find(self, word: str, rid: str) -> str | None:
        """The user id for `@ana` (a member, then anybody here), `ana`, a full name, or a user id.

        A full name counts only among those in the room, and only when just one has it.
        """
        name = word.removeprefix("@")
        if found := await self._member(name, rid):
            self._meet(found, rid)
            return found
        if not _USERNAME.fullmatch(name):
            return None
        if word.startswith("@"):
            return await self.id_of(name)
        account = await self._lookups.account(word) if _USER_ID.fullmatch(word) else None
        return account.id if account and account.active else None

    async def _member(self, name: str, rid: str) -> str | None:
        """Who is meant among the members; a username comes before a full name."""
        room = await self._lookups.room(rid)
        if room is None or room.kind not in _PATHS or not name.strip():
            return None
        same = set()
        try:
            async for entry in self._members.like(room, name):
                account = account_of(entry)
                if account and plain(account.username) == plain(name):
                    return account.id
                if account and plain(account.name or "") == plain(name):
                    same.add(account.id)
        except RestError as error:
            if not is_denied(error):
                raise
            return None  # a broadcast: its members are not told
        return same.pop() if len(same) == 1 else None

    def _meet(self, user_id: str, rid: str) -> None:
        self._met[user_id] = rid
        self._met.move_to_end(user_id)
        if len(self._met) > _MOST_MET:
            self._met.popitem(last=False)

    async def share_a_room(self, one: str, other: str) -> bool:
        """Whether both are in a room that the bot is in; where they were met is looked first."""
        met = [self._met[who] for who in (other, one) if who in self._met]
        for rid in dict.fromkeys([*met, *self._rooms.all()]):
            place = self._rooms.place(rid)
            if place is None or place.direct:
                continue
            try:
                if not (await self._permissions.of(one, rid)).member:
                    continue
                if (await self._permissions.of(other, rid)).member:
                    return True
            except RoomHidden:
                continue
        return False

    # --- rooms ------------------------------------------------------------------------------------

    async def topic_of(self, rid: str) -> str | None:
        """The room's shown name, uncleaned; None for a direct message."""
        room = await self._lookups.room(rid)
        return room.topic if room and room.kind != "d" else None

    def web_address(self, rid: str) -> str | None:
        """Opens the room in a browser or, by it, in the app; None for a room that is not known.

        The web client opens rooms by name or by id (read in source, getRoomByTypeAndName); a name
        changes.
        """
        room = self._lookups.room.last(rid) or self._rooms.place(rid)
        path = _PATHS.get(room.kind) if room else None
        return f"{self._workspace.site_url}/{path}/{rid}" if path else None
