"""A simulated server whose clock stands still until a test moves it, and somebody who calls it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from bot.demo.bbb import SimulatedBBB
from tests.demo_bbb.caller import SECRET, Caller


@pytest.fixture
def simulated() -> SimulatedBBB:
    """BBB 3.0."""
    return SimulatedBBB(SECRET, speed=0)


@pytest.fixture
def old() -> SimulatedBBB:
    """BBB 2.6."""
    return SimulatedBBB(SECRET, version="2.6", speed=0)


@pytest.fixture
async def bbb(simulated: SimulatedBBB) -> AsyncIterator[Caller]:
    """A caller of the new one."""
    caller = Caller(simulated)
    async with caller.http:
        yield caller


@pytest.fixture
async def old_bbb(old: SimulatedBBB) -> AsyncIterator[Caller]:
    """A caller of the old one."""
    caller = Caller(old)
    async with caller.http:
        yield caller


@pytest.fixture
async def browser(bbb: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser."""
    async with bbb.browser() as http:
        yield http


@pytest.fixture
async def other_browser(bbb: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody else's browser."""
    async with bbb.browser() as http:
        yield http
