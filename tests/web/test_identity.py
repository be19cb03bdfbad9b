"""Who a browser is taken for: forwarded links, shared machines, planted cookies, lost members."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx

from tests.scenario.scene import TEAM
from tests.web.house import House
from tests.web.world import Browser, set_cookies

COOKIE = "__Host-bbb-bot"


def joined_as(answer: httpx.Response) -> str:
    """The name under which the answer lets somebody in at BBB."""
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["fullName"][0]


async def signed_in(house: House, who: str, browser: Browser | None = None) -> Browser:
    """A browser in which this person pressed the button of a personal link and was remembered."""
    return await sign_in(browser or house.browser(), await house.personal_link(who))


async def sign_in(browser: Browser, link: str) -> Browser:
    answer = await browser.open_and_press(link, remember="on")
    assert COOKIE in set_cookies(answer)
    return browser


def plant(browser: Browser, value: str) -> None:
    """Somebody else puts a cookie into this browser."""
    browser.http.cookies.set(COOKIE, value, domain="calls.example.org", path="/")


async def remembered(house: House, browser: Browser) -> str:
    """Whom a page of a room takes this browser for; "" for nobody."""
    page = await browser.open(await house.room_link())
    names = [name for name in ("Alice Martin", "Bob Keller") if name in page.text]
    return names[0] if names else ""


async def test_opening_somebodys_personal_link_signs_nobody_in(house: House) -> None:
    browser = house.browser()
    for _ in range(3):
        page = await browser.open(await house.personal_link("bob"))
        assert "Bob Keller" in page.text
        assert COOKIE not in set_cookies(page)
    assert await remembered(house, browser) == ""


async def test_a_forwarded_personal_link_does_not_replace_who_is_known(house: House) -> None:
    browser = await signed_in(house, "alice")
    before = browser.http.cookies[COOKIE]
    forwarded = await house.personal_link("bob")
    page = await browser.open(forwarded)
    assert "You join as <strong><bdi>Bob Keller</bdi></strong>" in page.text
    assert "This browser already remembers <strong><bdi>Alice Martin</bdi></strong>" in page.text
    assert 'id="remember" name="remember" aria' in page.text  # not ticked by itself
    answer = await browser.press(forwarded)
    assert COOKIE not in set_cookies(answer)
    assert browser.http.cookies[COOKIE] == before
    assert await remembered(house, browser) == "Alice Martin"


async def test_two_people_on_one_machine_are_both_known_and_both_named(house: House) -> None:
    browser = await signed_in(house, "bob", await signed_in(house, "alice"))
    page = await browser.open(await house.personal_link("alice"))
    assert "You join as <strong><bdi>Alice Martin</bdi></strong>" in page.text
    assert "already remembers <strong><bdi>Bob Keller</bdi></strong>" in page.text
    assert joined_as(await browser.open_and_press(await house.room_link())) == "Bob Keller"
    await house.stage.removes("bob", TEAM)
    assert joined_as(await browser.open_and_press(await house.room_link())) == "Alice Martin"


async def test_a_cookie_that_somebody_else_knows_opens_nothing_later(house: House) -> None:
    """Login fixation: Mallory plants the cookie of a browser of hers before Bob signs in."""
    house.stage.chat.channels[TEAM].members.add("mallory")
    hers = await signed_in(house, "mallory")
    planted = hers.http.cookies[COOKIE]
    house.stage.chat.channels[TEAM].members.discard("mallory")
    his = house.browser()
    plant(his, planted)
    await signed_in(house, "bob", his)
    assert his.http.cookies[COOKIE] != planted
    thief = house.browser()
    plant(thief, planted)
    assert await remembered(house, thief) == ""
    invented = house.browser()
    plant(invented, "x" * 43)
    await signed_in(house, "alice", invented)
    assert invented.http.cookies[COOKIE] != "x" * 43


async def test_three_browsers_a_person_each_told_and_all_revocable(house: House) -> None:
    browsers = [await signed_in(house, "bob") for _ in range(4)]
    told = [text for text in await house.scene.told("bob") if "a browser was signed in" in text]
    assert len(told) == 4
    known = [await remembered(house, browser) for browser in browsers]
    assert known == ["", "Bob Keller", "Bob Keller", "Bob Keller"]
    await house.scene.says("bob", "!bbb forget-me")
    assert [await remembered(house, browser) for browser in browsers] == [""] * 4


async def test_a_removed_member_is_refused_at_the_next_click(house: House) -> None:
    browser, personal = await signed_in(house, "bob"), await house.personal_link("bob")
    room = await house.room_link()
    assert joined_as(await browser.open_and_press(room)) == "Bob Keller"
    await house.stage.removes("bob", TEAM)
    house.begin_counting()
    refused = await browser.open_and_press(room)
    assert refused.status_code == 422 and "not a member of this channel" in refused.text
    await browser.open(room)
    assert (await browser.press(personal)).status_code == 404
    assert (house.bbb_calls, house.store.writes) == (0, {})  # refused, and without any effect


async def test_a_banned_member_is_refused_even_when_invited(house: House) -> None:
    room = await house.room_link()
    await house.scene.says("alice", "!bbb invite @carol")
    browser = await sign_in(house.browser(), await house.newest_link("carol"))
    assert joined_as(await browser.open_and_press(room)) == "Carol Dubois"
    house.stage.chat.channels[TEAM].banned.add("carol")
    assert (await browser.open_and_press(room)).status_code == 422


async def test_who_joins_is_never_taken_from_the_form(house: House) -> None:
    await house.room_link()  # Alice has opened the call
    browser = house.browser()
    await browser.open(await house.personal_link("bob"))
    extra = {"person": "alice", "role": "MODERATOR", "userID": "p-1", "moderator": "on"}
    answer = await browser.press(await house.personal_link("bob"), extra)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (query["fullName"], query["role"]) == (["Bob Keller"], ["VIEWER"])
    assert query["userID"] != ["p-1"]
