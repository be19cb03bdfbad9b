"""Who may do what: rules over facts already asked of the chat. Pure; deny by default."""

from dataclasses import dataclass
from enum import StrEnum

from commands.options import Options
from commands.ports import Rights
from storage.records import Person, Room, RoomKind


class Right(StrEnum):
    """What a command needs of the person who types it."""

    MEMBER = "member"  # in the channel now
    ADMIN = "admin"  # a channel admin (in a direct channel: the person)
    BOT_ADMIN = "bot admin"  # named as admin in the bot's configuration, and in the channel now
    ANYONE = "anyone"  # only about the asker: also for somebody who has just left


@dataclass(frozen=True, slots=True)
class Standing:
    """One person in one channel, as far as rules need it."""

    rights: Rights
    direct: bool = False
    bot_admin: bool = False

    @property
    def admin(self) -> bool:
        """Bot admins are admins wherever they are members; in a direct channel everybody is."""
        return self.rights.member and (self.rights.admin or self.bot_admin or self.direct)


def may(right: Right, standing: Standing) -> bool:
    """Whether a command that needs `right` may run."""
    match right:
        case Right.ANYONE:
            return True
        case Right.MEMBER:
            return standing.rights.member
        case Right.ADMIN:
            return standing.admin
        case Right.BOT_ADMIN:
            return standing.rights.member and standing.bot_admin


def may_change_room(person: Person, standing: Standing, room: Room) -> bool:
    """Rename, delete, make guest links: the room's owner and channel admins, while members.

    The channel's own room has no owner: whoever typed the first command there is nobody special.
    """
    owns = room.owner == person and room.kind is not RoomKind.DEFAULT
    return standing.rights.member and (standing.admin or owns)


def may_end(person: Person, standing: Standing, room: Room, started_by: Person) -> bool:
    """The one who started it, the room's owner, channel admins."""
    return may_change_room(person, standing, room) or (
        standing.rights.member and started_by == person
    )


def is_moderator(
    person: Person, rights: Rights, room: Room, started_by: Person, options: Options
) -> bool:
    """The role at the join: everybody's in a private call, never that of an invited outsider."""
    if room.kind is RoomKind.CALL:
        return True
    if room.owner == person and room.kind is RoomKind.PERSONAL:
        return True
    rule = options.moderators or "admins"
    if rule == "everyone":
        return rights.member or room.kind is RoomKind.PERSONAL
    if not rights.member:
        return False
    return started_by == person or (rule == "admins" and rights.admin)
