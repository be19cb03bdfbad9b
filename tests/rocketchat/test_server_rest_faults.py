"""Every bad day of REST that the test server can have, seen by a bare client (group 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from tests.fakes.rocketchat import RocketChat
from tests.fakes.rocketchat.refusals import Refused
from tests.rocketchat import raw

PROFILES = ["monolith-6", "streamer-6.14", "8.x", "9.0"]


class Stage:
    """A server with a bot in a channel, and REST in the bot's name."""

    def __init__(self, server: RocketChat, rest: raw.Rest, room: Any) -> None:
        self.server = server
        self.faults = server.faults.rest
        self.rest = rest
        self.room = room

    async def sends(self, **more: Any) -> tuple[int, Any]:
        return await self.rest.post("chat.sendMessage", message={"rid": self.room.id, **more})

    @property
    def stored(self) -> list[str]:
        return [message["msg"] for message in self.server.messages(self.room) if "t" not in message]


@pytest.fixture
async def open_stages() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def stage_of(stack: AsyncExitStack, profile: str = "8.x", seconds: float = 30.0) -> Stage:
    server = await stack.enter_async_context(RocketChat(profile=profile))
    bot = server.add_user("bbb", roles=("bot", "user"))
    room = server.add_room("team", kind="c", owner=bot, members=(bot,))
    rest = await stack.enter_async_context(raw.rest(server, bot, seconds=seconds))
    return Stage(server, rest, room)


@pytest.fixture
async def stage(open_stages: AsyncExitStack) -> Stage:
    return await stage_of(open_stages)


# --- each status in the words of each generation -------------------------------------------------

SHAPES = [
    pytest.param("monolith-6", 401, {"status", "message"}, id="401 of 6.x says no success"),
    pytest.param("streamer-6.14", 401, {"status", "message"}, id="401 of 6.14 neither"),
    pytest.param("8.x", 401, {"success", "status", "message", "error"}, id="401 of 8.x"),
    pytest.param("9.0", 401, {"success", "error"}, id="401 of 9.0"),
]


@pytest.mark.parametrize(("profile", "status", "keys"), SHAPES)
async def test_401_by_generation(
    open_stages: AsyncExitStack, profile: str, status: int, keys: set[str]
) -> None:
    stage = await stage_of(open_stages, profile)
    stage.faults.fail("me", status=status)
    said = await stage.rest.get("me")
    assert (said[0], set(said[1])) == (status, keys)
    assert (await stage.rest.get("me"))[0] == 200


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
async def test_what_the_server_itself_says(
    open_stages: AsyncExitStack, profile: str, status: int
) -> None:
    stage = await stage_of(open_stages, profile)
    stage.faults.fail("chat.sendMessage", status=status)
    said, body = await stage.sends(msg="hello")
    assert said == status
    assert body["success"] is False
    assert isinstance(body["error"], str)
    assert stage.stored == []


@pytest.mark.parametrize(
    ("profile", "said"), [("8.x", "[error-unauthorized]"), ("9.0", "[error-forbidden]")]
)
async def test_403_by_generation(open_stages: AsyncExitStack, profile: str, said: str) -> None:
    stage = await stage_of(open_stages, profile)
    stage.faults.fail("chat.update", status=403)
    _, body = await stage.rest.post("chat.update", roomId="r", msgId="m", text="t")
    assert body["error"].endswith(said)


async def test_a_refusal_with_its_code(stage: Stage) -> None:
    stage.faults.refuse("chat.sendMessage", Refused("error-not-allowed", "No"))
    status, body = await stage.sends(msg="hello")
    assert (status, body["errorType"], body["error"]) == (
        400,
        "error-not-allowed",
        "No [error-not-allowed]",
    )


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_the_page_of_a_proxy(stage: Stage, status: int) -> None:
    stage.faults.fail(status=status)
    said, body = await stage.rest.get("me")
    assert said == status
    assert body.startswith("<html>")


async def test_an_empty_body_and_a_page_with_status_200(stage: Stage) -> None:
    stage.faults.fail("me", status=200, body="")
    stage.faults.fail("me", status=200, body="<html>")
    assert await stage.rest.get("me") == (200, "")
    assert await stage.rest.get("me") == (200, "<html>")


# --- limits --------------------------------------------------------------------------------------


async def test_a_limit_says_until_when_in_milliseconds(stage: Stage) -> None:
    stage.faults.limit("chat.sendMessage", seconds=7)
    status, body = await stage.sends(msg="hello")
    assert status == 429
    assert "wait 7 seconds" in body["error"]
    assert body["error"].endswith("[error-too-many-requests]")
    until = int(stage.rest.headers["X-RateLimit-Reset"]) / 1000
    assert 0 < until - datetime.now(UTC).timestamp() <= 7
    assert stage.rest.headers["X-RateLimit-Remaining"] == "0"


async def test_a_limit_in_the_past_or_without_a_time(stage: Stage) -> None:
    stage.faults.limit(reset="past")
    stage.faults.limit(reset="missing")
    await stage.rest.get("me")
    assert int(stage.rest.headers["X-RateLimit-Reset"]) / 1000 < datetime.now(UTC).timestamp()
    await stage.rest.get("me")
    assert "X-RateLimit-Reset" not in stage.rest.headers
    assert (await stage.rest.get("me"))[0] == 200


# --- how often -----------------------------------------------------------------------------------


async def test_it_works_after_so_many_failures(stage: Stage) -> None:
    fault = stage.faults.fail("chat.sendMessage", status=500, times=3)
    said = [(await stage.sends(msg=f"try {number}"))[0] for number in range(5)]
    assert said == [500, 500, 500, 200, 200]
    assert fault.struck == 3
    assert stage.stored == ["try 3", "try 4"]


async def test_only_where_it_was_ordered_and_until_it_is_stopped(stage: Stage) -> None:
    fault = stage.faults.fail("me", times=None)
    assert [(await stage.rest.get("me"))[0] for _ in range(3)] == [500] * 3
    assert (await stage.rest.get("settings.public"))[0] == 200
    fault.stop()
    assert (await stage.rest.get("me"))[0] == 200
    stage.faults.fail(times=None)
    stage.server.faults.stop()
    assert (await stage.rest.get("me"))[0] == 200


# --- no answer, half an answer, an answer that is lost --------------------------------------------


async def test_a_slow_answer_is_the_right_one(stage: Stage) -> None:
    stage.faults.slow("chat.sendMessage", seconds=0.05)
    status, body = await stage.sends(msg="hello")
    assert (status, body["message"]["msg"]) == (200, "hello")


async def test_a_cut_answer(stage: Stage) -> None:
    stage.faults.cut("me")
    with pytest.raises(aiohttp.ClientPayloadError):
        await stage.rest.get("me")


async def test_a_reset_instead_of_an_answer(stage: Stage) -> None:
    stage.faults.drop("chat.sendMessage")
    with pytest.raises(aiohttp.ClientOSError):
        await stage.sends(msg="hello")
    assert stage.stored == []


async def test_no_answer_at_all(open_stages: AsyncExitStack) -> None:
    stage = await stage_of(open_stages, seconds=0.3)
    fault = stage.faults.hang("chat.sendMessage")
    with pytest.raises(TimeoutError):
        await stage.sends(msg="hello")
    await fault.has_struck()
    assert stage.stored == []


@pytest.mark.parametrize("how", ["a reset", "a page", "half an answer"])
async def test_it_is_stored_and_the_answer_lost(stage: Stage, how: str) -> None:
    """Then the repeat is answered with an ugly 400, and chat.getMessage finds it (group 9)."""
    if how == "a reset":
        stage.faults.drop("chat.sendMessage", after_storing=True)
    elif how == "a page":
        stage.faults.fail("chat.sendMessage", status=502, after_storing=True)
    else:
        stage.faults.cut("chat.sendMessage", after_storing=True)
    try:
        status, _ = await stage.sends(_id="ours0000000000001", msg="once")
    except aiohttp.ClientError:
        status = 0
    assert status != 200
    assert stage.stored == ["once"]
    status, body = await stage.sends(_id="ours0000000000001", msg="once")
    assert status == 400
    assert body["error"].startswith("Cannot read properties of undefined")
    assert stage.stored == ["once"]
    status, body = await stage.rest.get("chat.getMessage", msgId="ours0000000000001")
    assert (status, body["message"]["msg"]) == (200, "once")


async def test_it_is_stored_and_nobody_answers(open_stages: AsyncExitStack) -> None:
    stage = await stage_of(open_stages, seconds=0.3)
    stage.faults.hang("chat.sendMessage", after_storing=True)
    with pytest.raises(TimeoutError):
        await stage.sends(msg="once")
    assert stage.stored == ["once"]


async def test_requests_that_a_fault_answers_are_seen(stage: Stage) -> None:
    stage.faults.fail("me")
    await stage.rest.get("me")
    assert "me" in [asked.path for asked in stage.server.requests]
