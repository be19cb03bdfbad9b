"""Chromium, a gateway on a real port, and a BBB that stands on another origin."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

import pytest_asyncio
from playwright.async_api import Browser, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.web.gateway import Gateway
from tests.requirements import require_chromium
from tests.web.world import World

LAUNCH = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# The browser outlives a test, so all of them run in its event loop.
in_one_loop = partial(pytest_asyncio.fixture, loop_scope="session")


@dataclass
class Bbb:
    """Where the button leads: `localhost`, so that it is another origin than `127.0.0.1`."""

    origin: str = ""
    joined: list[str] = field(default_factory=list)

    async def join(self, request: Request) -> Response:
        self.joined.append(str(request.url))
        return HTMLResponse("<!doctype html><title>BBB</title><h1>You are in the call</h1>")


@in_one_loop()
async def bbb(world: World) -> AsyncIterator[Bbb]:
    """A BBB that the gateway of this test leads to."""
    bbb = Bbb()
    app = Starlette(routes=[Route("/join", bbb.join)])
    gateway = Gateway(app, host="127.0.0.1", port=0, stop=world.stop)
    await gateway.start()
    bbb.origin = f"http://localhost:{gateway.port}"
    world.origins = (bbb.origin,)
    world.joining.way_in = f"{bbb.origin}/join?checksum=abc"
    yield bbb
    await gateway.stop()


@in_one_loop()
async def base(world: World, bbb: Bbb) -> AsyncIterator[str]:
    """The address of the gateway; settings of `world` are made in a fixture before it."""
    async with world.listening() as address:
        yield address


@in_one_loop(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One for all tests: it takes longer to start than most of them."""
    path = require_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=LAUNCH)
        yield browser
        await browser.close()
