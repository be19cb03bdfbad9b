"""Each fault of the simulated BBB, met by commands typed in Rocket.Chat: one clear line.

The whole table is played in the local chat (`test_bbb_table.py`); what is said, and where, is the
same here. One bot lives through all faults, one after the other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.demo.bbb import Fault, SimulatedBBB
from bot.demo.bbb.faults import ALL
from bot.demo.bbb.transport import InProcess
from storage.open import open_store
from tests.canary import BBB_SECRET
from tests.fakes.rocketchat import RocketChat
from tests.faults.bbb_case import Case, case_of, is_borne, leaks, listen_to, written
from tests.faults.bbb_stage import BBB, Act, Wire, bot_on, client_on
from tests.rocketchat.ticking import Ticking
from tests.scenario.rocketchat import RocketChatStage
from tests.scenario.scene import Clock, Line, Scene


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    """Alice in #team, where a call is over."""
    async with AsyncExitStack() as stack:
        clock, wire = Clock(), Wire()
        bbb = SimulatedBBB(BBB_SECRET, now=clock, public_url=BBB)
        wire.server = InProcess(bbb)
        client = client_on(wire)
        stack.push_async_callback(client.close)
        store = await open_store(tmp_path / "data")
        stack.push_async_callback(store.close)
        server = await stack.enter_async_context(RocketChat(clock=Ticking(clock)))
        stage = RocketChatStage(server, clock)
        adapter = stage.adapter()
        bot = bot_on(adapter, client, store, clock, stage.person("alice"))
        stack.push_async_callback(adapter.stop)
        await stage.open(adapter, bot.inbox)
        scene = Scene(bot, bbb, Line(bbb), clock, stage)
        await scene.begin()
        for line in ("start Weekly", "end"):
            await scene.says("alice", f"!bbb {line}")
        act = Act(tmp_path / "data", scene, client, wire, None, "", "")
        with case_of(act) as case:
            yield case


async def test_commands_meet_each_fault(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    listen_to(caplog)
    for number, fault in enumerate(Fault):
        asked = {f'start "Call {number}"': ALL, "status": ALL, "end": "end"}
        met = [await is_borne(case, line, fault, call) for line, call in asked.items()]
        assert all(met), fault.name
    assert not leaks(written(caplog.records))
