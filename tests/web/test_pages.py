"""What links show: each state in three languages, escaped, with its headers, and nothing more."""

import re
from html import unescape

import httpx
import pytest

from commands.i18n import LANGUAGES
from commands.visits import Refused
from tests.web.world import (
    BBB,
    GUEST,
    PERSONAL,
    RECOGNISED,
    UNKNOWN,
    UNRECOGNISED,
    VIEWS,
    Browser,
    World,
    set_cookies,
)

HOSTILE = "<script>alert(1)</script>\"'>&{{7*7}}**`x`"


def words(answer: httpx.Response) -> str:
    """What a person reads of a page."""
    text = re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->|<[^>]*>", "", answer.text, flags=re.S)
    return unescape(re.sub(r"\s+", " ", text))


async def doors(world: World, browser: Browser) -> dict[str, httpx.Response]:
    """What a GET can show."""
    pages = {token: await browser.open(token) for token in (*VIEWS, UNKNOWN)}
    world.joining.show(UNRECOGNISED, guests=True, running=True)
    world.joining.show(PERSONAL, others=("Bob", "Cy"), recorded=True)
    pages["guests are welcome"] = await browser.open(UNRECOGNISED)
    pages["somebody else's browser"] = await browser.open(PERSONAL)
    world.joining.show(RECOGNISED, running=False, ended_at=world.clock(), lobby=True)
    pages["ended"] = await browser.open(RECOGNISED)
    pages["home"] = await browser.get("/")
    return pages


async def answers(world: World, browser: Browser) -> dict[str, httpx.Response]:
    """What the button can lead to, but for BBB."""
    joining, pages = world.joining, {}
    world.stop.set()  # nothing is held open
    pages["no name"] = await browser.open_and_press(GUEST, name="")
    joining.show(GUEST, recorded=True, consent=True)
    pages["not agreed"] = await browser.open_and_press(GUEST, name="Gus")
    joining.show(GUEST, recorded=False, consent=False)
    joining.full = True
    pages["full"] = await browser.open_and_press(RECOGNISED)
    joining.full = False
    pages["stale"] = await browser.press(GUEST, {"nonce": "other"})
    for key in ("pages.refused.not-member", "pages.refused.unrecognised"):
        joining.refusal = Refused(key, VIEWS[RECOGNISED])
        pages[key] = await browser.open_and_press(RECOGNISED)
    joining.refusal, joining.chat_up = None, False
    pages["the chat is silent"] = await browser.open_and_press(RECOGNISED)
    joining.chat_up, joining.server_up = True, False
    pages["the server is silent"] = await browser.open_and_press(PERSONAL)
    joining.server_up = True
    pages["a guest waits"] = await browser.open_and_press(GUEST, name="Gus")
    pages["unusual"] = await browser.http.put("/")
    return pages


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_is_whole_in_this_language(language: str, world: World) -> None:
    browser = Browser(world.app(), language=language)
    pages = {**await doors(world, browser), **await answers(world, browser)}
    for name, page in pages.items():
        assert f'<html lang="{language}">' in page.text, name
        assert page.headers["content-language"] == language
        assert re.findall(r"\bpages\.[a-z]|\{[a-z_]+\}|\*\*", words(page)) == [], name
        assert page.text.count("<h1>") == 1, name
        assert page.text.rstrip().endswith("</html>"), name


async def test_every_answer_carries_the_same_protection(world: World, browser: Browser) -> None:
    pages = {**await doors(world, browser), **await answers(world, browser)}
    pages["to BBB"] = await browser.open_and_press(RECOGNISED)
    pages["style"] = await browser.get("/static/style.css")
    pages["health"] = await browser.get("/healthz")
    for name, page in pages.items():
        policy = page.headers["content-security-policy"]
        assert f"form-action 'self' {BBB};" in policy, name
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy and "unsafe" not in policy
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-robots-tag"] == "noindex, nofollow"
        assert page.headers["x-content-type-options"] == "nosniff"
        cached = "public, max-age=86400" if name == "style" else "no-store"
        assert page.headers["cache-control"] == cached, name


async def test_previews_repeat_nothing(world: World, browser: Browser) -> None:
    for name, page in (await doors(world, browser)).items():
        assert '<meta property="og:title" content="Join a call">' in page.text, name
        meta = "".join(re.findall("<meta[^>]*>", page.text))
        assert "Weekly" not in meta and "Ana" not in meta


async def test_no_page_holds_script_or_style_of_its_own(world: World, browser: Browser) -> None:
    pages = {**await doors(world, browser), **await answers(world, browser)}
    for name, page in pages.items():
        assert re.findall(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=", page.text) == [], name


async def test_what_people_typed_is_shown_as_it_is(world: World, browser: Browser) -> None:
    for token in VIEWS:
        world.joining.show(token, topic=HOSTILE, channel=HOSTILE, name=HOSTILE, others=(HOSTILE,))
        page = await browser.open(token)
        assert "<script>" not in page.text
        assert "49" not in words(page)
        assert HOSTILE in words(page)
    world.stop.set()
    page = await browser.open_and_press(GUEST, name=HOSTILE)
    assert "Nobody from the chat is in the call yet" in words(page)
    assert "<script>" not in page.text


async def test_a_personal_link_knows_its_person(browser: Browser) -> None:
    page = await browser.open(PERSONAL)
    assert "You join as Ana Martín" in words(page)
    assert "Not you?" in words(page)
    assert '<input type="checkbox" id="remember" name="remember" checked' in page.text
    assert page.text.count("<button") == 1


async def test_in_somebody_elses_browser_remembering_has_to_be_asked_for(
    world: World, browser: Browser
) -> None:
    world.joining.show(PERSONAL, others=("Bob", "Cy"))
    page = await browser.open(PERSONAL)
    assert "This browser already remembers Bob and Cy." in words(page)
    assert '<input type="checkbox" id="remember" name="remember" aria' in page.text


async def test_a_known_browser_sees_one_button_and_no_box(browser: Browser) -> None:
    page = await browser.open(RECOGNISED)
    assert "You join as Ana Martín" in words(page)
    assert 'type="checkbox"' not in page.text
    assert page.text.count("<button") == 1


async def test_somebody_without_a_name_is_asked_for_one(world: World, browser: Browser) -> None:
    world.joining.show(PERSONAL, name="")
    page = await browser.open(PERSONAL)
    assert "You join as" not in words(page) and "<details" not in page.text
    assert '<input id="name" name="name" value="" dir="auto" autocomplete="name"' in page.text


async def test_an_unknown_browser_learns_the_way_and_has_no_form(browser: Browser) -> None:
    page = await browser.open(UNRECOGNISED)
    assert "type !bbb join, or press ▶" in words(page)
    assert "Nobody is in the call yet" in words(page)
    assert '<a class="button" href="https://chat.example.org">' in page.text
    assert "<form" not in page.text


async def test_an_unknown_browser_may_come_as_a_guest_where_guests_are_welcome(
    world: World, browser: Browser
) -> None:
    world.joining.show(UNRECOGNISED, guests=True)
    page = await browser.open(UNRECOGNISED)
    assert "Join as a guest" in words(page)
    assert 'maxlength="80" required' in page.text


async def test_a_call_that_ended_says_when_and_leads_back(world: World, browser: Browser) -> None:
    back = "https://chat.example.org"
    world.joining.show(PERSONAL, ended_at=world.clock(), back=back)
    page = await browser.open(PERSONAL)
    assert "The last call ended: Mon 2 Mar, 10:00 (Europe/Paris)" in words(page)
    assert "Open the call again" in words(page) and f'<a href="{back}">' in page.text
    assert "<title>Ended – Weekly stand-up</title>" in page.text


async def test_who_may_have_to_wait_for_a_moderator_is_told_before(
    world: World, browser: Browser
) -> None:
    for token, told in (
        (GUEST, "A moderator lets you in"),
        (PERSONAL, "Whoever does not moderate"),
    ):
        assert told not in words(await browser.open(token))
        world.joining.show(token, lobby=True)
        assert told in words(await browser.open(token))
    world.joining.show(UNRECOGNISED, lobby=True)
    assert "moderator" not in words(await browser.open(UNRECOGNISED))
    world.joining.show(UNRECOGNISED, guests=True)
    assert "A moderator lets you in" in words(await browser.open(UNRECOGNISED))


async def test_whom_a_refusal_sends_to_the_chat_gets_the_way_there(
    world: World, browser: Browser
) -> None:
    world.joining.show(RECOGNISED, back="https://chat.example.org")
    assert "Back to the chat" not in words(await browser.open(RECOGNISED))
    world.joining.refusal = Refused("pages.refused.not-member", VIEWS[RECOGNISED])
    page = await browser.press(RECOGNISED)
    assert "not a member of this channel" in words(page)
    assert '<a href="https://chat.example.org">' in page.text


async def test_a_recorded_call_says_so_before_anybody_joins(world: World, browser: Browser) -> None:
    for token in VIEWS:
        assert "may be recorded" not in words(await browser.open(token))
        world.joining.show(token, recorded=True)
        assert "may be recorded" in words(await browser.open(token))


async def test_all_links_that_lead_nowhere_are_one_page_byte_for_byte(
    world: World, browser: Browser
) -> None:
    del world.joining.views[GUEST]  # it was there once
    await browser.open(PERSONAL)  # this browser has cookies
    paths = [UNKNOWN, GUEST, "short", "x" * 500, "%00%ff", f"{UNKNOWN}/live", f"{PERSONAL}/"]
    pages = [await browser.get(f"/j/{path}") for path in paths]
    pages += [await browser.get("/nowhere"), await browser.press(UNKNOWN)]
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1
    assert len({str(page.headers) for page in pages}) == 1
    assert "This link leads nowhere" in words(pages[0])


async def test_a_title_says_the_state_first(world: World, browser: Browser) -> None:
    async def title(token: str) -> str:
        return re.findall("<title>(.*)</title>", (await browser.open(token)).text)[0]

    assert await title(PERSONAL) == "Open – Weekly stand-up"
    assert await title(RECOGNISED) == "Running – Weekly stand-up"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        pytest.param("fr-CA,en;q=0.5", "fr", id="the first that we speak"),
        pytest.param("en;q=0.5,de-AT;q=0.9", "de", id="the one liked best"),
        pytest.param("de;q=0,fr;q=0.1", "fr", id="never one that is refused"),
        pytest.param("es,it", "en", id="none of ours: the bot's"),
        pytest.param(";;,q=x,\tde;q=a", "en", id="nonsense: the bot's"),
    ],
)
async def test_pages_speak_the_browsers_language(
    accepted: str, language: str, world: World
) -> None:
    page = await Browser(world.app(), language=accepted).get("/")
    assert page.headers["content-language"] == language


async def test_a_channels_language_counts_where_the_browser_has_none_of_ours(world: World) -> None:
    world.joining.show(PERSONAL, language="de")
    page = await Browser(world.app(), language="es").open(PERSONAL)
    assert "Am Anruf teilnehmen" in words(page)


async def test_a_language_chosen_in_the_menu_stays(browser: Browser) -> None:
    chosen = await browser.get(f"/j/{PERSONAL}?lang=fr")
    assert "Rejoindre l'appel" in words(chosen)
    assert "samesite=lax" in set_cookies(chosen)["__Host-bbb-bot-language"]
    assert "Rejoindre l'appel" in words(await browser.open(PERSONAL))
    assert "__Host-bbb-bot-language" not in set_cookies(await browser.get("/?lang=<x>"))


async def test_links_and_files_follow_the_configured_address_and_no_host_header(
    world: World,
) -> None:
    world.public_url = "https://example.org/calls/"
    browser = Browser(world.app(), base="https://evil.example")
    for path in (f"/calls/j/{PERSONAL}", f"/j/{PERSONAL}"):  # the proxy strips the prefix, or not
        page = await browser.get(path)
        assert page.status_code == 200
        assert "evil" not in page.text and "evil" not in str(page.headers)
        style = re.findall(r'href="(/calls/static/style.css\?v=\w+)"', page.text)[0]
        assert (await browser.get(style)).status_code == 200
        assert (await browser.get(style.removeprefix("/calls"))).status_code == 200
    assert (await browser.get("/calls")).status_code == 200
    assert (await browser.get("/callsign")).status_code == 404


async def test_robots_are_told_to_stay_away(browser: Browser) -> None:
    assert (await browser.get("/robots.txt")).text == "User-agent: *\nDisallow: /\n"


def test_plain_http_is_refused_beyond_this_machine(world: World) -> None:
    world.public_url = "http://calls.example.org"
    with pytest.raises(ValueError, match="https"):
        world.app()


async def test_a_bug_gives_a_reference_and_tells_nothing_else(
    world: World, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    async def look(token: str, cookie: str | None) -> None:
        raise LookupError("the secret of the house")

    world.joining.look = look  # type: ignore[method-assign,assignment]
    page = await browser.open(PERSONAL)
    assert page.status_code == 500
    assert "secret" not in page.text
    record = next(r for r in caplog.records if r.levelname == "ERROR")
    assert vars(record)["ref"] in words(page)
    assert PERSONAL not in record.getMessage()
