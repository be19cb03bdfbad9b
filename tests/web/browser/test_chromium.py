"""A real browser: into the call, through the wait with and without script, by keyboard alone."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.web.browser.conftest import Bbb
from tests.web.world import GUEST, PERSONAL, RECOGNISED, World

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

IN_THE_CALL = "You are in the call"


async def opened(chromium: Browser, address: str, *, script: bool = True) -> Page:
    context = await chromium.new_context(java_script_enabled=script, locale="en-GB")
    page = await context.new_page()
    await page.goto(address)
    return page


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_one_click_leads_into_the_call(
    script: bool, world: World, base: str, bbb: Bbb, chromium: Browser
) -> None:
    page = await opened(chromium, f"{base}/j/{PERSONAL}", script=script)
    await page.get_by_role("button", name="Join the call").click()
    await expect(page.get_by_role("heading", name=IN_THE_CALL)).to_be_visible()
    assert [press.remember for press in world.joining.presses] == [True]
    assert len(bbb.joined) == 1


async def test_a_bbb_that_the_policy_does_not_name_is_not_reached(
    world: World, bbb: Bbb, chromium: Browser
) -> None:
    """Else the test above would prove nothing about the policy."""
    world.origins = ("https://bbb.example.org",)
    async with world.listening() as base:
        page = await opened(chromium, f"{base}/j/{PERSONAL}")
        async with page.expect_console_message(lambda said: "form-action" in said.text):
            await page.get_by_role("button", name="Join the call").click(no_wait_after=True)
    assert bbb.joined == []


async def test_a_browser_that_was_signed_in_is_known_again(
    world: World, base: str, chromium: Browser
) -> None:
    world.joining.sign_in = "a-random-secret"
    page = await opened(chromium, f"{base}/j/{PERSONAL}")
    await page.get_by_role("button", name="Join the call").click()
    await expect(page.get_by_role("heading", name=IN_THE_CALL)).to_be_visible()
    await page.goto(f"{base}/j/{RECOGNISED}")
    await page.get_by_role("button", name="Join the call").click()
    await expect(page.get_by_role("heading", name=IN_THE_CALL)).to_be_visible()
    assert world.joining.presses[-1].cookie == "a-random-secret"


async def test_with_script_the_page_enters_by_itself(
    world: World, base: str, bbb: Bbb, chromium: Browser
) -> None:
    page = await opened(chromium, f"{base}/j/{GUEST}")
    await page.get_by_label("Your name").fill("Gus")
    await page.get_by_role("button", name="Join the call").click(no_wait_after=True)
    await expect(page.get_by_text("This page takes you in as soon as somebody is")).to_be_visible()
    await expect(page).to_have_title("Waiting – Weekly stand-up")
    assert bbb.joined == []
    world.joining.started = True
    await expect(page.get_by_role("heading", name=IN_THE_CALL)).to_be_visible()
    assert [press.name for press in world.joining.presses] == ["Gus", "Gus"]


async def test_with_script_the_page_tries_a_silent_server_again_by_itself(
    world: World, base: str, chromium: Browser
) -> None:
    world.joining.server_up, world.joining.started = False, True
    page = await opened(chromium, f"{base}/j/{PERSONAL}")
    await page.get_by_role("button", name="Join the call").click(no_wait_after=True)
    await expect(page.get_by_text("This page tries again every few seconds")).to_be_visible()
    world.joining.server_up = True
    await expect(page.get_by_role("heading", name=IN_THE_CALL)).to_be_visible()


async def test_a_page_that_waits_survives_a_restart_of_the_bot(
    world: World, bbb: Bbb, chromium: Browser
) -> None:
    async with world.listening() as base:
        page = await opened(chromium, f"{base}/j/{GUEST}")
        await page.get_by_label("Your name").fill("Gus")
        await page.get_by_role("button", name="Join the call").click(no_wait_after=True)
        await expect(page.get_by_text("This page takes you in")).to_be_visible()
    world.stop.clear()
    world.joining.started = True
    async with world.listening(port=int(base.rpartition(":")[2])):
        inside = page.get_by_role("heading", name=IN_THE_CALL)
        await expect(inside).to_be_visible(timeout=15_000)


async def test_without_script_the_page_gets_a_button_of_ours(
    world: World, base: str, chromium: Browser
) -> None:
    page = await opened(chromium, f"{base}/j/{GUEST}", script=False)
    await page.get_by_label("Your name").fill("Gus")
    await page.get_by_role("button", name="Join the call").click(no_wait_after=True)
    await expect(page.get_by_text("a button appears here")).to_be_visible()
    assert await page.locator("#by-itself").is_hidden()
    world.joining.started = True
    await expect(page.get_by_text("The call has started.")).to_be_visible()
    await expect(page.get_by_text("a button appears here")).to_be_hidden()
    await page.get_by_role("button", name="Join the call").click()
    await expect(page.get_by_role("heading", name=IN_THE_CALL)).to_be_visible()


async def test_the_keyboard_alone_is_enough(world: World, base: str, chromium: Browser) -> None:
    page = await opened(chromium, f"{base}/j/{PERSONAL}")
    visited = []
    for _ in range(6):
        await page.keyboard.press("Tab")
        visited.append(await page.evaluate("document.activeElement.innerText || 'box'"))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert await page.evaluate(outline) == "solid"
    rename, button = "Add something to your name", "Join the call"
    assert visited == ["English", "Français", "Deutsch", rename, "box", button]
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=IN_THE_CALL)).to_be_visible()


async def test_the_focus_goes_to_what_went_wrong_and_from_there_to_the_field(
    base: str, chromium: Browser
) -> None:
    page = await opened(chromium, f"{base}/j/{GUEST}")
    await page.get_by_label("Your name").fill(" ")
    await page.locator("form").evaluate("form => { form.noValidate = true }")
    await page.get_by_label("Your name").evaluate("field => { field.value = '' }")
    await page.get_by_role("button", name="Join the call").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    assert await page.title() == "Please check – Weekly stand-up"
    await page.get_by_role("link", name="Please enter a name").click()
    await expect(page.get_by_label("Your name")).to_be_focused()


async def test_from_the_summary_the_keyboard_reaches_the_box_to_tick(
    world: World, base: str, chromium: Browser
) -> None:
    world.joining.show(PERSONAL, recorded=True, consent=True)
    page = await opened(chromium, f"{base}/j/{PERSONAL}")
    await page.locator("form").evaluate("form => { form.noValidate = true }")
    await page.get_by_role("button", name="Join the call").press("Enter")
    await expect(page.get_by_role("alert")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("I agree that I am recorded")).to_be_focused()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=IN_THE_CALL)).to_be_visible()
    assert [press.consent for press in world.joining.presses] == [False, True]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_a_full_call_takes_one_in_when_somebody_has_left(
    script: bool, world: World, base: str, chromium: Browser
) -> None:
    world.joining.full, world.joining.started = True, True
    page = await opened(chromium, f"{base}/j/{PERSONAL}", script=script)
    await page.get_by_role("button", name="Join the call").click(no_wait_after=True)
    await expect(page.get_by_text("The call is full.")).to_be_visible()
    world.joining.full = False
    if not script:
        await expect(page.get_by_text("A place is free.")).to_be_visible()
        await page.get_by_role("button", name="Join the call").click()
    await expect(page.get_by_role("heading", name=IN_THE_CALL)).to_be_visible()


async def test_names_from_right_to_left_turn_nothing_around_them(
    world: World, base: str, chromium: Browser
) -> None:
    world.joining.show(PERSONAL, topic="ישיבה (7)", name="دعاء", others=("דוד", "Bob"))
    page = await opened(chromium, f"{base}/j/{PERSONAL}")
    for name in ("ישיבה (7)", "دعاء", "דוד"):
        isolated = page.locator("bdi", has_text=name).first
        assert await isolated.evaluate("name => getComputedStyle(name).unicodeBidi") == "isolate"
    await page.get_by_text("Add something to your name").click()
    assert await page.get_by_label("Shown after your name").get_attribute("dir") == "auto"
