"""The whole core on a homeserver, in this process: real clock, simulated video server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.clock import utc_now
from bot.core import Bot, Secrets
from bot.demo.bbb import SimulatedBBB
from bot.demo.synapse import Account, Synapse
from commands.ports import Policy
from storage.open import open_store
from tests.matrix.bots import adapter_for
from tests.scenario.scene import Line

BBB = "http://bbb.example"


@asynccontextmanager
async def whole_bot(
    synapse: Synapse, account: Account, directory: Path, policy: Policy, *, encryption: bool = False
) -> AsyncIterator[Bot]:
    """Started, and stopped afterwards; it is in the rooms that its account is in already."""
    secret = "whole-bot-secret"
    line = Line(SimulatedBBB(secret, now=utc_now, public_url=BBB))
    client = Client(
        name="one",
        url=f"{BBB}/bigbluebutton/api/",
        secrets=[secret],
        bot_version="test",
        transport=line,
    )
    servers = ServerPool({"one": client}, chosen="one", origins=[BBB])
    store = await open_store(directory / "data")
    adapter = adapter_for(synapse.url, account, directory / "crypto", encryption=encryption)
    bot = Bot(
        store=store,
        adapters=[adapter],
        servers=servers,
        policy=policy,
        keys=Secrets(b"l" * 32, b"p" * 32),
        clock=utc_now,
    )
    try:
        await bot.start()
        yield bot
    finally:
        await bot.stop()
        await servers.close()
        await store.close()
