"""The web chat's server: the page, the stream of messages, saying and pressing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from bot.chat.console import LocalChat
from bot.demo.webchat import WebChat
from bot.web.gateway import Gateway
from storage.records import Command, Kind
from tests.demo.local_chat import TEAM, from_bot

VIDEO = "http://127.0.0.1:9"
SOON = 5


class Inbox:
    """What reached the bot."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    async def accept(self, platform: str, position: str | None, commands: list[Command]) -> None:
        self.commands += commands

    async def position(self, platform: str) -> str | None:
        return None

    async def person_arrived(self, person: object) -> None: ...

    async def unreadable(self, channel: object, ref: str) -> None: ...


@pytest.fixture
async def inbox(chat: LocalChat) -> Inbox:
    inbox = Inbox()
    await chat.start(inbox)
    return inbox


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def web(chat: LocalChat, stop: asyncio.Event) -> AsyncIterator[httpx.AsyncClient]:
    web = WebChat(chat, channel=TEAM, language="en", video=VIDEO, stop=stop)
    gateway = Gateway(web.app, host="127.0.0.1", port=0, stop=stop)
    async with AsyncExitStack() as stack:
        await gateway.start()
        stack.push_async_callback(gateway.stop)
        address = f"http://127.0.0.1:{gateway.port}"
        client = httpx.AsyncClient(base_url=address, timeout=SOON)
        yield await stack.enter_async_context(client)


@asynccontextmanager
async def listening(web: httpx.AsyncClient) -> AsyncIterator[Callable[[], Any]]:
    """Gives how to get the next message of the stream."""
    async with web.stream("GET", "/events") as answer, asyncio.timeout(SOON):
        lines = answer.aiter_lines()

        async def following() -> dict[str, str]:
            while not (line := await anext(lines)).startswith("data: "):
                pass
            said: dict[str, str] = json.loads(line.removeprefix("data: "))
            return said

        yield following


async def test_the_page_shows_each_person_the_channel_and_their_own_direct_chat(
    web: httpx.AsyncClient,
) -> None:
    page = await web.get("/")
    assert page.status_code == 200
    assert page.text.count('<section class="window') == 2
    assert page.text.count('data-channel="#team"') == 2
    assert page.text.count('data-channel="dm:alice"') == 1
    assert page.text.count('data-channel="dm:bob"') == 1
    assert f'href="{VIDEO}"' in page.text


async def test_the_page_allows_no_script_or_style_that_is_not_a_file_of_ours(
    web: httpx.AsyncClient,
) -> None:
    page = await web.get("/")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in page.text and "style=" not in page.text and "onclick" not in page.text
    assert (await web.get("/static/chat.js")).status_code == 200
    assert (await web.get("/static/chat.css")).status_code == 200


async def test_a_name_cannot_change_the_page(chat: LocalChat, web: httpx.AsyncClient) -> None:
    chat.people["bob"] = '"><script>alert(1)</script>'
    page = await web.get("/")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


async def test_a_page_that_was_led_here_under_another_name_gets_nothing(
    web: httpx.AsyncClient,
) -> None:
    answer = await web.get("/", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400
    assert "Alice" not in answer.text


async def test_what_was_said_before_and_what_is_said_now_come_by_the_same_stream(
    chat: LocalChat, web: httpx.AsyncClient
) -> None:
    await chat.says("alice", TEAM, "before")
    async with listening(web) as following:
        assert "before" in (await following())["html"]
        await chat.says("bob", TEAM, "now")
        heard = await following()
    assert "now" in heard["html"] and "Bob Keller" in heard["html"]
    assert (heard["channel"], heard["author"]) == (TEAM, "bob")


async def test_an_edit_comes_under_the_reference_of_what_it_replaces(
    chat: LocalChat, web: httpx.AsyncClient
) -> None:
    ref = await chat.send(from_bot("nobody is inside"))
    async with listening(web) as following:
        first = await following()
        await chat.edit(ref, from_bot("one is inside"))
        second = await following()
    assert first["ref"] == second["ref"] == ref
    assert "one is inside" in second["html"] and "edited" in second["html"]


async def test_two_pages_both_hear_everything(chat: LocalChat, web: httpx.AsyncClient) -> None:
    async with listening(web) as one, listening(web) as other:
        await chat.says("alice", TEAM, "hello")
        assert (await one())["html"] == (await other())["html"]


async def test_an_open_stream_does_not_hold_up_the_end(
    web: httpx.AsyncClient, stop: asyncio.Event, chat: LocalChat
) -> None:
    async with web.stream("GET", "/events") as answer:
        stop.set()
        async with asyncio.timeout(SOON):
            assert "data: " not in "".join([text async for text in answer.aiter_text()])


async def test_what_is_typed_reaches_the_bot_as_the_person_in_that_window(
    web: httpx.AsyncClient, inbox: Inbox
) -> None:
    said = {"person": "bob", "channel": TEAM, "text": "!bbb start"}
    answer = await web.post("/say", json=said)
    assert answer.status_code == 204
    (command,) = inbox.commands
    assert (command.person.id, command.channel.id, command.text) == ("bob", TEAM, "start")


async def test_pressing_a_button_reaches_the_bot_with_the_message_it_stands_under(
    chat: LocalChat, web: httpx.AsyncClient, inbox: Inbox
) -> None:
    ref = await chat.send(from_bot("card", buttons=("▶",)))
    answer = await web.post("/press", json={"person": "bob", "ref": ref, "key": "▶"})
    assert answer.status_code == 204
    (command,) = inbox.commands
    assert (command.kind, command.person.id, command.target) == (Kind.REACTION, "bob", ref)


def saying(**other: object) -> dict[str, object]:
    return {"person": "bob", "channel": TEAM, "text": "x"} | other


def refused(why: str, path: str, sent: object, status: int) -> object:
    return pytest.param(path, sent, status, id=why)


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        refused("others' direct chat", "/say", saying(channel="dm:alice"), 403),
        refused("somebody who is not there", "/say", saying(person="eve"), 403),
        refused("a channel that is not there", "/say", saying(channel="#none"), 403),
        refused("nothing said", "/say", saying(text="  "), 400),
        refused("a field missing", "/say", {"person": "bob", "channel": TEAM}, 400),
        refused("a field that is no text", "/say", saying(person=["bob"]), 400),
        refused("no object", "/say", [], 400),
        refused("a message that is not there", "/press", saying(ref="none", key="▶"), 403),
    ],
)
async def test_what_cannot_be_is_refused_and_reaches_nobody(
    chat: LocalChat, web: httpx.AsyncClient, inbox: Inbox, path: str, sent: object, status: int
) -> None:
    chat.direct_channel("alice")
    assert (await web.post(path, json=sent)).status_code == status
    assert not inbox.commands and not chat.posts


async def test_nobody_presses_in_a_channel_they_cannot_read(
    chat: LocalChat, web: httpx.AsyncClient, inbox: Inbox
) -> None:
    direct = chat.direct_channel("alice")
    ref = await chat.send(from_bot("for you alone", channel=direct, buttons=("▶",)))
    answer = await web.post("/press", json={"person": "bob", "ref": ref, "key": "▶"})
    assert answer.status_code == 403
    assert not inbox.commands


async def test_a_form_of_another_site_cannot_speak_for_anybody(
    chat: LocalChat, web: httpx.AsyncClient
) -> None:
    body = json.dumps({"person": "bob", "channel": TEAM, "text": "!bbb"})
    answer = await web.post("/say", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert not chat.posts
