"""Pages for everybody: no finding of axe, nothing beside the screen, in each state and look."""

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.web.browser.looks import STATES, State, show
from tests.web.world import GUEST, PERSONAL, VIEWS, World

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: list[tuple[Literal["light", "dark"], int]] = [("light", 390), ("dark", 1280)]
NARROW = 320


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
async def test_everybody_can_use_the_page(
    state: State, world: World, base: str, chromium: Browser
) -> None:
    state.prepare(world)
    # A colour half-way through its transition belongs to no look.
    page = await chromium.new_page(locale="en-GB", reduced_motion="reduce")
    await show(page, base, state)
    for scheme, width in LOOKS:
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size({"width": width, "height": 844})
        found = await Axe().run(page, options={"runOnly": RULES})
        assert found.violations_count == 0, found.generate_report()
    await page.set_viewport_size({"width": NARROW, "height": 640})
    assert await beside(page) == 0
    assert await page.title() and await page.locator("h1").count() == 1
    if await page.locator(".problem").count():
        await expect(page.get_by_role("alert")).to_be_focused()
    await page.close()


async def beside(page: Page) -> int:
    """Pixels of the page that stand beside the screen."""
    screen = "document.documentElement"
    return int(await page.evaluate(f"Math.max(0, {screen}.scrollWidth - {screen}.clientWidth)"))


async def test_axe_would_see_a_field_without_a_label(
    world: World, base: str, chromium: Browser
) -> None:
    page = await chromium.new_page()
    await page.goto(f"{base}/j/{GUEST}")
    await page.evaluate("document.querySelector('label').remove()")
    found = await Axe().run(page, options={"runOnly": RULES})
    assert "label" in [finding["id"] for finding in found.response["violations"]]


@pytest.mark.parametrize("language", ["en", "fr", "de"])
async def test_nothing_stands_beside_a_narrow_screen(
    language: str, world: World, base: str, chromium: Browser
) -> None:
    long = "Besprechungsraumverwaltungsvorstandssitzung" * 2
    for token in VIEWS:
        world.joining.show(token, topic=long, name=long[:64], others=(long,), guests=True)
    page = await chromium.new_page(viewport={"width": NARROW, "height": 640})
    for path in (*(f"/j/{token}" for token in VIEWS), "/"):
        await page.goto(f"{base}{path}?lang={language}")
        assert await beside(page) == 0, path


async def test_targets_are_large_enough_for_a_thumb(base: str, chromium: Browser) -> None:
    page = await chromium.new_page(viewport={"width": 390, "height": 844})
    await page.goto(f"{base}/j/{PERSONAL}")
    for target in await page.locator("a, button, summary, .tick label").all():
        box = await target.bounding_box()
        assert box and box["height"] >= 44, await target.inner_text()
