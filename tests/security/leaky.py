"""Tests that leak on purpose, one way each: test_canaries.py runs them and wants every one caught.

Collected only when named: each test of `pytest tests/security/leaky.py` ends in an error.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from pathlib import Path

import httpx
import jinja2
import requests
from starlette.responses import HTMLResponse
from websockets.asyncio.client import connect

from bot.bbb.sign import signed_query
from commands.i18n import Renderer
from commands.links import Links
from commands.messages import Document, LinkTo, Message, Phrase, Text
from storage.open import open_store
from storage.records import Channel, LinkKind, Person
from tests import canary
from tests.fakes.rocketchat import RocketChat

log = logging.getLogger("bot.leaky")

SIGNED = signed_query("join", {"meetingID": "m"}, canary.BBB_SECRET, "sha256")
WAY_IN = f"https://bbb.example/bigbluebutton/api/join?{SIGNED}"
GOAL = LinkTo(LinkKind.ROOM, "room-1", 1)


class PostRefused(Exception):
    """What a chat or a server answered."""


def test_log_message() -> None:
    log.warning("the server refused %s", canary.BBB_SECRET)


def test_log_field() -> None:
    log.warning("refused", extra={"action": "refused", "answer": {"token": canary.ACCESS_TOKEN}})


def test_log_checksum() -> None:
    log.warning("cannot open %s", WAY_IN)


def test_log_link() -> None:
    log.warning("%s pressed", Links(canary.LINK_KEY, "https://calls.example").address(GOAL))


def test_log_exception() -> None:
    try:
        try:
            raise PostRefused(canary.PASSWORD)
        except PostRefused as error:
            raise ValueError("no") from error
    except ValueError:
        log.exception("failed")


def test_log_key_as_text() -> None:
    log.warning("keys: %s", base64.b64encode(canary.LINK_KEY).decode())


def test_chat_way_in() -> None:
    _say(WAY_IN)


def test_chat_key() -> None:
    _say(canary.RECOVERY_KEY)


def _say(text: str) -> Document:
    renderer = Renderer(language="en", zone="UTC", prefix="!bbb", links=lambda goal: "")
    return renderer.document(Message((Phrase("delete.done", {"room": text}),)))


def test_page_answer() -> None:
    HTMLResponse(f"<p>{WAY_IN}</p>")


def test_page_template() -> None:
    jinja2.Template("<p>{{ secret }}</p>").render(secret=canary.PICKLE_KEY)


async def test_database_secret(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "data")
    await store.set_channel(Channel("console", "#team"), "note", canary.BBB_SECRET)
    await store.close()


async def test_database_link(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "data")
    token = Links(canary.LINK_KEY, "https://calls.example").token(GOAL)
    await store.set_channel(Channel("console", "#team"), "note", token)
    await store.close()


async def test_database_backup(tmp_path: Path) -> None:
    store = await open_store(Path(tmp_path / "data"))
    await store.set_channel(Channel("console", "#team"), "note", WAY_IN)
    await store.backup(tmp_path / "copy")
    await store.close()


def test_file_secret(tmp_path: Path) -> None:
    (tmp_path / "bot.log").write_text(canary.ACCESS_TOKEN)


async def test_sent_secret() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.post("https://chat.example/send", json={"text": canary.PSEUDONYM_KEY.decode()})


async def test_sent_rest() -> None:
    async with RocketChat() as server:
        url = f"{server.url}/api/v1/chat.sendMessage"
        said = {"message": {"msg": canary.ROCKETCHAT_TOKEN}}
        await asyncio.to_thread(requests.post, url, json=said, timeout=10)


async def test_sent_frame() -> None:
    async with RocketChat() as server:
        async with connect(f"{server.url}/websocket".replace("http", "ws", 1)) as socket:
            await socket.send(json.dumps({"msg": "connect", "session": canary.ROCKETCHAT_TOKEN}))


async def test_room_private_link() -> None:
    """A link for one person, where all read."""
    await _say_to("c", 2)


async def test_room_group() -> None:
    """In a direct message of three people."""
    await _say_to("d", 3)


async def _say_to(kind: str, people: int) -> None:
    async with RocketChat() as server:
        ana, *others = [server.add_user(f"user-{number}") for number in range(people)]
        room = server.add_room("team", kind=kind, owner=ana, members=[ana, *others])
        goal = LinkTo(LinkKind.PERSONAL, "room-1", 1, Person("rocketchat", ana.id))
        server.say(ana, room, f"{Links(canary.LINK_KEY, 'https://calls.example').address(goal)}.")


def test_printed_secret() -> None:
    print(canary.BBB_SECRET)  # noqa: T201


def test_printed_exception() -> None:
    raise PostRefused(repr(Text(canary.PASSWORD)))
