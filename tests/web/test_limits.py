"""Limits come before any look; proxies are believed only when they are trusted."""

import pytest

from bot.web.limits import Limits
from tests.web.world import PERSONAL, RECOGNISED, UNKNOWN, Browser, World


async def test_an_address_that_asks_too_often_waits(world: World) -> None:
    world.limits = Limits(per_address=3)
    browser = Browser(world.app())
    assert [(await browser.open(PERSONAL)).status_code for _ in range(4)] == [200] * 3 + [429]
    assert len(world.joining.looks) == 3
    late = await browser.open(PERSONAL)
    assert late.headers["retry-after"] == "20"
    assert "One moment, please" in late.text
    world.clock.forward(seconds=20)
    assert (await browser.open(PERSONAL)).status_code == 200


async def test_a_link_that_is_asked_for_too_often_waits_but_others_do_not(world: World) -> None:
    world.limits = Limits(per_link=2)
    app = world.app()
    crowd = [Browser(app, address=f"198.51.100.{n}") for n in range(3)]
    assert [(await b.open(PERSONAL)).status_code for b in crowd] == [200, 200, 429]
    assert (await crowd[0].open(RECOGNISED)).status_code == 200


async def test_pressing_is_limited_before_the_core_hears_of_it(world: World) -> None:
    world.limits = Limits(per_address=2)
    browser = Browser(world.app())
    await browser.open_and_press(PERSONAL)
    assert (await browser.press(PERSONAL)).status_code == 429
    assert len(world.joining.presses) == 1


async def test_guessing_links_ends_after_twenty_in_a_minute(world: World) -> None:
    app = world.app()
    browser, other = Browser(app), Browser(app, address="203.0.113.9")
    seen = [(await browser.open(f"{UNKNOWN[:-2]}{n:02}")).status_code for n in range(22)]
    assert seen == [404] * 20 + [429] * 2
    assert (await browser.open(PERSONAL)).status_code == 429  # a hit would tell
    assert (await other.open(PERSONAL)).status_code == 200
    world.clock.forward(seconds=4)
    assert (await browser.open(PERSONAL)).status_code == 200


async def test_pages_that_browsers_ask_for_by_themselves_are_no_guesses(world: World) -> None:
    browser = Browser(world.app())
    for _ in range(30):
        await browser.get("/favicon.ico")
    assert (await browser.open(PERSONAL)).status_code == 200


@pytest.mark.parametrize(
    ("nearest", "forwarded", "same"),
    [
        pytest.param("127.0.0.1", ["203.0.113.1"], "203.0.113.1", id="a trusted proxy"),
        pytest.param("127.0.0.1", ["6.6.6.6, 203.0.113.1"], "203.0.113.1", id="what it was told"),
        pytest.param(
            "127.0.0.1", ["6.6.6.6", "203.0.113.1, 10.0.0.4"], "203.0.113.1", id="two proxies"
        ),
        pytest.param("127.0.0.1", ["6.6.6.6, nonsense"], "127.0.0.1", id="nonsense"),
        pytest.param("127.0.0.1", ["203.0.113.1:4711"], "203.0.113.1", id="with a port"),
        pytest.param("127.0.0.1", ["[2001:db8::1]:47"], "2001:db8::9", id="IPv6 with a port"),
        pytest.param("127.0.0.1", ["2001:db8::1"], "2001:db8::2", id="one IPv6 network"),
        pytest.param("::ffff:127.0.0.1", ["203.0.113.1"], "203.0.113.1", id="IPv4 in IPv6"),
        pytest.param("203.0.113.1", ["6.6.6.6"], "203.0.113.1", id="an untrusted proxy"),
        pytest.param("127.0.0.1", [], "127.0.0.1", id="no proxy"),
    ],
)
async def test_a_visitor_is_the_last_that_no_trusted_proxy_added(
    nearest: str, forwarded: list[str], same: str, world: World
) -> None:
    world.limits = Limits(per_address=1)
    world.trusted_proxies = ("127.0.0.1", "10.0.0.0/8")
    app = world.app()
    behind = Browser(app, address=nearest)
    headers = [("X-Forwarded-For", hops) for hops in forwarded]
    first = await behind.http.get(f"/j/{PERSONAL}", headers=headers)
    direct = await Browser(app, address=same).open(PERSONAL)
    assert (first.status_code, direct.status_code) == (200, 429)
