"""Room keys on their way to many devices: in small steps, to everybody, and to nobody who left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from nio.rooms import MatrixRoom

from bot.chat.matrix import sharing as sharing_module
from bot.chat.matrix.client import Client
from bot.chat.matrix.sharing import Sharing
from commands.errors import ChatUnavailable
from tests.conftest import Proof
from tests.matrix.encryption.strangers import Crowd, broken_key

ROOM = "!room"
ME, DEVICE = "@bot:example.org", "DEVICE0"  # an id that others have, too
STALL_SECONDS = 0.1


@asynccontextmanager
async def meeting(crowd: Crowd, directory: Path) -> AsyncIterator[Client]:
    """A client in an encrypted room with all of the crowd, whose devices it does not know yet."""
    client = Client(
        homeserver="http://127.0.0.1:1",
        user_id=ME,
        device_id=DEVICE,
        access_token="t",
        store_dir=directory,
        pickle_key="k",
        encryption=True,
    )
    client.open()
    client.ask = crowd.ask  # type: ignore[method-assign]
    client.rooms[ROOM] = MatrixRoom(ROOM, ME, encrypted=True)
    for who in (ME, *crowd.strangers):
        client.rooms[ROOM].add_member(who, None, None)
    client.olm.users_for_key_query = set(crowd.strangers)
    try:
        yield client
    finally:
        await client.shut()


class Lag:
    """The longest time, in seconds, that the event loop did not come round.

    `worked` counts only what this thread did itself: it is the same on a busy machine.
    """

    def __init__(self) -> None:
        self.longest = self.worked = 0.0

    async def __aenter__(self) -> Lag:
        self._task = asyncio.create_task(self._watch())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _watch(self) -> None:
        before, worked_before = time.monotonic(), time.thread_time()
        while True:
            await asyncio.sleep(0)
            now, worked_now = time.monotonic(), time.thread_time()
            self.longest = max(self.longest, now - before)
            self.worked = max(self.worked, worked_now - worked_before)
            before, worked_before = now, worked_now


async def first_message(client: Client) -> Lag:
    """All that a first message into a room waits for, and how it held the loop up."""
    sharing = Sharing(client)
    async with Lag() as lag:
        await sharing.query()
        await sharing.hand_out(ROOM)
        client.rooms[ROOM].members_synced = True
        client.encrypt(ROOM, "m.room.message", {"body": "hello"})
    return lag


@pytest.mark.promise("A room key for 300 devices never stops the bot for more than 0.1 s.")
async def test_a_key_for_many_devices_leaves_the_loop_its_turns(
    tmp_path: Path, proof: Proof
) -> None:
    crowd = Crowd(people=proof.amount(60, long=400), devices_each=5)
    began = time.monotonic()
    async with meeting(crowd, tmp_path) as client:
        lag = await first_message(client)
    proof.measured(
        devices=len(crowd.got),
        longest_stall_ms=round(1000 * lag.longest),
        of_that_own_work_ms=round(1000 * lag.worked),
        seconds=round(time.monotonic() - began, 2),
    )

    assert set(crowd.got.values()) == {1} and len(crowd.got) == 5 * len(crowd.strangers)
    assert lag.worked < STALL_SECONDS


async def test_everything_at_once_would_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing_module, "DEVICES_AT_ONCE", 1000)
    async with meeting(Crowd(people=1, devices_each=300), tmp_path) as client:
        assert (await first_message(client)).worked > STALL_SECONDS


async def test_who_leaves_meanwhile_gets_no_key_that_is_used(tmp_path: Path) -> None:
    crowd = Crowd(people=40, devices_each=3)
    async with meeting(crowd, tmp_path) as client:
        sharing = Sharing(client)
        await sharing.query()
        under_way = asyncio.create_task(sharing.hand_out(ROOM))
        await crowd.some_got.wait()
        first = client.olm.outbound_group_sessions[ROOM]
        gone = next(iter(crowd.got))[0]
        client.rooms[ROOM].remove_member(gone)
        client.invalidate_outbound_session(ROOM)

        await under_way

        used = client.olm.outbound_group_sessions[ROOM]
        assert used is not first and used.shared
        assert gone not in {who for who, _ in used.users_shared_with}
        assert len(used.users_shared_with) == 39 * 3


async def test_a_room_that_never_rests_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(people=2, devices_each=1)
    async with meeting(crowd, tmp_path) as client:
        ask = crowd.ask

        async def restless(method: str, path: str, **more: Any) -> Any:
            client.invalidate_outbound_session(ROOM)
            return await ask(method, path, **more)

        monkeypatch.setattr(client, "ask", restless)
        with pytest.raises(ChatUnavailable, match="come and go"):
            await first_message(client)


async def test_what_one_person_made_up_keeps_nobody_else_from_the_key(tmp_path: Path) -> None:
    crowd = Crowd(people=7, devices_each=1)
    (bad, worse, worst, wild, empty, *good) = (
        next(iter(d.values())) for d in crowd.strangers.values()
    )
    bad.keys = {"keys": "none"}
    worse.keys["keys"]["curve25519:DEVICE0"] = broken_key()
    empty.keys["keys"]["ed25519:DEVICE0"] = "no key"
    worst.one_time_key = lambda: {"signed_curve25519:A": {"key": broken_key()}}  # type: ignore[method-assign]
    wild.one_time_key = lambda: {"signed_curve25519:A": "text"}  # type: ignore[method-assign,assignment,return-value]
    async with meeting(crowd, tmp_path) as client:
        await first_message(client)

    assert set(crowd.got) == {(one.user, one.device) for one in good}


async def test_a_device_that_is_not_listed_any_more_gets_no_key(tmp_path: Path) -> None:
    crowd = Crowd(people=1, devices_each=12)
    async with meeting(crowd, tmp_path) as client:
        await first_message(client)
        (devices,) = crowd.strangers.values()
        del devices["DEVICE3"]
        crowd.got.clear()
        client.olm.users_for_key_query = set(crowd.strangers)

        await first_message(client)

    assert {device for _, device in crowd.got} == set(devices)
