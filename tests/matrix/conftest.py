"""A real Synapse for the tests of this folder, one for all of them; people are new in each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

import pytest

from bot.demo.matrix_client import MatrixPerson
from bot.demo.synapse import Synapse
from tests.matrix.client import Visitor
from tests.matrix.names import fresh
from tests.requirements import require_synapse

Someone = TypeVar("Someone", bound=MatrixPerson)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for a Synapse carries its marker; nobody has to remember."""
    for item in items:
        if "synapse" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.synapse)


@pytest.fixture(scope="session")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A homeserver in memory with its limits lifted. No test may stop it."""
    require_synapse()
    server = Synapse(tmp_path_factory.mktemp("synapse"))
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@dataclass(frozen=True, slots=True)
class People:
    """Makes people for one test: `ada = await people.new("ada")` is `@ada-7:localhost`."""

    synapse: Synapse
    leaving: AsyncExitStack

    async def new(self, name: str) -> Visitor:
        """Somebody who was never on this server before."""
        return await self.new_as(Visitor, name)

    async def new_as(self, kind: type[Someone], name: str, *, admin: bool = False) -> Someone:
        """The same as another class of person (`Observer`), or as an admin of the server."""
        account = await self.synapse.register(fresh(name), admin=admin)
        someone = kind(self.synapse.url, account)
        await self.leaving.enter_async_context(someone)
        return someone


@pytest.fixture
async def people(synapse: Synapse) -> AsyncIterator[People]:
    """Makes people; all of them are signed off after the test."""
    async with AsyncExitStack() as leaving:
        yield People(synapse, leaving)
