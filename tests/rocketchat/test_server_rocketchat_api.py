"""The test server understands `rocketchat_API`, a client that was written for real servers.

Each method that a bot needs, over every profile. What it sends passes the schemas, and so do the
documents that come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from rocketchat_API.APIExceptions.RocketExceptions import (
    RocketApiException,
    RocketAuthenticationException,
    RocketBadStatusCodeException,
)
from rocketchat_API.rocketchat import RocketChat as Client

from tests.fakes.rocketchat import RocketChat

PROFILES = ["monolith-6", "streamer-6.14", "8.x", "9.0"]


@pytest.fixture(params=PROFILES)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[RocketChat]:
    async with RocketChat(profile=request.param) as server:
        yield server


async def test_what_a_bot_asks(server: RocketChat) -> None:
    bot = server.add_user("bbb", roles=("bot", "user"), name="BBB")
    ana = server.add_user("ana", name="Ana Martín")
    team = server.add_room("team", kind="c", owner=ana, members=(bot, ana))
    board = server.add_room("board", kind="p", owner=ana, members=(bot, ana))
    said = server.say(ana, team, "!bbb help")

    def ask() -> None:
        client = Client(auth_token=bot.token, user_id=bot.id, server_url=server.url)
        assert client.me()["username"] == "bbb"
        assert client.info()["version"]
        assert client.users_info(user_id=ana.id)["user"]["name"] == "Ana Martín"
        assert client.users_info(username="ana")["user"]["_id"] == ana.id
        assert {one["_id"] for one in client.settings_public()} >= {"Site_Url"}
        assert {one["rid"] for one in client.subscriptions_get()["update"]} == {team.id, board.id}
        assert client.rooms_info(room_id=team.id)["room"]["name"] == "team"
        assert client.rooms_get()["update"]
        assert client.channels_info(room_id=team.id)["channel"]["_id"] == team.id
        assert client.channels_roles(room_id=team.id)["roles"][0]["roles"] == ["owner"]
        assert client.groups_roles(room_id=board.id)["roles"][0]["u"]["_id"] == ana.id
        client.users_set_status("at your service", status="online")
        talk(client)
        history(client)

    def talk(client: Client) -> None:
        sent = client.chat_send_message({"rid": team.id, "msg": "Hello", "tmid": said["_id"]})
        message_id = sent["message"]["_id"]
        assert client.chat_get_message(message_id)["message"]["tmid"] == said["_id"]
        client.chat_update(team.id, message_id, "Goodbye")
        client.chat_react(message_id, ":eyes:", shouldReact=True)
        found = client.chat_get_message(message_id)["message"]
        assert (found["msg"], found["reactions"]) == ("Goodbye", {":eyes:": {"usernames": ["bbb"]}})
        assert [one["_id"] for one in client.chat_get_thread_messages(said["_id"])] == [message_id]
        synced = client.chat_sync_messages(team.id, "2020-01-01T00:00:00.000Z")["result"]
        assert {said["_id"], message_id} <= {one["_id"] for one in synced["updated"]}
        client.call_api_post(
            "chat.sendMessage", message={"rid": team.id, "msg": "https://x.org"}, previewUrls=[]
        )

    def history(client: Client) -> None:
        direct = client.dm_create("ana")["room"]
        assert sorted(direct["usernames"]) == ["ana", "bbb"]
        assert len(list(client.dm_members(direct["rid"]))) == 2
        client.chat_send_message({"rid": direct["rid"], "msg": "psst"})
        assert [one["msg"] for one in client.dm_history(direct["rid"])] == ["psst"]
        shown = list(client.channels_history(team.id, showThreadMessages="true"))
        assert {"!bbb help", "Goodbye"} <= {one["msg"] for one in shown}
        list(client.groups_history(board.id))

    await asyncio.to_thread(ask)


@pytest.mark.parametrize("server", ["8.x", "9.0"], indirect=True)
async def test_what_only_newer_servers_have(server: RocketChat) -> None:
    bot = server.add_user("bbb", roles=("bot", "user"))
    ana = server.add_user("ana")
    room = server.add_room("board", kind="p", owner=ana, members=(bot, ana))

    def ask() -> None:
        client = Client(auth_token=bot.token, user_id=bot.id, server_url=server.url)
        assert client.call_api_get("rooms.roles", rid=room.id)["roles"][0]["roles"] == ["owner"]
        listed = client.call_api_get("rooms.membersOrderedByRole", roomId=room.id, count=10)
        assert [one["username"] for one in listed["members"]] == ["ana", "bbb"]
        asked = {"roomId": room.id, "userId": ana.id}
        assert client.call_api_get("rooms.isMember", **asked)["isMember"]

    await asyncio.to_thread(ask)


async def test_passwords_and_what_is_refused(server: RocketChat) -> None:
    bot = server.add_user("bbb", roles=("bot", "user"))

    def ask() -> None:
        client = Client("bbb", bot.password, server_url=server.url)
        assert client.me()["_id"] == bot.id
        with pytest.raises(RocketAuthenticationException):
            Client("bbb", "wrong", server_url=server.url)
        with pytest.raises(RocketApiException) as refused:
            client.chat_send_message({"rid": "nowhere", "msg": "hello"})
        assert refused.value.status_code == 400
        unknown = refusal(client, "chat.getMessage", msgId="nothing")
        assert (unknown.status_code, unknown.response_json) == (400, {"success": False})
        client.logout()
        # 6.x says no `success`, so the library takes the answer for somebody else's
        assert refusal(client, "me").status_code == 401

    def refusal(client: Client, path: str, **params: Any) -> Any:
        refused = (RocketApiException, RocketBadStatusCodeException)
        with pytest.raises(refused) as caught:
            client.call_api_get(path, **params)
        return caught.value

    await asyncio.to_thread(ask)
