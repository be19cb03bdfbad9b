"""Pages for everybody: no finding of axe, nothing beside the screen, in each state and look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from commands.visits import Refused
from tests.web.world import (
    GUEST,
    PERSONAL,
    RECOGNISED,
    UNKNOWN,
    UNRECOGNISED,
    VIEWS,
    FakeJoining,
    World,
)

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: list[tuple[Literal["light", "dark"], int]] = [
    ("light", 390),
    ("light", 1280),
    ("dark", 390),
    ("dark", 1280),
]


def _as_it_is(_: FakeJoining) -> None:
    pass


@dataclass(frozen=True, slots=True)
class State:
    """A page: what is prepared, the link, and a text that only the pressed button brings."""

    name: str
    token: str
    prepare: Callable[[FakeJoining], None] = _as_it_is
    pressed: str = ""


def _others(joining: FakeJoining) -> None:
    joining.show(PERSONAL, others=("Bob", "Cy"), recorded=True)


def _guests(joining: FakeJoining) -> None:
    joining.show(UNRECOGNISED, guests=True)


def _chat_down(joining: FakeJoining) -> None:
    joining.chat_up = False


def _server_down(joining: FakeJoining) -> None:
    joining.server_up = False


def _not_member(joining: FakeJoining) -> None:
    joining.refusal = Refused("pages.refused.not-member", VIEWS[RECOGNISED])


STATES = [
    State("personal", PERSONAL),
    State("a browser of others", PERSONAL, _others),
    State("recognised", RECOGNISED),
    State("unrecognised", UNRECOGNISED),
    State("guests are welcome", UNRECOGNISED, _guests),
    State("guest", GUEST),
    State("leads nowhere", UNKNOWN),
    State("no name", PERSONAL, pressed="Please enter a name"),
    State("not a member", RECOGNISED, _not_member, pressed="not a member"),
    State("the chat is silent", RECOGNISED, _chat_down, pressed="chat does not answer"),
    State("the server is silent", PERSONAL, _server_down, pressed="every few seconds"),
    State("a guest waits", GUEST, pressed="takes you in"),
]


async def show(page: Page, base: str, state: State) -> None:
    await page.goto(f"{base}/j/{state.token}")
    if state.pressed:
        field = page.locator("#name")
        if await field.count():
            name = "" if state.name == "no name" else "Gus"
            await field.evaluate("(field, name) => { field.value = name }", name)
        await page.locator("form button").click(no_wait_after=True)
        await expect(page.get_by_text(state.pressed).last).to_be_visible()


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
async def test_everybody_can_use_the_page(
    state: State, world: World, base: str, chromium: Browser
) -> None:
    state.prepare(world.joining)
    # A colour half-way through its transition belongs to no look.
    page = await chromium.new_page(locale="en-GB", reduced_motion="reduce")
    await show(page, base, state)
    for scheme, width in LOOKS:
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size({"width": width, "height": 844})
        found = await Axe().run(page, options={"runOnly": RULES})
        assert found.violations_count == 0, found.generate_report()
    await page.close()


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
    page = await chromium.new_page(viewport={"width": 320, "height": 640})
    for path in (*(f"/j/{token}" for token in VIEWS), "/"):
        await page.goto(f"{base}{path}?lang={language}")
        measured = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        content, screen = await page.evaluate(measured)
        assert content <= screen, path


async def test_targets_are_large_enough_for_a_thumb(base: str, chromium: Browser) -> None:
    page = await chromium.new_page(viewport={"width": 390, "height": 844})
    await page.goto(f"{base}/j/{PERSONAL}")
    for target in await page.locator("a, button, summary, .remember label").all():
        box = await target.bounding_box()
        assert box and box["height"] >= 44, await target.inner_text()
