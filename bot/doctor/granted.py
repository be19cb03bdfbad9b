"""What the roles of the Rocket.Chat account are granted in this workspace, and what the bot needs.

The names, and who has them by default, are those of 6.14 (permissions.ts).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.chat.shapes import Json, objects
from bot.doctor.finding import Finding, fail, ok, warn

PERMISSIONS = "rocketchat.permissions"

Wishes = Mapping[str, tuple[str, ...]]
"""What happens without any of the permissions."""

NEEDED: Wishes = {
    "it cannot read channels": ("view-c-room", "view-joined-room"),
    "it cannot read private groups": ("view-p-room", "view-joined-room"),
    "it cannot read direct messages": ("view-d-room", "view-joined-room"),
    "it cannot bring anybody their personal link": ("create-d",),
}
USEFUL: Wishes = {
    "from 8.x on it may send five messages a second": ("send-many-messages",),
    "where edits are limited in time, cards stop following their calls": (
        "bypass-time-limit-edit-and-delete",
    ),
}


def judge_permissions(answer: Json, roles: list[str], *, remedy: str) -> Finding:
    """`answer` is that of permissions.listAll: who is granted what. `remedy`: the roles to give."""
    listed = objects(answer.get("update"))
    granted = {str(one.get("_id")) for one in listed if not set(roles).isdisjoint(roles_of(one))}
    needed, useful = [*_lacking(NEEDED, granted)], [*_lacking(USEFUL, granted)]
    if not (needed or useful):
        return ok(PERMISSIONS, "may read where it is, write fast, and write to people directly")
    judge = fail if needed else warn
    what = "; ".join([*needed, *useful])
    return judge(
        PERMISSIONS, what, f"{remedy}; under Administration > Permissions grant them what is named"
    )


def roles_of(document: Mapping[str, Any]) -> list[str]:
    """The roles that an account has, or that are granted a permission."""
    listed = document.get("roles")
    return [str(role) for role in listed] if isinstance(listed, list) else []


def _lacking(wishes: Wishes, granted: set[str]) -> Iterator[str]:
    for otherwise, names in wishes.items():
        if granted.isdisjoint(names):
            yield f"{otherwise} ({names[0]})"
