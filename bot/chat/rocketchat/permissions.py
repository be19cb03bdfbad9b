"""Who may administer a Rocket.Chat room, asked of the server; its answers are 10 s old at most."""

from bot.chat.rocketchat.answers import Refused
from bot.chat.rocketchat.lookups import Lookups
from bot.chat.rocketchat.members import Members
from commands.errors import ChatUnavailable
from commands.ports import Membership, Rights

ADMIN_ROLES = {"owner", "moderator", "leader"}
"""Of the room; an administrator of the workspace is nobody special in it."""


class RoomHidden(ChatUnavailable):
    """The bot may not know who is in the room: it is not in it (any more)."""


class Permissions:
    """What somebody is in a room. Nothing is guessed: no clear answer is no right."""

    def __init__(self, lookups: Lookups, members: Members) -> None:
        self._lookups = lookups
        self._members = members

    async def of(self, user_id: str, rid: str) -> Rights:
        """Raises ChatUnavailable for every answer that does not say yes or no.

        Who is deactivated, or not there at all, is nobody. Direct messages have no roles.
        """
        try:
            return await self._of(user_id, rid)
        except Refused as error:
            raise RoomHidden(f"rights could not be asked: {error}") from error

    async def _of(self, user_id: str, rid: str) -> Rights:
        account = await self._lookups.account(user_id)
        if account is None or not account.active:
            return Rights(Membership.LEFT)
        room = await self._lookups.room(rid)
        if room is None:
            raise RoomHidden("the room is not to be seen")
        if room.kind == "d":
            return Rights(Membership.JOINED if user_id in room.people else Membership.LEFT)
        if room.kind not in {"c", "p"}:
            return Rights(Membership.LEFT)
        standing = await self._members.standing(room, account)
        is_in = standing.membership is Membership.JOINED
        return Rights(standing.membership, admin=is_in and bool(standing.roles & ADMIN_ROLES))
