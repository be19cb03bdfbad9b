"""A gateway and a browser for each test."""

import pytest

from tests.web.world import Browser, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def browser(world: World) -> Browser:
    """Of a gateway as the world is now."""
    return Browser(world.app())
