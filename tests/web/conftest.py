"""A gateway and a browser for each test; a whole bot where the core counts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.house import House, open_house
from tests.web.world import Browser, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def browser(world: World) -> Browser:
    """Of a gateway as the world is now."""
    return Browser(world.app())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The real core behind the pages."""
    async with open_house(tmp_path / "data") as house:
        yield house
