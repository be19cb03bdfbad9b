"""A bot that encrypts, and Ada, whose client encrypts as well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.demo.synapse import Synapse
from tests.matrix.bots import Bot, Bots
from tests.matrix.client import Visitor
from tests.matrix.names import fresh
from tests.matrix.peer import Peer


@pytest.fixture
async def leaving() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def bots(synapse: Synapse, tmp_path: Path, leaving: AsyncExitStack) -> Bots:
    return Bots(synapse, tmp_path, leaving)


@pytest.fixture
async def bot(bots: Bots) -> Bot:
    return await bots.new(fresh("crypt"))


@pytest.fixture
async def ada(synapse: Synapse, tmp_path: Path, leaving: AsyncExitStack) -> Peer:
    account = await synapse.register(fresh("ada-crypt"))
    return await leaving.enter_async_context(Peer(synapse.url, account, tmp_path / "ada"))


@pytest.fixture
async def hand(ada: Peer, synapse: Synapse, leaving: AsyncExitStack) -> Visitor:
    """The same person by raw requests."""
    return await leaving.enter_async_context(Visitor(synapse.url, ada.account))
