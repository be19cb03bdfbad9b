"""The GET rule: whatever fetches a living link without pressing its button changes nothing."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import httpx
import pytest

from bot.web.waiting import Pace
from tests.conftest import Proof
from tests.web.house import House
from tests.web.world import BBB, set_cookies

AGENTS = (
    "Synapse (bot; +https://github.com/matrix-org/synapse)",
    "Rocket.Chat 6.14.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",  # Teams
    "WhatsApp/2.23.20.0 A",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "TelegramBot (like TwitterBot)",
    "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
)
METHODS = ("GET", "GET", "GET", "HEAD", "OPTIONS")
MANNERS: tuple[dict[str, str], ...] = (
    {},
    {"Range": "bytes=0-1023"},
    {"If-None-Match": '"x"', "If-Modified-Since": "Mon, 02 Mar 2026 09:00:00 GMT"},
    {"Accept": "application/json", "Accept-Language": "de"},
    {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Site": "none"},
    {"Cookie": "__Host-bbb-bot=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"X-HTTP-Method-Override": "POST", "Content-Type": "application/x-www-form-urlencoded"},
)
PATHS = ("", "", "?remember=on&consent=on&name=Eve&nonce=x", "?lang=fr", "/live", "/")
NOT_A_SIGN_IN = {"__Host-bbb-bot-form", "__Host-bbb-bot-language"}


def requests(links: dict[str, str], seed: int) -> Iterator[httpx.Request]:
    """Requests of robots without end: every link in turn, the rest by chance."""
    chance = random.Random(seed)
    for link in itertools.cycle(links.values()):
        yield httpx.Request(
            chance.choice(METHODS),
            f"/j/{link}{chance.choice(PATHS)}",
            headers={"User-Agent": chance.choice(AGENTS), **chance.choice(MANNERS)},
        )


@pytest.mark.promise("Fetching a link, however often and by whatever robot, changes nothing.")
async def test_robots_change_nothing(house: House, proof: Proof) -> None:
    seed = random.randrange(2**32)
    house.world.pace = Pace(every=0.001, longest=0.002)
    links = await house.live_links()
    before = house.rows()
    house.begin_counting()
    browser, sent = house.browser(), 0
    for wanted in itertools.islice(requests(links, seed), proof.amount(2_000, long=10_000)):
        if not proof.in_time():
            break
        answer = await browser.http.request(wanted.method, str(wanted.url), headers=wanted.headers)
        sent += 1
        assert answer.status_code in (200, 404, 405), (seed, sent, wanted)
        assert set(set_cookies(answer)) <= NOT_A_SIGN_IN, (seed, sent, wanted)
        assert BBB not in answer.text and "checksum" not in answer.text, (seed, sent, wanted)
        browser.http.cookies.clear()
    assert (house.bbb_calls, house.store.writes) == (0, {}), seed
    assert house.rows() == before, seed
    assert house.store.asked["link"] > sent / 2  # the links were looked up
    proof.measured(robots=sent, bbb_calls=house.bbb_calls, writes=0, seed=seed)


async def test_the_same_links_do_something_when_their_button_is_pressed(house: House) -> None:
    """Else the test above would prove nothing."""
    links = await house.live_links()
    before = house.rows()
    house.begin_counting()
    house.world.stop.set()  # a guest who has to wait is answered at once
    browser = house.browser()
    assert (await browser.open_and_press(links["personal"])).status_code == 303
    assert house.bbb_calls > 0 and house.store.writes
    assert house.rows() != before
    assert (await browser.open_and_press(links["call"])).status_code == 303
    assert (await browser.open_and_press(links["guest"], name="Eve")).status_code in (200, 303)
    assert "First, show who you are" in (await browser.open(links["room"])).text


async def test_a_look_opens_no_call(house: House) -> None:
    await house.scene.says("bob", "!bbb create Lab")
    link = await house.personal_link("bob")
    house.begin_counting()
    assert "Nobody is in the call yet" in (await house.browser().open(link)).text
    assert (house.bbb_calls, house.store.writes) == (0, {})
