"""The pages that people see: in the meeting, in the lobby, afterwards; and the switches."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from bot.demo.bbb import Fault, SimulatedBBB
from tests.demo_bbb.caller import ROOM, Caller, address, said


class Page(HTMLParser):
    """What a test asks of a page: its tags, forms and whether it is well made."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def actions(self) -> list[str]:
        return [form["action"] for form in self.all("form")]

    @property
    def link(self) -> str:
        return self.all("a")[0]["href"]

    def items(self) -> list[str]:
        return [" ".join(one.split()) for one in re.findall(r"<li>(.*?)</li>", self.text, re.S)]


async def enter(bbb: Caller, browser: httpx.AsyncClient, name: str, **more: str) -> Page:
    """Join and give the page where that leads."""
    answer = await bbb.join(browser, name, **more)
    return well_made(answer)


def well_made(answer: httpx.Response) -> Page:
    """The page, after looking at what every page must have."""
    page = Page(answer.text)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert len(page.all("title")) == 1
    labelled = {label.get("for") for label in page.all("label")}
    free = [one for one in page.all("input") if one.get("type") not in ("hidden", "checkbox")]
    assert {one["id"] for one in [*free, *page.all("select")]} <= labelled
    assert all("src" in script for script in page.all("script"))
    assert "style" not in {name for _, attributes in page.tags for name in attributes}
    csp = answer.headers["content-security-policy"]
    assert csp.startswith("default-src 'none'") and "unsafe" not in csp
    return page


def token(page: Page) -> str:
    return next(one["value"] for one in page.all("input") if one["name"] == "sessionToken")


async def press(
    browser: httpx.AsyncClient, page: Page, action: str, **fields: str
) -> httpx.Response:
    """Press a button of a page."""
    assert f"/html5client/{action}" in page.actions
    data = {"sessionToken": token(page)} | fields
    return await browser.post(f"/html5client/{action}", data=data, follow_redirects=True)


@pytest.mark.parametrize(
    ("name", "more", "role"),
    [
        ("Alice", {"role": "MODERATOR"}, "moderator"),
        ("Bo", {}, "viewer"),
        ("Cleo", {"guest": "true"}, "guest"),
    ],
)
async def test_the_page_says_who_is_in_what_as_what(
    name: str, more: dict[str, str], role: str, bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create(name="Team call")
    page = await enter(bbb, browser, name, **more)
    sentence = f"You are in <strong>Team call</strong> as <strong>{name}</strong> ({role})"
    assert sentence in page.text
    assert page.items() == [f"{name} ({role})"]
    ends = ["/html5client/leave"] + (["/html5client/end"] if role == "moderator" else [])
    assert page.actions == ends


async def test_names_cannot_bring_markup(bbb: Caller, browser: httpx.AsyncClient) -> None:
    await bbb.create(name="<script>x</script>")
    page = await enter(bbb, browser, "<img src=x onerror=y>")
    assert "<script>x" not in page.text and page.all("img") == []


async def test_the_page_lists_everybody_and_the_chat(
    bbb: Caller, browser: httpx.AsyncClient, other_browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    await enter(bbb, browser, "Alice", role="MODERATOR")
    await bbb.ask("sendChatMessage", meetingID=ROOM, message="Tea & <cake>", userName="Bot")
    page = await enter(bbb, other_browser, "Bo")
    assert page.items() == [
        "Alice (moderator)",
        "Bo (viewer)",
        "<strong>Bot</strong>: Tea &amp; &lt;cake&gt;",
    ]


async def test_the_script_asks_for_what_is_shown(bbb: Caller, browser: httpx.AsyncClient) -> None:
    await bbb.create()
    page = await enter(bbb, browser, "Alice", role="MODERATOR")
    shown = next(one for one in page.all("ul") if one.get("id") == "people")
    state = f"/html5client/state?sessionToken={token(page)}"
    now = (await browser.get(state)).json()
    assert now["people"] == [{"name": "Alice", "role": "moderator"}]
    assert now["fingerprint"] == shown["data-fingerprint"]
    bbb.simulated.join(ROOM, "Bo")
    later = (await browser.get(state)).json()
    assert [one["name"] for one in later["people"]] == ["Alice", "Bo"]
    assert later["fingerprint"] == now["fingerprint"]
    await bbb.ask("end", meetingID=ROOM)
    assert (await browser.get(state)).json()["fingerprint"] != now["fingerprint"]
    assert (await bbb.http.get(f"http://bbb.test{state}")).status_code == 401


async def test_the_pages_files_are_there(browser: httpx.AsyncClient) -> None:
    style = await browser.get("/static/pages.css")
    assert "prefers-color-scheme: dark" in style.text
    script = await browser.get("/static/inside.js")
    assert script.headers["content-type"].startswith("text/javascript")


# --- out -----------------------------------------------------------------------------------------


async def test_leaving_takes_one_out_and_offers_the_way_back(
    bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create(logoutURL="https://bot.test/r/%%MEETINGID%%?u=%%USERNAME%%")
    page = await enter(bbb, browser, "Alice")
    left = well_made(await press(browser, page, "leave"))
    assert "You have left" in left.text
    assert left.link == f"https://bot.test/r/{ROOM}?u=Alice"
    assert bbb.simulated.users_in(ROOM) == []
    again = await browser.get(f"/html5client/?sessionToken={token(page)}")
    assert "You have left" in again.text
    assert bbb.simulated.users_in(ROOM) == []


@pytest.mark.parametrize(
    ("at_create", "at_join", "link"),
    [
        ("", "", "http://bbb.test/"),
        ("https://a.test/", "https://b.test/", "https://b.test/"),
        ("javascript:alert(1)", "", "http://bbb.test/"),
    ],
)
async def test_the_way_back_is_the_joins_then_the_meetings_then_ours(
    at_create: str, at_join: str, link: str, bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create(logoutURL=at_create)
    page = await enter(bbb, browser, "Alice", logoutURL=at_join)
    assert well_made(await press(browser, page, "leave")).link == link


async def test_a_moderator_ends_it_for_everybody(
    bbb: Caller, browser: httpx.AsyncClient, other_browser: httpx.AsyncClient
) -> None:
    await bbb.create(logoutURL="https://bot.test/r")
    page = await enter(bbb, browser, "Alice", role="MODERATOR")
    other = await enter(bbb, other_browser, "Bo")
    ended = well_made(await press(browser, page, "end"))
    assert "has ended" in ended.text and ended.link == "https://bot.test/r"
    bbb.simulated.forward(5)
    assert bbb.simulated.state.meetings() == []
    seen = await other_browser.get(f"/html5client/?sessionToken={token(other)}")
    assert "has ended" in well_made(seen).text


async def test_a_viewer_cannot_end_or_admit(bbb: Caller, browser: httpx.AsyncClient) -> None:
    await bbb.create()
    page = await enter(bbb, browser, "Bo")
    data = {"sessionToken": token(page)}
    for action in ("end", "decide"):
        assert (await browser.post(f"/html5client/{action}", data=data)).status_code == 401
    bbb.simulated.forward(5)
    assert [one.name for one in bbb.simulated.users_in(ROOM)] == ["Bo"]


async def test_no_button_works_without_the_cookie(
    bbb: Caller, browser: httpx.AsyncClient, other_browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    page = await enter(bbb, browser, "Alice", role="MODERATOR")
    data = {"sessionToken": token(page)}
    for action in ("leave", "end", "decide"):
        assert (await other_browser.post(f"/html5client/{action}", data=data)).status_code == 401
    assert (await other_browser.get(f"/html5client/{'leave'}")).status_code == 405
    assert [one.name for one in bbb.simulated.users_in(ROOM)] == ["Alice"]


# --- the lobby -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words", "inside"),
    [("admit", "You are in", ["Alice", "Cleo"]), ("deny", "You were not let in", ["Alice"])],
)
async def test_a_guest_waits_until_a_moderator_decides(
    answer: str,
    words: str,
    inside: list[str],
    bbb: Caller,
    browser: httpx.AsyncClient,
    other_browser: httpx.AsyncClient,
) -> None:
    await bbb.create(guestPolicy="ASK_MODERATOR")
    waiting = await enter(bbb, other_browser, "Cleo", guest="true")
    assert "You are waiting for <strong>Team</strong> as <strong>Cleo</strong>" in waiting.text
    assert bbb.simulated.users_in(ROOM) == []
    page = await enter(bbb, browser, "Alice", role="MODERATOR")
    assert "Let Cleo in" in page.text
    guest = next(one["value"] for one in page.all("input") if one["name"] == "guest")
    await press(browser, page, "decide", guest=guest, answer=answer)
    seen = well_made(await other_browser.get(f"/html5client/?sessionToken={token(waiting)}"))
    assert words in seen.text
    assert [one.name for one in bbb.simulated.users_in(ROOM)] == inside


async def test_viewers_do_not_see_who_waits_and_a_guest_may_give_up(
    bbb: Caller, browser: httpx.AsyncClient, other_browser: httpx.AsyncClient
) -> None:
    await bbb.create(guestPolicy="ASK_MODERATOR")
    waiting = await enter(bbb, other_browser, "Cleo", guest="true")
    viewer = await enter(bbb, browser, "Bo")
    assert "Cleo" not in viewer.text
    assert "You have left" in (await press(other_browser, waiting, "leave")).text
    assert bbb.simulated.meeting(ROOM).waiting == []


# --- front page and switches -------------------------------------------------------------------


async def test_the_front_page_tells_why_a_join_failed(
    bbb: Caller, browser: httpx.AsyncClient
) -> None:
    page = well_made(await bbb.join(browser, "Ana"))
    assert "You can not join a meeting that has already been forcibly ended" in page.text


@pytest.mark.parametrize("errors", ["[", "{}", "[1]", '[{"key":"a"}]', '[{"message":"<b>"}]'])
async def test_the_front_page_survives_any_address(errors: str, browser: httpx.AsyncClient) -> None:
    page = well_made(await browser.get("/", params={"errors": errors}))
    assert "<b>" not in page.text


async def test_the_switches_break_and_mend(bbb: Caller, browser: httpx.AsyncClient) -> None:
    await bbb.create(name="Team <1>")
    page = well_made(await browser.get("/simulator"))
    assert "Team &lt;1&gt;" in page.text
    assert {option["value"] for option in page.all("option")} >= {"*", "", "create", "HANG"}
    fields = {"call": "create", "fault": "BAD_GATEWAY", "once": "on"}
    shown = await browser.post("/simulator/faults", data=fields, follow_redirects=True)
    assert "create: 502 from nginx, HTML (1 more)" in well_made(shown).text
    assert bbb.simulated.faults.listed() == [("create", Fault.BAD_GATEWAY, 1)]
    await browser.post("/simulator/faults", data={"call": "*", "fault": "EMPTY"})
    assert (await bbb.get("getMeetings")).content == b""
    await browser.post("/simulator/well")
    assert said(await bbb.ask("getMeetings"))[0] == "SUCCESS"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("faults", {"call": "nothing", "fault": "EMPTY"}),
        ("faults", {"call": "*", "fault": "nothing"}),
        ("forward", {"seconds": "-1"}),
        ("forward", {"seconds": "soon"}),
    ],
)
async def test_a_switch_that_does_not_exist_is_refused(
    path: str, fields: dict[str, str], browser: httpx.AsyncClient
) -> None:
    answer = await browser.post(f"/simulator/{path}", data=fields)
    assert answer.status_code == 400
    well_made(answer)


async def test_the_clock_can_be_moved_by_its_switch(
    bbb: Caller, browser: httpx.AsyncClient
) -> None:
    await bbb.create()
    await browser.post("/simulator/forward", data={"seconds": "300"})
    assert bbb.simulated.state.meetings() == []


async def test_a_public_address_is_used_where_one_is_given() -> None:
    caller = Caller(SimulatedBBB("a secret of these tests", public_url="https://bbb.example/"))
    async with caller.http:
        await caller.create()
        wanted = {"fullName": "Ana", "meetingID": ROOM, "role": "VIEWER"}
        answer = await caller.http.get(address("join", wanted))
    assert answer.headers["location"].startswith("https://bbb.example/html5client/?")
