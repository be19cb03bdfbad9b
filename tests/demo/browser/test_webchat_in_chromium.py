"""The demo as somebody meets it: type, click, arrive as yourself; the other window follows."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from bot.demo.stage import Stage

pytestmark = pytest.mark.browser

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SOON_MS = 15_000
expect.set_options(timeout=SOON_MS)


def window(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


async def type_in(page: Page, name: str, text: str) -> None:
    box = page.get_by_label(f"Message as {name}")
    await box.fill(text)
    await box.press("Enter")


def card(page: Page, name: str) -> Locator:
    return window(page, name).locator(".message", has=page.get_by_role("button", name="React"))


async def follow(page: Page, link: Locator) -> Page:
    """Open a link of the chat, which opens beside it, and press the button there."""
    async with page.context.expect_page() as opened:
        await link.click()
    door = await opened.value
    await door.get_by_role("button", name="Join the call").click()
    await expect(door).to_have_url(re.compile("/html5client/"))
    return door


async def direct_link(page: Page, name: str) -> Locator:
    view = window(page, name)
    await expect(view.get_by_role("tab", name="1 unread")).to_be_visible()
    await view.get_by_role("tab", name="Direct").click()
    return view.get_by_role("link").last


async def back_to_the_channel(page: Page, name: str) -> None:
    await window(page, name).get_by_role("tab", name="#team").click()


async def test_both_join_by_their_links_as_who_they_are_and_each_window_follows(
    stage: Stage, chromium: Browser
) -> None:
    page = await chromium.new_page()
    await page.goto(stage.web)
    await type_in(page, "Alice Martin", "!bbb")
    await expect(card(page, "Bob Keller")).to_contain_text("nobody is inside yet")

    await type_in(page, "Alice Martin", "!bbb join")
    alice = await follow(page, await direct_link(page, "Alice Martin"))
    await expect(alice.get_by_role("main")).to_contain_text("as Alice Martin (moderator)")
    assert alice.url.startswith(stage.video)
    await expect(card(page, "Bob Keller")).to_contain_text("1 person in the call")
    await expect(card(page, "Bob Keller")).to_have_count(1)

    await type_in(page, "Bob Keller", "!bbb join")
    bob = await follow(page, await direct_link(page, "Bob Keller"))
    await expect(bob.get_by_role("main")).to_contain_text("as Bob Keller (viewer)")
    await back_to_the_channel(page, "Alice Martin")
    await expect(card(page, "Alice Martin")).to_contain_text("2 people in the call")
    await expect(alice.get_by_role("main")).to_contain_text("2 in the meeting")

    await bob.get_by_role("button", name="Leave").click()
    await bob.get_by_role("link", name="Go back").click()
    await expect(bob.get_by_role("heading", level=1)).to_have_text("bbb-bot, to try out")
    await back_to_the_channel(page, "Bob Keller")
    await expect(card(page, "Bob Keller")).to_contain_text("1 person in the call")


async def test_the_button_under_a_card_brings_the_personal_link(
    stage: Stage, chromium: Browser
) -> None:
    page = await chromium.new_page()
    await page.goto(stage.web)
    await type_in(page, "Alice Martin", "!bbb")
    await card(page, "Bob Keller").get_by_role("button", name="React with ▶").click()
    link = await direct_link(page, "Bob Keller")
    await expect(link).to_have_attribute("href", re.compile(re.escape(f"{stage.pages}/j/")))
    await expect(window(page, "Bob Keller").get_by_role("tab", name="unread")).to_have_count(0)


async def test_hints_are_put_into_the_line_and_nothing_is_sent_by_them(
    stage: Stage, chromium: Browser
) -> None:
    page = await chromium.new_page()
    await page.goto(stage.web)
    await window(page, "Bob Keller").get_by_role("button", name="!bbb call @alice").click()
    box = page.get_by_label("Message as Bob Keller")
    await expect(box).to_have_value("!bbb call @alice")
    await expect(box).to_be_focused()
    assert not stage.chat.posts


async def test_the_keyboard_is_enough(stage: Stage, chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.goto(stage.web)
    tab = window(page, "Alice Martin").get_by_role("tab", name="#team")
    await tab.focus()
    await page.keyboard.press("ArrowRight")
    direct = window(page, "Alice Martin").get_by_role("tab", name="Direct")
    await expect(direct).to_be_focused()
    await expect(direct).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Tab")
    await expect(window(page, "Alice Martin").get_by_role("tabpanel")).to_be_focused()


async def test_hostile_names_and_words_stay_text(stage: Stage, chromium: Browser) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\">"
    stage.chat.people["bob"] = hostile
    page = await chromium.new_page()
    await page.goto(stage.web)
    await type_in(page, "Alice Martin", hostile)
    await expect(window(page, "Alice Martin").locator(".said").first).to_have_text(hostile)
    assert await page.locator("img").count() == 0
    assert await page.title() == "bbb-bot, to try out"


async def test_a_page_opened_later_shows_what_was_said_before(
    stage: Stage, chromium: Browser
) -> None:
    await stage.chat.says("alice", "#team", "hello")
    page = await chromium.new_page()
    await page.goto(stage.web)
    await expect(window(page, "Bob Keller").locator(".message")).to_have_count(1)


@pytest.fixture(params=["light", "dark"])
def colours(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[(1280, 800), (390, 844), (320, 640)], ids=["wide", "phone", "tiny"])
def size(request: pytest.FixtureRequest) -> dict[str, int]:
    width, height = request.param
    return {"width": width, "height": height}


async def drawn(chromium: Browser, stage: Stage, **settings: object) -> BrowserContext:
    context = await chromium.new_context(reduced_motion="reduce", **settings)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(stage.web)
    await type_in(page, "Alice Martin", "!bbb")
    await type_in(page, "Bob Keller", "!bbb join")
    await expect(card(page, "Alice Martin")).to_be_visible()
    await expect(window(page, "Bob Keller").get_by_role("tab", name="1 unread")).to_be_visible()
    return context


async def test_it_is_accessible_and_fits(
    stage: Stage, chromium: Browser, colours: str, size: dict[str, int]
) -> None:
    context = await drawn(chromium, stage, color_scheme=colours, viewport=size)
    (page,) = context.pages
    found = await Axe().run(page, options=AXE)
    assert found.violations_count == 0, found.generate_report()
    root = "document.documentElement"
    assert await page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")


async def test_the_check_of_access_can_fail(stage: Stage, chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.goto(stage.web)
    await page.evaluate("document.querySelectorAll('form label').forEach((l) => l.remove())")
    await page.evaluate("document.querySelectorAll('input').forEach((i) => (i.placeholder = ''))")
    found = await Axe().run(page, options=AXE)
    assert "label" in {rule["id"] for rule in found.response["violations"]}
