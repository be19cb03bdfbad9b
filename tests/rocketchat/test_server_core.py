"""The test server: one state behind REST and DDP, in every profile."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fakes.rocketchat import PROFILES, RocketChat
from tests.rocketchat import raw


@pytest.fixture(params=PROFILES)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[RocketChat]:
    async with RocketChat(profile=request.param) as server:
        yield server


async def test_what_is_sent_by_rest_is_heard_by_ddp_and_read_back(server: RocketChat) -> None:
    bot = server.add_user("bbb", roles=("bot", "user"))
    ana = server.add_user("ana", name="Ana Martín")
    room = server.add_room("team", owner=ana, members=(bot, ana))
    async with raw.rest(server, ana) as rest, raw.listening(server, bot) as line:
        message = {"rid": room.id, "msg": "!bbb help", "_id": "my-own-id-of-17-c"}
        status, answer = await rest.post("chat.sendMessage", message=message)
        heard = await line.frame(lambda frame: frame.get("collection") == "stream-room-messages")
        _, found = await rest.get("chat.getMessage", msgId="my-own-id-of-17-c")
    assert (status, answer["success"]) == (200, True)
    assert answer["message"]["msg"] == "!bbb help"
    assert answer["message"] == found["message"] == server.messages(room)[0]
    document, access = heard["fields"]["args"]
    assert document["_id"] == "my-own-id-of-17-c"
    assert document["u"] == {"_id": ana.id, "username": "ana", "name": "Ana Martín"}
    assert isinstance(document["ts"]["$date"], int)
    assert access == {"roomParticipant": True, "roomType": "c", "roomName": "team"}
