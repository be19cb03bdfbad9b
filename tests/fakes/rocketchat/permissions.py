"""Which roles may do what: the defaults of 6.14, as far as a bot meets them."""

from __future__ import annotations

from tests.fakes.rocketchat.records import Room, User

_EVERYONE = ("admin", "user", "bot", "app")

DEFAULTS: dict[str, frozenset[str]] = {
    permission: frozenset(roles)
    for permission, roles in {
        "access-permissions": ("admin",),
        "add-user-to-any-c-room": ("admin",),
        "add-user-to-any-p-room": (),
        "add-user-to-joined-room": ("admin", "owner", "moderator"),
        "api-bypass-rate-limit": ("admin", "bot", "app"),
        "archive-room": ("admin", "owner"),
        "bypass-time-limit-edit-and-delete": ("bot", "app"),
        "call-management": ("admin", "owner", "moderator", "user"),
        "create-c": _EVERYONE,
        "create-d": _EVERYONE,
        "create-p": _EVERYONE,
        "create-personal-access-tokens": ("admin", "user"),
        "delete-c": ("admin", "owner"),
        "delete-message": ("admin", "owner", "moderator"),
        "delete-own-message": ("admin", "user"),
        "delete-p": ("admin", "owner"),
        "edit-message": ("admin", "owner", "moderator"),
        "edit-room": ("admin", "owner", "moderator"),
        "join-without-join-code": ("admin", "bot", "app"),
        "leave-c": (*_EVERYONE, "anonymous"),
        "leave-p": (*_EVERYONE, "anonymous"),
        "mention-all": ("admin", "owner", "moderator", "user"),
        "mention-here": ("admin", "owner", "moderator", "user"),
        "message-impersonate": ("bot", "app"),
        "mute-user": ("admin", "owner", "moderator"),
        "pin-message": ("admin", "owner", "moderator"),
        "post-readonly": ("admin", "owner", "moderator"),
        "preview-c-room": ("admin", "user", "anonymous"),
        "remove-user": ("admin", "owner", "moderator"),
        "send-many-messages": ("admin", "bot", "app"),
        "set-leader": ("admin", "owner"),
        "set-moderator": ("admin", "owner"),
        "set-owner": ("admin", "owner"),
        "set-readonly": ("admin", "owner"),
        "view-c-room": (*_EVERYONE, "anonymous"),
        "view-d-room": _EVERYONE,
        "view-full-other-user-info": ("admin",),
        "view-joined-room": ("guest", "bot", "anonymous", "app"),
        "view-outside-room": ("admin", "owner", "moderator", "user"),
        "view-p-room": ("admin", "user", "anonymous", "guest"),
        "view-room-administration": ("admin",),
        "view-statistics": ("admin",),
    }.items()
}

Permissions = dict[str, frozenset[str]]


def has_permission(
    table: Permissions, user: User | None, permission: str, room: Room | None = None
) -> bool:
    """Whether one of the user's roles, everywhere or in this room, is given the permission."""
    roles = set(user.roles) if user else {"anonymous"}
    if user and room:
        roles |= room.roles.get(user.id, set())
    return not roles.isdisjoint(table[permission])


def can_access(table: Permissions, user: User | None, room: Room) -> bool:
    """Whether somebody may see a room: a public channel, or one they are in."""
    if (
        room.kind == "c"
        and "teamId" not in room.more
        and has_permission(table, user, "view-c-room")
    ):
        return True
    if user is None or user.id not in room.members:
        return False
    kind = "d" if room.kind in "lv" else room.kind
    return has_permission(table, user, "view-joined-room") or has_permission(
        table, user, f"view-{kind}-room", room
    )
