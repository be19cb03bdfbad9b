"""A crash while keys are being taken in loses none: all of a sync answer's keys are kept,
or none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.chat.matrix.client import Client
from bot.chat.matrix.filters import SYNC
from bot.chat.shapes import Json
from bot.demo.synapse import Account, Synapse
from tests.matrix.client import Visitor
from tests.matrix.conftest import People
from tests.matrix.peer import Peer


class PowerCut(BaseException):
    """Ends everything at once, as no exception of a program does."""


def opened(url: str, account: Account, directory: Path) -> Client:
    client = Client(
        homeserver=url,
        user_id=account.user_id,
        device_id=account.device_id,
        access_token=account.access_token,
        store_dir=directory,
        pickle_key="a key of the tests",
        encryption=True,
    )
    client.open()
    return client


async def news(client: Client, **query: str) -> Json:
    return await client.ask("GET", "/sync", query={"timeout": "0", "filter": SYNC, **query})


def cut_the_power(*_: Any) -> None:
    raise PowerCut


async def test_a_key_that_came_just_before_a_crash_is_there_after_it(
    synapse: Synapse, people: People, tmp_path: Path
) -> None:
    ada, bot = await people.new("ada"), await people.new_as(Visitor, "bot")
    room = await ada.create_room(encrypted=True, preset="public_chat")
    await bot.join(room)
    async with Peer(synapse.url, ada.account, tmp_path / "ada") as peer:
        client = opened(synapse.url, bot.account, tmp_path / "bot")
        before = await news(client, full_state="true")
        await client.digest(before)
        await client.keys_upload()
        await peer.knows(room, bot.user_id)
        await peer.say(room, "hello")
        client.olm.save_inbound_group_session = cut_the_power
        with pytest.raises(PowerCut):
            await client.digest(await news(client, since=before["next_batch"]))
        await client.shut()

        client = opened(synapse.url, bot.account, tmp_path / "bot")
        again = await news(client, since=before["next_batch"], full_state="true")
        read = await client.digest(again)
        await client.shut()
    assert [event["content"].get("body") for event in read[room]] == ["hello"]
