"""The whole demo on a stage, and a Chromium to open it in."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from bot.demo.main import TOUR_SPEED
from bot.demo.stage import Stage
from tests.requirements import require_chromium

LAUNCH = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage(speed=TOUR_SPEED) as stage:
        yield stage


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    path = require_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=LAUNCH)
        yield browser
        await browser.close()
