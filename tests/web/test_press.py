"""The button: only a POST from our own page does anything, and where it leads."""

import asyncio
from datetime import timedelta

import pytest

from commands.visits import Busy, Press, Refused
from tests.web.world import (
    GUEST,
    PERSONAL,
    PUBLIC,
    RECOGNISED,
    UNKNOWN,
    VIEWS,
    WAY_IN,
    Browser,
    World,
    set_cookies,
)

PREVIEWERS = [
    "Synapse (bot; +https://github.com/matrix-org/synapse)",
    "Rocket.Chat/6.14 (RocketChat; oEmbed)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "facebookexternalhit/1.1",
]


@pytest.mark.parametrize("agent", PREVIEWERS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
async def test_robots_press_nothing(
    method: str, agent: str, world: World, browser: Browser
) -> None:
    paths = [f"/j/{token}{rest}" for token in (*VIEWS, UNKNOWN) for rest in ("", "?remember=on")]
    if method != "GET":  # that would wait
        paths += [f"/j/{token}/live" for token in VIEWS]
    async with asyncio.timeout(10):
        for path in paths:
            answer = await browser.http.request(method, path, headers={"User-Agent": agent})
            assert answer.status_code in (200, 404, 405)
            assert not answer.is_redirect
    assert world.joining.presses == []


async def test_head_answers_as_get_without_the_page(browser: Browser) -> None:
    shown, head = await browser.open(PERSONAL), await browser.http.head(f"/j/{PERSONAL}")
    assert head.status_code == 200
    assert head.headers["content-type"] == shown.headers["content-type"]


async def test_the_button_leads_to_bbb_with_the_address_as_it_was_signed(
    world: World, browser: Browser
) -> None:
    answer = await browser.open_and_press(PERSONAL, name="Ana", remember="on")
    assert answer.status_code == 303
    assert answer.headers["location"] == WAY_IN
    assert answer.content == b""
    assert world.joining.presses == [Press(PERSONAL, cookie=None, name="Ana", remember=True)]


async def test_what_is_not_in_the_form_is_not_made_up(world: World, browser: Browser) -> None:
    await browser.open_and_press(RECOGNISED)
    assert world.joining.presses == [Press(RECOGNISED, cookie=None, name=None, remember=False)]


async def test_a_browser_is_signed_in_only_by_the_core(world: World, browser: Browser) -> None:
    plain = await browser.open_and_press(PERSONAL, remember="on")
    assert "__Host-bbb-bot" not in set_cookies(plain)
    world.joining.sign_in = "a-random-secret"
    answer = await browser.open_and_press(PERSONAL, remember="on")
    expected = ["httponly", "max-age=2592000", "path=/", "samesite=lax", "secure"]
    assert set_cookies(answer)["__Host-bbb-bot"] == expected
    await browser.open_and_press(RECOGNISED)
    assert world.joining.presses[-1].cookie == "a-random-secret"


async def test_on_this_machine_cookies_work_without_https(world: World) -> None:
    world.public_url = "http://127.0.0.1:8080"
    world.joining.sign_in = "a-random-secret"
    browser = Browser(world.app(), base=world.public_url)
    answer = await browser.open_and_press(PERSONAL, remember="on")
    expected = ["httponly", "max-age=2592000", "path=/", "samesite=lax"]
    assert set_cookies(answer)["bbb-bot"] == expected


async def test_the_nonce_is_a_strict_cookie_that_the_page_sets(browser: Browser) -> None:
    page = await browser.open(PERSONAL)
    cookies = set_cookies(page)
    assert cookies["__Host-bbb-bot-form"] == ["httponly", "path=/", "samesite=strict", "secure"]
    assert len(browser.nonce) == 22


async def test_two_pages_of_one_browser_both_stay_usable(browser: Browser) -> None:
    await browser.open(PERSONAL)
    first = browser.nonce
    await browser.open(RECOGNISED)
    assert (await browser.press(PERSONAL, {"nonce": first})).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="a neighbour of the same site"),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC}, id="another site that names ours"
        ),
        pytest.param({"Origin": "https://evil.example"}, id="an old browser, another site"),
        pytest.param({"Origin": "null"}, id="an old browser, a sandboxed frame"),
        pytest.param({}, id="nobody knows where from"),
    ],
)
async def test_a_page_elsewhere_cannot_press(
    headers: dict[str, str], world: World, browser: Browser
) -> None:
    await browser.open(PERSONAL)
    answer = await browser.press(PERSONAL, headers=headers)
    assert answer.status_code == 403
    assert "Please press it once more" in answer.text
    assert world.joining.presses == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-Fetch-Site": "none"}, id="loaded again by the person"),
        pytest.param({"Origin": PUBLIC}, id="an old browser"),
        pytest.param({"Origin": PUBLIC.upper()}, id="an old browser that shouts"),
    ],
)
async def test_our_own_page_can_press(headers: dict[str, str], browser: Browser) -> None:
    await browser.open(PERSONAL)
    assert (await browser.press(PERSONAL, headers=headers)).status_code == 303


@pytest.mark.parametrize("nonce", ["", "x" * 22, "é", "other"])
async def test_a_form_without_the_pages_nonce_does_nothing(
    nonce: str, world: World, browser: Browser
) -> None:
    await browser.open(PERSONAL)
    answer = await browser.press(PERSONAL, {"nonce": nonce})
    assert answer.status_code == 403
    assert world.joining.presses == []


async def test_without_the_cookie_an_empty_nonce_does_not_fit(
    world: World, browser: Browser
) -> None:
    answer = await browser.press(PERSONAL, {"nonce": ""})
    assert answer.status_code == 403
    assert world.joining.presses == []


async def test_after_a_stale_page_one_more_press_is_enough(browser: Browser) -> None:
    stale = await browser.press(PERSONAL)
    assert stale.status_code == 403
    await browser.open(PERSONAL)
    assert (await browser.press(PERSONAL)).status_code == 303


async def test_a_refusal_names_the_field_and_keeps_what_was_typed(
    world: World, browser: Browser
) -> None:
    world.joining.show(PERSONAL, name="")
    page = await browser.open_and_press(PERSONAL, name="")
    assert page.status_code == 422
    assert 'role="alert" tabindex="-1" autofocus' in page.text
    assert '<a href="#name">Please enter a name' in page.text
    assert 'aria-describedby="name-problem name-hint" aria-invalid="true"' in page.text
    assert 'name="remember" aria' in page.text  # it was not ticked


async def test_a_refused_addition_to_a_name_stands_in_the_open_field(
    world: World, browser: Browser
) -> None:
    key = "pages.refused.name-long"
    world.joining.refusal = Refused(key, VIEWS[PERSONAL], field="name")
    page = await browser.open_and_press(PERSONAL, name="x" * 99)
    assert page.status_code == 422
    assert '<details class="rename" open>' in page.text
    assert f'value="{"x" * 80}" dir="auto" autocomplete="off" maxlength="80"' in page.text
    assert "at most 80 characters" in page.text


async def test_who_will_be_recorded_agrees_first(world: World, browser: Browser) -> None:
    world.joining.show(PERSONAL, recorded=True, consent=True)
    assert '<input type="checkbox" id="consent" name="consent" required>' in (
        (await browser.open(PERSONAL)).text
    )
    page = await browser.press(PERSONAL, {"remember": "on"})
    assert page.status_code == 422
    assert '<a href="#consent">This call may be recorded.' in page.text
    assert 'aria-invalid="true" aria-describedby="consent-problem"' in page.text
    assert 'name="remember" checked' in page.text
    assert (await browser.press(PERSONAL, {"consent": "on"})).status_code == 303
    assert [press.consent for press in world.joining.presses] == [False, True]


async def test_what_was_agreed_to_holds_through_the_wait(world: World, browser: Browser) -> None:
    world.joining.show(GUEST, recorded=True, consent=True)
    world.stop.set()
    page = await browser.open_and_press(GUEST, name="Gus", consent="on")
    assert page.text.count('<input type="hidden" name="consent" value="on">') == 2


async def test_who_presses_all_the_time_is_told_when_it_helps_again(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def press(_: Press) -> Busy:
        return Busy(timedelta(seconds=3.2))

    monkeypatch.setattr(world.joining, "press", press)
    answer = await browser.open_and_press(PERSONAL)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "4")


async def test_a_link_that_died_meanwhile_is_the_same_404(world: World, browser: Browser) -> None:
    dead = await browser.open(UNKNOWN)
    await browser.open(PERSONAL)
    del world.joining.views[PERSONAL]
    answer = await browser.press(PERSONAL)
    assert (answer.status_code, answer.content) == (404, dead.content)


async def test_when_the_chat_cannot_be_asked_nobody_is_let_in(
    world: World, browser: Browser
) -> None:
    world.joining.chat_up = False
    page = await browser.open_and_press(PERSONAL, name="Ana", remember="on")
    assert page.status_code == 503
    assert page.headers["retry-after"] == "5"
    assert '<input type="hidden" name="name" value="Ana">' in page.text
    assert '<input type="hidden" name="remember" value="on">' in page.text
    assert "bigbluebutton" not in page.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        pytest.param(b"x" * 9000, "application/x-www-form-urlencoded", 413, id="too long"),
        pytest.param(b"a=1&" * 30, "application/x-www-form-urlencoded", 400, id="many fields"),
        pytest.param(b"\xff=1", "application/x-www-form-urlencoded", 400, id="no text"),
        pytest.param(b"{}", "application/json", 415, id="not a form"),
        pytest.param(b"", "", 415, id="nothing"),
    ],
)
async def test_what_no_form_of_ours_sends_is_refused(
    content: bytes, kind: str, status: int, world: World, browser: Browser
) -> None:
    answer = await browser.http.post(f"/j/{GUEST}", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert "<h1>This request was not understood</h1>" in answer.text
    assert world.joining.presses == []


async def test_presses_are_counted_by_what_came_of_them(world: World, browser: Browser) -> None:
    await browser.open_and_press(PERSONAL)
    await browser.open_and_press(GUEST, name="")
    world.stop.set()
    await browser.open_and_press(GUEST, name="Gus")
    counted = world.metrics.page().decode()
    for outcome in ("joined", "refused", "waits_for_start"):
        assert f'bbb_bot_joins_total{{outcome="{outcome}"}} 1.0' in counted
