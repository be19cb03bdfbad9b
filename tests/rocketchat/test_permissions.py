"""Who is what in a room, asked of the server in the way that its version knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import web

from commands.errors import ChatBusy, ChatUnavailable
from commands.ports import Membership, Rights
from tests.fakes.rocketchat import Seam
from tests.fakes.rocketchat.refusals import Forbidden, Refused
from tests.fakes.rocketchat.seams import Handler
from tests.fakes.rocketchat.wire import Json
from tests.rocketchat.desk import Desk, desk_in, on_every_version

NOBODY = Rights(Membership.LEFT)
MEMBER = Rights(Membership.JOINED)
ADMIN = Rights(Membership.JOINED, admin=True)


@pytest.fixture
def profile() -> str:
    return "8.x"


@pytest.fixture
async def desk(profile: str) -> AsyncIterator[Desk]:
    async with desk_in(profile) as found:
        yield found


@on_every_version
@pytest.mark.parametrize("kind", ["c", "p"])
async def test_rights_by_role(desk: Desk, kind: str) -> None:
    server = desk.server
    room = server.add_room("room", kind, owner=desk.ana, members=(desk.bot, desk.ben))
    people = {}
    for role in ("owner", "moderator", "leader"):
        people[role] = server.add_user(f"the-{role}")
        server.join(people[role], room)
        server.set_role(people[role], room, role)
    chief = server.add_user("chief", roles=("admin", "user"))
    server.join(chief, room)
    found = {who: await desk.permissions.of(user.id, room.id) for who, user in people.items()}
    assert found == {"owner": ADMIN, "moderator": ADMIN, "leader": ADMIN}
    assert await desk.permissions.of(desk.ana.id, room.id) == ADMIN
    assert await desk.permissions.of(desk.ben.id, room.id) == MEMBER
    assert await desk.permissions.of(chief.id, room.id) == MEMBER  # of the workspace, not of it
    assert await desk.permissions.of(desk.cy.id, room.id) == NOBODY
    assert await desk.permissions.of("nobody-at-all-x", room.id) == NOBODY


@on_every_version
async def test_changes_hold_after_ten_seconds_and_the_deactivated_are_nobody(desk: Desk) -> None:
    ask, rid = desk.permissions.of, desk.team.id
    assert [await ask(who.id, rid) for who in (desk.ana, desk.ben, desk.cy)] == [
        ADMIN,
        MEMBER,
        NOBODY,
    ]
    desk.server.set_role(desk.ana, desk.team, "owner", on=False)
    desk.server.leave(desk.ben, desk.team)
    desk.server.join(desk.cy, desk.team)
    desk.now += 10
    assert [await ask(who.id, rid) for who in (desk.ana, desk.ben, desk.cy)] == [
        MEMBER,
        NOBODY,
        MEMBER,
    ]
    desk.server.deactivate(desk.ana)
    desk.now += 10
    assert await ask(desk.ana.id, rid) == NOBODY


@on_every_version
async def test_in_a_direct_message_are_two(desk: Desk) -> None:
    rid = await desk.direct.open(desk.ana.id)
    assert await desk.permissions.of(desk.ana.id, rid) == MEMBER
    assert await desk.permissions.of(desk.ben.id, rid) == NOBODY


@on_every_version
async def test_many_questions_at_once_are_one(desk: Desk) -> None:
    before = len(desk.server.requests)
    found = await asyncio.gather(
        *(desk.permissions.of(desk.ana.id, desk.team.id) for _ in range(40))
    )
    assert found == [ADMIN] * 40
    assert len(desk.server.requests) - before <= 4
    desk.now += 9.9
    await desk.permissions.of(desk.ana.id, desk.team.id)
    assert len(desk.server.requests) - before <= 4


@on_every_version
async def test_the_right_one_of_many_with_similar_names(desk: Desk) -> None:
    """More than the server puts on a page have the name of the last in theirs."""
    for number in range(110):
        desk.server.join(desk.server.add_user(f"like-zed{number}"), desk.team)
    last = desk.server.add_user("zed")
    desk.server.join(last, desk.team)
    assert await desk.permissions.of(last.id, desk.team.id) == MEMBER
    desk.server.leave(last, desk.team)
    desk.now += 10
    assert await desk.permissions.of(last.id, desk.team.id) == NOBODY


class Instead(Seam):
    """Answers one path with a body of its own."""

    def __init__(self, path: str, body: Json) -> None:
        self.path, self.body = path, body

    async def rest(
        self, request: web.Request, path: str, params: Json, handle: Handler
    ) -> web.StreamResponse:
        return web.json_response(self.body) if path == self.path else await handle()


async def test_somebody_else_whose_username_is_the_id_of_another(desk: Desk) -> None:
    """users.info finds by username too where it is asked for an id (read in source)."""
    impostor = {"_id": "x" * 17, "username": desk.ana.id, "active": True}
    desk.server.seams.insert(0, Instead("users.info", {"success": True, "user": impostor}))
    assert await desk.permissions.of(desk.ana.id, desk.team.id) == NOBODY


@pytest.mark.parametrize(
    ("status", "rights"),
    [("BANNED", Rights(Membership.BANNED)), ("INVITED", NOBODY), (None, MEMBER)],
)
async def test_a_subscription_that_is_no_membership(
    status: str | None, rights: Rights, desk: Desk
) -> None:
    """As 8.x lists people who are invited or banned."""
    entry = {"_id": desk.ben.id, "username": "ben", "subscription": {"status": status}}
    body = {"success": True, "members": [entry], "count": 1, "offset": 0, "total": 1}
    desk.server.seams.insert(0, Instead("rooms.membersOrderedByRole", body))
    assert await desk.permissions.of(desk.ben.id, desk.team.id) == rights


@pytest.mark.parametrize(
    ("is_member", "rights"), [({"isMember": False}, NOBODY), ({"isMember": True}, MEMBER)]
)
async def test_where_the_filter_does_not_look_at_usernames(
    is_member: Json, rights: Rights, desk: Desk
) -> None:
    """An administrator may set the fields that are searched (Accounts_SearchFields)."""

    class Blind(Seam):
        async def rest(
            self, request: web.Request, path: str, params: Json, handle: Handler
        ) -> web.StreamResponse:
            if path == "rooms.membersOrderedByRole" and "filter" in params:
                return web.json_response({"success": True, "members": [], "total": 0})
            return await handle()

    desk.server.seams.insert(0, Blind())
    desk.server.seams.insert(0, Instead("rooms.isMember", {"success": True, **is_member}))
    assert await desk.permissions.of(desk.ben.id, desk.team.id) == rights


@on_every_version
async def test_in_a_broadcast_nobody_is_listed_but_rights_are_told(desk: Desk) -> None:
    lists = ("rooms.membersOrderedByRole", "channels.members")
    for path in lists:
        desk.server.faults.rest.refuse(path, Forbidden(), times=None)
    found = [await desk.permissions.of(who.id, desk.team.id) for who in (desk.ana, desk.ben)]
    assert found == [ADMIN, MEMBER]
    assert await desk.permissions.of(desk.cy.id, desk.team.id) == NOBODY


@pytest.mark.parametrize("profile", ["monolith-6"])
async def test_before_rooms_is_member_the_list_alone_counts(desk: Desk) -> None:
    desk.server.faults.rest.fail("rooms.isMember", status=404, times=None)
    assert await desk.permissions.of(desk.ben.id, desk.team.id) == MEMBER
    assert await desk.permissions.of(desk.cy.id, desk.team.id) == NOBODY


BAD = [
    {"status": 503, "times": None},
    {"status": 500, "times": None},
    {"status": 429, "times": None},
    {"status": 200, "body": "<html>", "times": None},
    {"status": 200, "body": "", "times": None},
    {"status": 403, "body": "<html>", "times": None},
]
QUESTIONS: Sequence[str] = ("users.info", "rooms.info", "rooms.membersOrderedByRole")


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad['status']} {bad.get('body', '-')}")
@pytest.mark.parametrize("path", QUESTIONS)
async def test_no_clear_answer_is_no_right(path: str, bad: dict[str, Any], desk: Desk) -> None:
    desk.server.faults.rest.fail(path, **bad)
    with pytest.raises(ChatUnavailable):
        await desk.permissions.of(desk.ana.id, desk.team.id)


@pytest.mark.parametrize("path", ["users.info", "rooms.isMember"])
async def test_what_the_bot_may_not_know_is_no_right(path: str, desk: Desk) -> None:
    for refused in {path, "rooms.membersOrderedByRole"}:
        desk.server.faults.rest.refuse(refused, Refused("error-unauthorized"), times=None)
    with pytest.raises(ChatUnavailable):
        await desk.permissions.of(desk.ben.id, desk.team.id)


@on_every_version
@pytest.mark.parametrize("kind", ["p", "d"])
async def test_a_room_the_bot_is_not_in(desk: Desk, kind: str) -> None:
    hidden = desk.server.add_room("hidden", kind, owner=desk.ana, members=(desk.ben,))
    with pytest.raises(ChatUnavailable):
        await desk.permissions.of(desk.ana.id, hidden.id)
    with pytest.raises(ChatUnavailable):
        await desk.permissions.of(desk.ana.id, "nowhere")


@on_every_version
async def test_without_the_bot_role_the_limit_is_met_and_told(desk: Desk) -> None:
    desk.bot.roles = {"user"}
    assert await desk.permissions.of(desk.ana.id, desk.team.id) == ADMIN
    assert desk.rest.is_counted
    with pytest.raises(ChatBusy):
        for _ in range(12):
            desk.now += 10
            await desk.permissions.of(desk.ana.id, desk.team.id)


async def test_a_revoked_token_is_no_right(desk: Desk) -> None:
    desk.server.revoke(desk.bot)
    with pytest.raises(ChatUnavailable):
        await desk.permissions.of(desk.ana.id, desk.team.id)
