"""The test server's REST side: who is told what, by endpoint and version (groups 8, 10, 15)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.rocketchat import PROFILES, RocketChat, Room, User
from tests.rocketchat import raw
from tests.rocketchat.moving_clock import NOON_MS, MovingClock

NEW = ("8.x", "9.0")


@pytest.fixture(params=PROFILES)
async def server(request: pytest.FixtureRequest, clock: MovingClock) -> AsyncIterator[RocketChat]:
    async with RocketChat(request.param, clock, strict=False) as server:
        yield server


only_new = pytest.mark.parametrize("server", NEW, indirect=True)
only_old = pytest.mark.parametrize("server", ("monolith-6", "streamer-6.14"), indirect=True)
one = pytest.mark.parametrize("server", ("streamer-6.14",), indirect=True)


@pytest.fixture
async def rest(server: RocketChat, bot: User) -> AsyncIterator[raw.Rest]:
    async with raw.rest(server, bot) as rest:
        yield rest


@pytest.fixture
async def hers(server: RocketChat, ana: User) -> AsyncIterator[raw.Rest]:
    async with raw.rest(server, ana) as rest:
        yield rest


async def given(asked: Any) -> Any:
    status, answer = await asked
    assert (status, answer["success"]) == (200, True), answer
    return answer


async def kind_of_no(asked: Any) -> Any:
    """The errorType of a 400, or its text where it has none."""
    status, answer = await asked
    assert (status, answer["success"]) == (400, False), answer
    return answer.get("errorType") or answer.get("error")


# --- who somebody is ---------------------------------------------------------------------------


async def test_login_gives_a_token_that_works_until_logout(server: RocketChat, ana: User) -> None:
    async with raw.rest(server) as rest:
        status, answer = await rest.post("login", user="ana", password=ana.password)
        assert (status, answer["status"]) == (200, "success")
        assert ("success" in answer) is (server.profile.version >= (7, 0))
        data = answer["data"]
        assert (data["userId"], data["me"]["username"]) == (ana.id, "ana")
        rest.sends = {"X-Auth-Token": data["authToken"], "X-User-Id": ana.id}
        assert (await given(rest.get("me")))["name"] == "Ana Martín"
        status, answer = await rest.post("login", resume=data["authToken"])
        assert answer["data"]["authToken"] == data["authToken"]
        status, answer = await rest.post("logout")
        assert (status, answer["status"]) == (200, "success")
        assert (await rest.get("me"))[0] == 401


@one
async def test_a_login_may_be_a_form_a_digest_or_an_address(server: RocketChat, ana: User) -> None:
    digest = hashlib.sha256(ana.password.encode()).hexdigest()
    hashed = {"digest": digest, "algorithm": "sha-256"}
    async with raw.rest(server) as rest:
        for body in (
            {"username": "ana", "password": ana.password},
            {"email": ana.email, "password": ana.password},
            {"user": {"username": "ana"}, "password": hashed},
        ):
            assert (await rest.post("login", **body))[0] == 200
        form = {"user": "ana", "password": ana.password}
        assert (await rest.ask("POST", "login", data=form))[0] == 200


async def test_a_second_factor_is_asked_for(server: RocketChat) -> None:
    eve = server.add_user("eve", totp="123456")
    body = {"user": "eve", "password": eve.password}
    async with raw.rest(server) as rest:
        status, answer = await rest.post("login", **body)
        assert (status, answer["error"]) == (401, "totp-required")
        assert answer["details"]["method"] == "totp"
        assert (await rest.post("login", **body, code="123456"))[0] == 200


@one
async def test_a_token_needs_its_own_user_id_and_may_expire(
    server: RocketChat, ana: User, bot: User, clock: MovingClock
) -> None:
    async with raw.rest(server, ana) as rest:
        rest.sends["X-User-Id"] = bot.id
        assert (await rest.get("me"))[0] == 401
        rest.sends = {"X-Auth-Token": server.state.log_in(ana).text, "X-User-Id": ana.id}
        assert (await rest.get("me"))[0] == 200
        clock.forward(days=90)
        assert (await rest.get("me"))[0] == 401


@one
async def test_a_personal_access_token_costs_the_permission_and_the_password(
    server: RocketChat, ana: User, hers: raw.Rest
) -> None:
    path = "users.generatePersonalAccessToken"
    assert await kind_of_no(hers.post(path, tokenName="t")) == "totp-required"
    hers.sends["x-2fa-code"] = hashlib.sha256(ana.password.encode()).hexdigest()
    hers.sends["x-2fa-method"] = "password"
    token = (await given(hers.post(path, tokenName="t")))["token"]
    assert await kind_of_no(hers.post(path, tokenName="t")) == "error-token-already-exists"
    listed = (await given(hers.get("users.getPersonalAccessTokens")))["tokens"]
    assert token[-6:] in [one["lastTokenPart"] for one in listed]
    hers.sends["X-Auth-Token"] = token
    assert (await given(hers.get("me")))["_id"] == ana.id
    ana.roles = {"bot"}
    assert await kind_of_no(hers.post(path, tokenName="u")) == "not-authorized"


async def test_people_are_told_and_their_roles_only_to_admins(
    server: RocketChat, rest: raw.Rest, ana: User
) -> None:
    user = (await given(rest.get("users.info", userId=ana.id)))["user"]
    assert (user["username"], user["active"], user["canViewAllInfo"]) == ("ana", True, False)
    assert "roles" not in user
    assert await kind_of_no(rest.get("users.info", username="nobody")) == "User not found."
    assert (await rest.get("roles.getUsersInRole", role="admin"))[0] == 403
    admin = server.add_user("admin", roles=("admin",))
    async with raw.rest(server, admin) as theirs:
        user = (await given(theirs.get("users.info", username="ana")))["user"]
        assert (user["roles"], user["canViewAllInfo"]) == (["user"], True)
        listed = (await given(theirs.get("roles.getUsersInRole", role="admin")))["users"]
        assert [one["username"] for one in listed] == ["admin"]


async def test_status(rest: raw.Rest, bot: User) -> None:
    await given(rest.post("users.setStatus", status="away", message="restarting"))
    assert (bot.status, bot.status_text) == ("away", "restarting")
    assert await kind_of_no(rest.post("users.setStatus", status="gone")) == "error-invalid-status"


# --- the workspace -----------------------------------------------------------------------------


async def test_the_version_is_short_but_for_those_with_view_statistics(
    server: RocketChat, bot: User
) -> None:
    admin = server.add_user("admin", roles=("admin",))
    full = server.profile.version_text

    async def version(user: User | None) -> str:
        async with raw.rest(server, user) as rest:
            rest.base = f"{server.url}/api/"
            found: str = (await given(rest.get("info")))["version"]
            return found

    assert await version(None) == await version(bot) == full.rpartition(".")[0]
    assert await version(admin) == full


async def all_settings(rest: raw.Rest, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while True:
        page = await given(rest.get("settings.public", **asked, offset=len(found)))
        found |= {setting["_id"]: setting["value"] for setting in page["settings"]}
        if len(found) >= page["total"]:
            return found


@only_new
async def test_settings_can_be_asked_for_by_name(rest: raw.Rest) -> None:
    found = await all_settings(rest, _id="Site_Url,Threads_enabled")
    assert sorted(found) == ["Site_Url", "Threads_enabled"]


@only_old
async def test_6_x_gives_all_settings_page_by_page(server: RocketChat, rest: raw.Rest) -> None:
    first = await given(rest.get("settings.public", _id="Site_Url"))
    assert (first["count"], first["offset"]) == (50, 0)
    assert "Site_Url" not in [setting["_id"] for setting in first["settings"]]
    assert (await all_settings(rest))["Site_Url"] == server.url
    everything = await given(rest.get("settings.public", count=0))
    assert everything["count"] == everything["total"] > 100


async def test_settings_need_no_login(server: RocketChat) -> None:
    async with raw.rest(server) as rest:
        assert (await given(rest.get("settings.public")))["settings"]


async def test_slash_commands(server: RocketChat, rest: raw.Rest) -> None:
    free = "There is no command in the system by the name of: bbb"
    assert await kind_of_no(rest.get("commands.get", command="bbb")) == free
    server.commands["bbb"] = {"command": "bbb", "params": "", "clientOnly": False}
    assert (await given(rest.get("commands.get", command="BBB")))["command"]["command"] == "bbb"
    assert (await given(rest.get("commands.list")))["total"] == 1


# --- rooms, members, subscriptions --------------------------------------------------------------


async def test_a_room_that_is_none_of_ours(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User
) -> None:
    secret = server.add_room("secret", "p", ana, (ana,))
    assert (await given(rest.get("rooms.info", roomName="team")))["room"]["_id"] == room.id
    status, answer = await rest.get("rooms.info", roomId=secret.id)
    assert (status, answer["error"], answer["errorType"]) == (400, "not-allowed", "Not Allowed")
    assert await kind_of_no(rest.get("rooms.info", roomId="none")) == "error-room-not-found"
    assert await kind_of_no(rest.get("groups.info", roomId=secret.id)) == "error-room-not-found"
    assert await kind_of_no(rest.get("channels.info", roomId=secret.id)) == "error-room-not-found"
    assert (await given(rest.get("channels.info", roomId=room.id)))["channel"]["t"] == "c"


@one
async def test_a_room_must_be_named(rest: raw.Rest) -> None:
    assert await kind_of_no(rest.get("channels.info")) == "error-room-param-not-provided"


async def test_roles_are_told_of_those_who_have_one(
    server: RocketChat, rest: raw.Rest, room: Room, bot: User, ana: User
) -> None:
    server.set_role(bot, room, "leader")
    roles = (await given(rest.get("channels.roles", roomId=room.id)))["roles"]
    assert {role["u"]["username"]: role["roles"] for role in roles} == {
        "ana": ["owner"],
        "bbb": ["leader"],
    }
    if server.profile.version < (7, 10):
        assert (await rest.get("rooms.roles", rid=room.id))[0] == 404
    else:
        assert (await given(rest.get("rooms.roles", rid=room.id)))["roles"] == roles


async def test_members_come_in_the_order_of_their_roles_from_7_3_on(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User
) -> None:
    for name in ("zoe", "ben"):
        server.join(server.add_user(name), room)
    server.set_role(server.state.named("zoe") or ana, room, "moderator")
    found = rest.get("rooms.membersOrderedByRole", roomId=room.id)
    if server.profile.version < (7, 3):
        assert (await found)[0] == 404
    else:
        answer = await given(found)
        assert [one["username"] for one in answer["members"]] == ["ana", "zoe", "bbb", "ben"]
        assert answer["members"][0]["roles"] == ["owner"]
    listed = await given(rest.get("channels.members", roomId=room.id, count=2, offset=1))
    assert [one["username"] for one in listed["members"]] == ["bbb", "ben"]
    assert (listed["count"], listed["offset"], listed["total"]) == (2, 1, 4)


async def test_who_is_a_member(server: RocketChat, rest: raw.Rest, room: Room, ana: User) -> None:
    ben = server.add_user("ben")
    asked = {"roomId": room.id}
    assert (await given(rest.get("rooms.isMember", **asked, userId=ana.id)))["isMember"] is True
    assert (await given(rest.get("rooms.isMember", **asked, userId=ben.id)))["isMember"] is False
    no = await kind_of_no(rest.get("rooms.isMember", **asked, userId="nobody"))
    assert no == "error-user-not-found"
    elsewhere = server.add_room("secret", "p", ana, (ana,))
    status, answer = await rest.get("rooms.isMember", roomId=elsewhere.id, userId=ana.id)
    said = "forbidden" if server.profile.name == "9.0" else "unauthorized"
    assert (status, answer["error"]) == (403, said)


async def test_subscriptions_name_themselves_when_they_end(
    server: RocketChat, rest: raw.Rest, room: Room, bot: User, ana: User, clock: MovingClock
) -> None:
    direct = server.add_room(None, "d", None, (bot, ana))
    found = (await given(rest.get("subscriptions.get")))["update"]
    by_room = {subscription["rid"]: subscription for subscription in found}
    assert set(by_room) == {room.id, direct.id}
    assert by_room[direct.id]["name"] == "ana"
    single = await given(rest.get("subscriptions.getOne", roomId=room.id))
    assert single["subscription"] == by_room[room.id]
    clock.forward(seconds=1)
    since = "2026-11-21T12:00:00.000Z"
    server.leave(bot, room, event=False)
    answer = await given(rest.get("subscriptions.get", updatedSince=since))
    assert [gone["_id"] for gone in answer["remove"]] == [by_room[room.id]["_id"]]
    assert (await given(rest.get("subscriptions.getOne", roomId=room.id)))["subscription"] is None
    rooms = (await given(rest.get("rooms.get")))["update"]
    assert [(one["_id"], one["usersCount"]) for one in rooms] == [(direct.id, 2)]
    assert sorted(rooms[0]["usernames"]) == ["ana", "bbb"]


async def test_joining_and_leaving(
    server: RocketChat, rest: raw.Rest, ana: User, bot: User
) -> None:
    hall = server.add_room("hall", "c", ana, (ana,))
    closed = server.add_room("closed", "p", ana, (ana,))
    assert (await given(rest.post("channels.join", roomId=hall.id)))["channel"]["usersCount"] == 2
    assert bot.id in hall.members
    assert [doc["t"] for doc in server.messages(hall)] == ["uj"]
    assert await given(rest.post("rooms.leave", roomId=hall.id)) == {"success": True}
    assert bot.id not in hall.members
    assert (await rest.post("channels.join", roomId=closed.id))[0] == 400
    status, _ = await rest.post("rooms.join", roomId=hall.id)
    assert status == (200 if server.profile.version >= (8, 6) else 404)
    async with raw.rest(server, ana) as hers:
        last = await kind_of_no(hers.post("rooms.leave", roomId=hall.id))
        assert last == "error-you-are-last-owner"


@one
async def test_people_can_run_a_room_by_hand(
    server: RocketChat, hers: raw.Rest, rest: raw.Rest, bot: User
) -> None:
    server.add_user("ben")
    made = (await given(hers.post("groups.create", name="board", members=["bbb"])))["group"]
    ids = {"roomId": made["_id"]}
    room = server.room(made["_id"])
    await given(hers.post("groups.invite", **ids, username="ben"))
    await given(hers.post("groups.addModerator", **ids, userId=bot.id))
    assert room.roles[bot.id] == {"moderator"}
    await given(hers.post("rooms.muteUser", **ids, username="ben"))
    assert room.muted == {"ben"}
    await given(hers.post("groups.setTopic", **ids, topic="Money"))
    await given(hers.post("groups.rename", **ids, name="council"))
    assert await kind_of_no(rest.post("groups.addOwner", **ids, username="ben")) == (
        "error-not-allowed"
    )
    await given(hers.post("groups.kick", **ids, username="ben"))
    assert [doc["t"] for doc in server.messages(room)] == [
        "au",
        "user-muted",
        "room_changed_topic",
        "r",
        "ru",
    ]
    assert (room.name, len(room.members)) == ("council", 2)
    await given(hers.post("groups.delete", **ids))
    assert room.id not in server.state.rooms


async def test_the_call_button_needs_a_provider(
    server: RocketChat, rest: raw.Rest, room: Room
) -> None:
    asked = {"roomId": room.id, "title": "Standup"}
    no = await kind_of_no(rest.post("video-conference.start", **asked))
    assert no == "no-videoconf-provider-app"
    server.state.call_provider = "bigbluebutton"
    answer = await given(rest.post("video-conference.start", **asked))
    assert answer["data"]["providerName"] == "bigbluebutton"
    assert [doc["t"] for doc in server.messages(room)] == ["videoconf"]


# --- what was said -----------------------------------------------------------------------------


async def test_sync_gives_all_that_changed_newest_first(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User, clock: MovingClock
) -> None:
    first = server.say(ana, room, "first")["_id"]
    gone = server.say(ana, room, "gone")["_id"]
    clock.forward(seconds=1)
    since = "2026-11-21T12:00:00.000Z"
    second = server.say(ana, room, "second")["_id"]
    server.say(ana, room, "not seen", _hidden=True)
    clock.forward(seconds=1)
    third = server.say(ana, room, "third")["_id"]
    clock.forward(seconds=1)
    server.react(ana, first, ":eyes:")
    server.delete(ana, gone)
    asked = {"roomId": room.id, "lastUpdate": since}
    result = (await given(rest.get("chat.syncMessages", **asked)))["result"]
    assert [doc["_id"] for doc in result["updated"]] == [third, second, first], "by `ts`"
    assert result["deleted"] == [{"_id": gone, "_deletedAt": "2026-11-21T12:00:03.000Z"}]


async def test_sync_does_not_overlap_by_itself_and_has_no_limit(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User, clock: MovingClock
) -> None:
    """What has the very time of the last look is not given again."""
    for number in range(300):
        server.say(ana, room, str(number))
    asked = {"roomId": room.id, "lastUpdate": "2026-11-21T11:59:59.999Z"}
    assert len((await given(rest.get("chat.syncMessages", **asked)))["result"]["updated"]) == 300
    asked["lastUpdate"] = "2026-11-21T12:00:00.000Z"
    assert (await given(rest.get("chat.syncMessages", **asked)))["result"]["updated"] == []


@one
async def test_what_sync_refuses(server: RocketChat, rest: raw.Rest, room: Room, ana: User) -> None:
    secret = server.add_room("secret", "p", ana, (ana,))
    path, since = "chat.syncMessages", "2026-11-21T12:00:00.000Z"
    no = await kind_of_no(rest.get(path, roomId=room.id))
    assert no == "error-lastUpdate-param-not-provided"
    no = await kind_of_no(rest.get(path, roomId=room.id, lastUpdate="yesterday"))
    assert no == "error-roomId-param-invalid"
    no = await kind_of_no(rest.get(path, roomId=secret.id, lastUpdate=since))
    assert no == "error-not-allowed"


@only_new
async def test_sync_page_by_page(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User, clock: MovingClock
) -> None:
    ids = []
    for number in range(5):
        clock.forward(seconds=1)
        ids.append(server.say(ana, room, str(number))["_id"])
    seen: list[str] = []
    asked = {"roomId": room.id, "type": "UPDATED", "count": 2}
    after: str | None = "0"
    while after is not None:
        page = (await given(rest.get("chat.syncMessages", **asked, next=after)))["result"]
        seen += [doc["_id"] for doc in page["updated"]]
        after = page["cursor"]["next"]
    assert seen == ids


@only_new
async def test_sync_from_a_time_of_sending(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User, clock: MovingClock
) -> None:
    old = server.say(ana, room, "old")["_id"]
    clock.forward(seconds=10)
    server.react(ana, old, ":eyes:")
    new = server.say(ana, room, "new")["_id"]
    asked = {"lastUpdate": "2026-11-21T12:00:00.000Z", "fromTs": "2026-11-21T12:00:05.000Z"}
    result = (await given(rest.get("chat.syncMessages", roomId=room.id, **asked)))["result"]
    assert [doc["_id"] for doc in result["updated"]] == [new]


async def test_histories_leave_thread_replies_out_unless_asked(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User, clock: MovingClock
) -> None:
    root = server.say(ana, room, "root")["_id"]
    clock.forward(seconds=1)
    reply = server.say(ana, room, "reply", tmid=root)["_id"]
    clock.forward(seconds=1)
    last = server.say(ana, room, "last")["_id"]

    async def found(**asked: str) -> list[str]:
        """The ids of a history."""
        answer = await given(rest.get("channels.history", roomId=room.id, **asked))
        return [doc["_id"] for doc in answer["messages"]]

    assert await found(showThreadMessages="true") == [last, reply, root]
    assert await found() == await found(showThreadMessages="false") == [last, root]
    assert await found(latest="2026-11-21T12:00:02.000Z") == [root]
    assert await found(latest="2026-11-21T12:00:02.000Z", inclusive="true") == [last, root]
    assert await found(oldest="2026-11-21T12:00:01.000Z") == [last]
    thread = await given(rest.get("chat.getThreadMessages", tmid=root))
    assert [doc["_id"] for doc in thread["messages"]] == [reply]


async def test_an_unjoined_channel_can_be_read_by_users_only(
    server: RocketChat, rest: raw.Rest, bot: User, ana: User
) -> None:
    hall = server.add_room("hall", "c", ana, (ana,))
    assert (await rest.get("channels.history", roomId=hall.id))[0] == 200
    bot.roles = {"bot"}
    assert (await rest.get("channels.history", roomId=hall.id))[0] == 403
    async with raw.listening(server, bot) as line:
        refused = await line.subscribe("stream-room-messages", hall.id, False)
        assert refused["error"]["error"] == "not-allowed"
        server.join(bot, hall)
        assert "error" not in await line.subscribe("stream-room-messages", hall.id, False)
    assert (await rest.get("channels.history", roomId=hall.id))[0] == 200


# --- limits ------------------------------------------------------------------------------------


async def test_the_eleventh_call_in_a_minute_is_too_many(
    server: RocketChat, hers: raw.Rest, clock: MovingClock
) -> None:
    for left in range(9, -1, -1):
        await given(hers.get("me"))
        assert hers.headers["X-RateLimit-Limit"] == "10"
        assert hers.headers["X-RateLimit-Remaining"] == str(left)
        assert hers.headers["X-RateLimit-Reset"] == str(NOON_MS + 60_000)
    clock.forward(seconds=20)
    status, answer = await hers.get("me")
    assert (status, answer) == (
        429,
        {
            "success": False,
            "error": "Error, too many requests. Please slow down. You must wait 40 seconds before "
            "trying this endpoint again. [error-too-many-requests]",
        },
    )
    assert "Retry-After" not in hers.headers
    assert hers.headers["X-RateLimit-Reset"] == str(NOON_MS + 60_000)
    await given(hers.get("rooms.get"))
    clock.forward(seconds=40)
    await given(hers.get("me"))


async def test_nobody_bypasses_where_no_login_is_needed(rest: raw.Rest) -> None:
    for _ in range(10):
        await given(rest.get("settings.public"))
    assert rest.headers["X-RateLimit-Remaining"] == "0"
    assert (await rest.get("settings.public"))[0] == 429


async def test_the_bot_role_is_not_limited_and_sees_no_header(rest: raw.Rest) -> None:
    for _ in range(11):
        await given(rest.get("me"))
    assert not [name for name in rest.headers if name.startswith("X-RateLimit")]


@pytest.mark.parametrize("server", ("8.x",), indirect=True)
async def test_the_newest_sending_has_five_a_second(
    hers: raw.Rest, rest: raw.Rest, room: Room, clock: MovingClock
) -> None:
    message = {"rid": room.id, "msg": "x"}
    statuses = [(await hers.post("chat.sendMessage", message=message))[0] for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    clock.forward(seconds=1)
    await given(hers.post("chat.sendMessage", message=message))
    for _ in range(6):
        await given(rest.post("chat.sendMessage", message=message))


# --- refusals by generation ---------------------------------------------------------------------

LOGGED_OUT = "You must be logged in to do this."
NO_PERMISSION = "User does not have the permissions required for this action [error-unauthorized]"

NOT_LOGGED_IN = {
    "monolith-6": {"status": "error", "message": LOGGED_OUT},
    "streamer-6.14": {"status": "error", "message": LOGGED_OUT},
    "8.x": {"success": False, "status": "error", "message": LOGGED_OUT, "error": LOGGED_OUT},
    "9.0": {"success": False, "error": LOGGED_OUT},
}
BAD_LOGIN = {
    "monolith-6": {"status": "error", "error": "Unauthorized", "message": "Unauthorized"},
    "streamer-6.14": {"status": "error", "error": "Unauthorized", "message": "Unauthorized"},
    "8.x": {
        "success": False,
        "status": "error",
        "error": "Unauthorized",
        "message": "Unauthorized",
    },
    "9.0": {"success": False, "error": "unauthorized"},
}
FORBIDDEN = dict.fromkeys(PROFILES, {"success": False, "error": NO_PERMISSION})
FORBIDDEN["9.0"] = {"success": False, "error": NO_PERMISSION.replace("unauthorized", "forbidden")}


async def test_refusals_have_the_bodies_of_their_generation(
    server: RocketChat, rest: raw.Rest
) -> None:
    name = server.profile.name
    async with raw.rest(server) as nobody:
        assert await nobody.get("me") == (401, NOT_LOGGED_IN[name])
        asked = nobody.post("login", user="nobody", password="wrong")
        assert await asked == (401, BAD_LOGIN[name])
        _, wrong = await nobody.post("login", user="bbb", password="wrong")
        assert wrong["error"] == ("unauthorized" if name == "9.0" else 403)
    assert await rest.get("roles.getUsersInRole", role="x") == (403, FORBIDDEN[name])
    status, answer = await rest.get("no.such.endpoint")
    assert (status, answer.get("success")) == (404, None if "6" in name else False)


@only_new
async def test_the_newer_check_bodies_and_queries_by_schema(rest: raw.Rest, room: Room) -> None:
    asked = {"roomId": room.id, "text": "x", "wrong": 1}
    assert await kind_of_no(rest.post("chat.postMessage", **asked)) == "invalid-params"
    asked = {"roomId": room.id, "userName": "ana"}
    assert await kind_of_no(rest.get("rooms.isMember", **asked)) == "error-invalid-params"


@only_old
async def test_6_x_takes_unknown_keys_and_channel_wins(
    server: RocketChat, rest: raw.Rest, room: Room, ana: User
) -> None:
    hall = server.add_room("hall", "c", ana, (ana,))
    asked = {"roomId": room.id, "channel": hall.id, "text": "x", "wrong": 1}
    assert (await given(rest.post("chat.postMessage", **asked)))["channel"] == hall.id


async def test_a_body_that_is_no_json_is_refused(rest: raw.Rest) -> None:
    headers = {"Content-Type": "application/json"}
    rest.sends.update(headers)
    assert (await rest.ask("POST", "chat.sendMessage", data="{no"))[0] == 400


async def test_what_is_none_of_the_api_is_the_web_app(server: RocketChat, rest: raw.Rest) -> None:
    """A slash too many, and a client gets a page with status 200."""
    rest.base = f"{server.url}//api/v1/"
    status, page = await rest.get("me")
    assert (status, page[:15]) == (200, "<!DOCTYPE html>")
