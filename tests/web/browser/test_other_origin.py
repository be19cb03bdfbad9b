"""A page on another origin, in a real browser: it cannot press, not frame, not read, not plant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.web.gateway import Gateway
from tests.web.browser.conftest import in_one_loop
from tests.web.world import PERSONAL, RECOGNISED, World

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@dataclass
class Evil:
    """A site of somebody else; `page` is what it serves.

    `neighbour` is the same server as another origin of our own site, whence our cookies are sent.
    """

    origin: str = ""
    neighbour: str = ""
    page: str = ""
    asked: list[str] = field(default_factory=list)

    async def show(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return HTMLResponse(f"<!doctype html><title>Evil</title>{self.page}")


@in_one_loop()
async def evil(world: World) -> AsyncIterator[Evil]:
    """On `localhost`, so that it is another site than `127.0.0.1`."""
    evil = Evil()
    app = Starlette(routes=[Route("/{path:path}", evil.show)])
    gateway = Gateway(app, host="127.0.0.1", port=0, stop=world.stop)
    await gateway.start()
    evil.origin = f"http://localhost:{gateway.port}"
    evil.neighbour = f"http://127.0.0.1:{gateway.port}"
    yield evil
    await gateway.stop()


async def victim(chromium: Browser, base: str, world: World) -> Page:
    """Somebody who is signed in and has a page of ours open: nonce and cookie are there."""
    world.joining.sign_in = "a-random-secret"
    context = await chromium.new_context(locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{base}/j/{PERSONAL}")
    await page.get_by_role("button", name="Join the call").click()
    await expect(page.get_by_role("heading", name="You are in the call")).to_be_visible()
    await page.goto(f"{base}/j/{PERSONAL}")
    world.joining.presses.clear()
    return page


def form_to(base: str, token: str, nonce: str = "") -> str:
    return (
        f'<form method="post" action="{base}/j/{token}">'
        f'<input name="nonce" value="{nonce}"><input name="remember" value="on">'
        "<button>Win a prize</button></form>"
    )


@pytest.mark.parametrize("where", ["origin", "neighbour"])
async def test_a_form_elsewhere_presses_nothing(
    where: str, world: World, base: str, evil: Evil, chromium: Browser
) -> None:
    page = await victim(chromium, base, world)
    nonce = await page.locator("input[name=nonce]").first.get_attribute("value") or ""
    for token in (PERSONAL, RECOGNISED):
        evil.page = form_to(base, token, nonce)  # even if the nonce were known
        await page.goto(getattr(evil, where))
        async with page.expect_response(lambda answer: "/j/" in answer.url) as answered:
            await page.get_by_role("button").click()
        assert (await answered.value).status == 403
        await expect(page.get_by_text("For your safety the button works only")).to_be_visible()
    assert world.joining.presses == []


async def test_a_script_elsewhere_presses_nothing_and_reads_nothing(
    world: World, base: str, evil: Evil, chromium: Browser
) -> None:
    page = await victim(chromium, base, world)
    evil.page = "<p>Nothing to see</p>"
    await page.goto(evil.origin)
    tried = """async (address) => {
        const said = [];
        for (const options of [
            {}, {credentials: "include"}, {mode: "no-cors", credentials: "include"},
            {method: "POST", mode: "no-cors", credentials: "include",
             body: new URLSearchParams({nonce: "", remember: "on"})},
        ]) {
            try {
                const answer = await fetch(address, options);
                said.push(await answer.text());
            } catch (error) { said.push("refused"); }
        }
        return said;
    }"""
    assert set(await page.evaluate(tried, f"{base}/j/{PERSONAL}")) <= {"refused", ""}
    assert world.joining.presses == []


async def test_our_page_is_shown_in_no_frame(
    world: World, base: str, evil: Evil, chromium: Browser
) -> None:
    page = await victim(chromium, base, world)
    evil.page = f'<iframe src="{base}/j/{PERSONAL}"></iframe>'
    async with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        await page.goto(evil.origin)
    assert world.joining.presses == []


async def test_another_site_does_not_learn_where_somebody_came_from(
    world: World, base: str, evil: Evil, chromium: Browser
) -> None:
    """The link stands in the path, so no page of ours tells its address."""
    world.joining.show(RECOGNISED, back=f"{evil.origin}/chat", ended_at=world.clock())
    context = await chromium.new_context(locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{base}/j/{RECOGNISED}")
    await page.get_by_role("link", name="Back to the chat").click()
    await page.wait_for_url(f"{evil.origin}/chat")
    assert await page.evaluate("document.referrer") == ""
    assert evil.asked[0] == "/chat"
