"""The test server understands Rocket.Chat's own realtime and REST clients.

They are npm's `@rocket.chat/ddp-client` and the REST client inside it, which Rocket.Chat's web
client itself uses; so they are a judge of our test server that we did not write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.rocketchat import RocketChat as Server
from tests.fakes.rocketchat import Room, User
from tests.node import Node
from tests.requirements import require_rocketchat_node

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
PROFILES = ["monolith-6", "streamer-6.14", "8.x", "9.0"]
MESSAGES = {"stream": "room-messages", "key": "__my_messages__"}


@pytest.fixture(params=PROFILES)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with Server(profile=request.param) as server:
        yield server


@pytest.fixture
def bot(server: Server) -> User:
    return server.add_user("bbb", roles=("bot", "user"))


@pytest.fixture
def ana(server: Server) -> User:
    return server.add_user("ana")


@pytest.fixture
def room(server: Server, bot: User, ana: User) -> Room:
    return server.add_room("team", kind="c", owner=ana, members=(bot, ana))


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Node]:
    require_rocketchat_node()
    async with Node(HERE, "client.mjs") as node:
        await node.do("connect", url=server.url)
        yield node


async def logged_in(client: Node, server: Server, user: User) -> str:
    """The token of a login."""
    token = server.state.log_in(user).text
    assert await client.do("login", token=token) == {"id": user.id, "type": "resume"}
    return token


def messages(text: str) -> Any:
    return lambda event: event.get("stream") == "room-messages" and event["args"][0]["msg"] == text


async def test_it_hears_and_answers(
    server: Server, bot: User, ana: User, room: Room, client: Node
) -> None:
    await logged_in(client, server, bot)
    await client.do("subscribe", **MESSAGES)
    question = server.say(ana, room, "!bbb help")
    heard = await client.event(messages("!bbb help"), "the question")
    assert heard["args"][0]["_id"] == question["_id"]
    assert heard["args"][1] == {"roomParticipant": True, "roomType": "c", "roomName": "team"}
    said = {"rid": room.id, "msg": "Hello", "tmid": question["_id"]}
    sent = await client.do("post", path="/v1/chat.sendMessage", body={"message": said})
    assert sent["message"]["tmid"] == question["_id"]
    await client.event(messages("Hello"), "its own answer")


async def test_it_reads_by_rest(server: Server, bot: User, room: Room, client: Node) -> None:
    await logged_in(client, server, bot)
    me = await client.do("get", path="/v1/me", query={})
    assert me["username"] == "bbb"
    info = await client.do("get", path="/v1/rooms.info", query={"roomId": room.id})
    assert info["room"]["name"] == "team"
    query = {"roomId": room.id, "lastUpdate": "2020-01-01T00:00:00.000Z"}
    server.say(bot, room, "hello")
    synced = await client.do("get", path="/v1/chat.syncMessages", query=query)
    assert "hello" in [message["msg"] for message in synced["result"]["updated"]]


async def test_it_hears_of_new_rooms(server: Server, bot: User, ana: User, client: Node) -> None:
    await logged_in(client, server, bot)
    key = f"{bot.id}/subscriptions-changed"
    await client.do("subscribe", stream="notify-user", key=key)
    room = server.add_room("board", kind="p", owner=ana, members=(ana, bot))
    heard = await client.event(lambda event: event.get("stream") == "notify-user", "the room")
    assert (heard["args"][0], heard["args"][1]["rid"]) == ("inserted", room.id)


async def test_it_is_refused(server: Server, bot: User, room: Room, client: Node) -> None:
    await logged_in(client, server, bot)
    with pytest.raises(AssertionError, match="not-allowed"):
        await client.do("subscribe", stream="notify-user", key="somebody/subscriptions-changed")
    with pytest.raises(AssertionError, match=r"login: .*403"):
        await client.do("login", token="unknown")


async def test_after_a_broken_link_it_hears_again(
    server: Server, bot: User, ana: User, room: Room, client: Node
) -> None:
    """It logs in by itself and takes its subscriptions up again, with the ids they had."""
    token = await logged_in(client, server, bot)
    await client.do("subscribe", **MESSAGES)
    server.faults.sockets.cut()
    await client.event(lambda event: event.get("state") == "disconnected", "the end")
    await server.faults.sockets.are_open(1)
    while not [event for event in client.events if messages("again")(event)]:
        server.say(ana, room, "again")
        await client.do("call", method="login", params=[{"resume": token}])


async def test_a_personal_access_token_says_no_end_and_it_stumbles(
    server: Server, bot: User, client: Node
) -> None:
    """As measured: it reads `tokenExpires.$date` without looking. Ours must not."""
    with pytest.raises(AssertionError, match=r"TypeError: .*\$date"):
        await client.do("login", token=bot.token)
    resumed = await client.do("call", method="login", params=[{"resume": bot.token}])
    assert resumed.get("tokenExpires") is None
