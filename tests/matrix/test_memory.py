"""A message that may have been posted long ago is looked for before it is posted again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.chat.matrix import memory
from bot.chat.matrix.adapter import MatrixAdapter
from bot.chat.matrix.sending import transaction_id
from bot.demo.synapse import Account, Synapse
from commands.errors import ChatRefused, ChatUnavailable
from commands.ports import Outgoing
from storage.records import Kind
from tests.matrix.bots import Bots, adapter_for, outgoing
from tests.matrix.conftest import People
from tests.matrix.homeserver import (
    DEVICE,
    ME,
    ROOM,
    Answer,
    Homeserver,
    page,
    refuses,
    says,
    synced,
)
from tests.matrix.intake import Inbox
from tests.matrix.names import fresh

OLD = timedelta(hours=21)
YOUNG = timedelta(hours=19)


def decided(before: timedelta, room: str = ROOM) -> Outgoing:
    return outgoing(room, "once", id="one", decided_at=datetime.now(UTC) - before)


def posted(event: str, name: str, before: timedelta = timedelta(0)) -> dict[str, Any]:
    """One of our messages, as a page of the history has it."""
    at = datetime.now(UTC) - before
    return {
        "type": "m.room.message",
        "event_id": event,
        "sender": ME,
        "origin_server_ts": int(at.timestamp() * 1000),
        "content": {memory.OUR_ID: transaction_id(name)},
    }


@pytest.fixture
async def server() -> AsyncIterator[Homeserver]:
    async with Homeserver() as server:
        server.syncs.append(says(synced("s1")))
        server.sends.append(says({"event_id": "$sent"}))
        yield server


@pytest.fixture
async def adapter(server: Homeserver, tmp_path: Path) -> AsyncIterator[MatrixAdapter]:
    account = Account(ME, "token", DEVICE, "")
    adapter = adapter_for(server.url, account, tmp_path, encryption=False)
    await adapter.start(Inbox())
    yield adapter
    await adapter.stop()


async def test_a_young_one_is_posted_at_once(server: Homeserver, adapter: MatrixAdapter) -> None:
    assert await adapter.send(decided(YOUNG)) == "$sent"
    assert server.counts["page"] == 0


async def test_an_old_one_that_is_there_is_not_posted_again(
    server: Homeserver, adapter: MatrixAdapter
) -> None:
    server.pages += [
        page(posted("$9", "another"), {"no": "event"}, end="p2"),
        page(end="p3"),  # an empty page is not the end
        page(posted("$there", "one", OLD), end="p4"),
    ]

    assert await adapter.send(decided(OLD)) == "$there"
    assert server.counts["send"] == 0


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([page(posted("$9", "another"))], id="to the end of the room"),
        pytest.param([page(end="p2"), page(end="p2")], id="a page that leads to itself"),
        pytest.param(
            [page(posted("$9", "another", timedelta(hours=23)), end="p2")],
            id="to the time before it was decided",
        ),
    ],
)
async def test_an_old_one_that_is_not_there_is_posted(
    server: Homeserver, adapter: MatrixAdapter, pages: list[Answer]
) -> None:
    server.pages += pages

    assert await adapter.send(decided(OLD)) == "$sent"
    assert server.counts["page"] == len(pages)


async def test_the_search_has_an_end(
    server: Homeserver, adapter: MatrixAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_MOST_PAGES", 3)
    server.pages += [page(posted(f"${n}", "another"), end=f"p{n}") for n in range(9)]

    assert await adapter.send(decided(OLD)) == "$sent"
    assert server.counts["page"] == 3


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        pytest.param(refuses(500, "M_UNKNOWN"), ChatUnavailable, id="no answer now"),
        pytest.param(says({"chunk": 5}), ChatUnavailable, id="an answer of no shape"),
        pytest.param(refuses(403, "M_FORBIDDEN"), ChatRefused, id="not in the room any more"),
    ],
)
async def test_without_an_answer_nothing_is_posted(
    server: Homeserver, adapter: MatrixAdapter, answer: Answer, raised: type[Exception]
) -> None:
    server.pages.append(answer)

    with pytest.raises(raised) as caught:
        await adapter.send(decided(OLD))

    assert type(caught.value) is raised
    assert server.counts["send"] == 0


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
async def test_synapse_that_forgot_the_transaction_shows_the_message_once(
    synapse: Synapse, people: People, tmp_path: Path, encrypted: bool
) -> None:
    """A new device is what makes Synapse forget at once: its transactions are another's."""
    ada = await people.new("ada")
    async with AsyncExitStack() as leaving:
        bot = await Bots(synapse, tmp_path, leaving).new(fresh("memory"))
        room = await ada.create_room(invite=[bot.user_id], encrypted=encrypted)
        await bot.inbox.command("", Kind.WELCOME)
        first = await bot.adapter.send(decided(OLD, room))
        for number in range(120):
            await ada.say(room, f"{number}")
        await bot.adapter.stop()
        login = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": bot.user_id},
            "password": bot.account.password,
        }
        device = await ada.ask("POST", "/login", login)
        bot.settings |= {"access_token": device["access_token"], "device_id": device["device_id"]}
        bot.directory = tmp_path / "another device"
        await bot.start()

        second = await bot.adapter.send(decided(OLD, room))
        without_looking = await bot.adapter.send(decided(YOUNG, room))

    assert second == first
    assert without_looking != first  # or this test would show nothing
