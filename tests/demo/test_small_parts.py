"""The small parts of the demo: ports, texts that are waited for, the tour's browser."""

import re
import socket
from collections.abc import Callable

import httpx
import pytest

from bot.demo.browser import Browser, Unanswered
from bot.demo.expected import expected
from bot.demo.ports import NoFreePort, free_port, free_ports
from commands.i18n import LANGUAGES, texts


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        assert free_port(taken) > taken


def test_several_ports_are_all_different() -> None:
    found = free_ports(free_port(0), 3)
    assert len(set(found)) == 3 and found == sorted(found)


def test_behind_the_last_port_there_is_none() -> None:
    with pytest.raises(NoFreePort):
        free_ports(65535, 3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_of_one_person_is_not_taken_for_that_of_two(language: str) -> None:
    one, two = (expected(texts(language), "card.running", n) for n in (1, 2))
    said = two.shape.replace("…", "#team", 1).replace("…", "Alice")
    assert two.matches(f"{said}\nand more") and not one.matches(said)


def test_an_open_card_is_not_taken_for_a_running_one() -> None:
    opened = expected(texts("en"), "card.open")
    assert opened.matches("📹 team – call opened by Alice Martin; nobody is inside yet.")
    assert not opened.matches("📹 team – 1 person in the call, opened by Alice Martin.")


def page_with(html: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(200, html=html)


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Browser]:
    """A browser whose network is a function."""
    real = httpx.AsyncClient

    def browser(answer: Callable[[httpx.Request], httpx.Response]) -> Browser:
        transport = httpx.MockTransport(answer)
        monkeypatch.setattr(httpx, "AsyncClient", lambda **kw: real(transport=transport, **kw))
        return Browser("fr")

    return browser


async def test_a_form_is_sent_as_it_stands_with_the_origin_of_its_page(visit) -> None:
    seen: list[httpx.Request] = []
    html = """<title>Open – Team</title><main><h1>Team</h1><form method="post">
      <input type="hidden" name="nonce" value="a&amp;b"><input name="name" value="Ana">
      <input type="checkbox" name="remember"><input type="checkbox" name="kept" checked>
      <button>Join <b>the</b> call</button></form></main>"""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, html=html)

    async with visit(answer) as browser:
        page = await browser.open("http://127.0.0.1:7/j/x?lang=fr")
        await browser.press(page)
    assert (page.title, page.text) == ("Open – Team", "Join the call")
    assert seen[1].method == "POST" and seen[1].url == "http://127.0.0.1:7/j/x?lang=fr"
    assert seen[1].headers["origin"] == "http://127.0.0.1:7"
    assert seen[1].headers["accept-language"] == "fr"
    assert seen[1].content == b"nonce=a%26b&name=Ana&kept=on"


async def test_the_button_is_found_by_its_words(visit) -> None:
    seen: list[str] = []
    html = """<main><form method="post" action="/end"><button>End</button></form>
      <form method="post" action="leave?s=1"><button>Leave</button></form></main>"""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, html=html)

    async with visit(answer) as browser:
        page = await browser.open("http://127.0.0.1:7/call/x")
        await browser.press(page, "Leave")
        with pytest.raises(LookupError):
            await browser.press(page, "Dance")
    assert seen[1] == "http://127.0.0.1:7/call/leave?s=1"


async def test_nobody_answering_is_told_without_the_address(visit) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with visit(answer) as browser:
        with pytest.raises(Unanswered) as error:
            await browser.open("http://127.0.0.1:7/j/secret")
    assert str(error.value) == "127.0.0.1:7"
    assert error.value.__context__ is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_the_same_arguments_in_every_language(language: str) -> None:
    english, other = texts("en"), texts(language)
    for key in sorted(english_keys()):
        wanted, found = (re.findall(r"\{[a-z_]+\}", t.template(key)) for t in (english, other))
        assert sorted(wanted) == sorted(found), key


def english_keys() -> set[str]:
    from importlib.resources import files

    source = files("commands") / "locales" / "en" / "LC_MESSAGES" / "demo.po"
    return set(re.findall(r'^msgid "(demo\..+)"$', source.read_text("utf-8"), re.MULTILINE))
