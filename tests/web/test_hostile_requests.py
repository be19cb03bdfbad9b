"""Requests that no browser makes of itself: forged hosts, redirects, paths, bodies, headers."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.web import forms
from tests.web.house import House
from tests.web.world import BBB, GUEST, PERSONAL, PUBLIC, UNKNOWN, Browser, World, set_cookies

EVIL = "https://evil.example"
FORM = "application/x-www-form-urlencoded"
HEADERS = {
    "content-security-policy",
    "referrer-policy",
    "cache-control",
    "x-robots-tag",
    "x-content-type-options",
}


async def raw(world: World, path: bytes, *, method: str = "GET") -> tuple[int, bytes, str]:
    """Status, body and headers for a path as it came over the wire, with nothing made proper."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path.decode("latin-1"),
        "raw_path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"evil.example")],
        "client": ("198.51.100.7", 50000),
        "server": ("evil.example", 443),
    }
    await world.app()(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], body, str(sent[0]["headers"])


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example"}, id="Host"),
        pytest.param({"X-Forwarded-Host": "evil.example"}, id="X-Forwarded-Host"),
        pytest.param({"Forwarded": "host=evil.example;proto=http"}, id="Forwarded"),
        pytest.param({"X-Forwarded-Proto": "http"}, id="X-Forwarded-Proto"),
        pytest.param({"X-Original-URL": "/healthz"}, id="X-Original-URL"),
        pytest.param({"X-Forwarded-Prefix": "//evil.example"}, id="X-Forwarded-Prefix"),
        pytest.param({"X-HTTP-Method-Override": "POST"}, id="another method"),
    ],
)
async def test_a_header_changes_no_page(
    headers: dict[str, str], world: World, browser: Browser
) -> None:
    for path in (f"/j/{PERSONAL}", f"/j/{UNKNOWN}", "/"):
        plain = await browser.get(path)
        forged = await browser.http.get(path, headers=headers)
        assert forged.content == plain.content and forged.status_code == plain.status_code
        assert "evil" not in str(forged.headers)
        assert all("secure" in attributes for attributes in set_cookies(forged).values())
    assert world.joining.presses == []


@pytest.mark.parametrize("word", ["next", "return_to", "url", "redirect", "continue", "logoutURL"])
async def test_no_parameter_leads_away(word: str, house: House) -> None:
    browser = house.browser()
    link = await house.personal_link("bob")
    page = await browser.get(f"/j/{link}?{word}={EVIL}")
    assert page.status_code == 200 and "evil" not in page.text
    answer = await browser.http.post(
        f"/j/{link}?{word}={EVIL}",
        data={"nonce": browser.nonce, word: EVIL},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 303
    goal = urlsplit(answer.headers["location"])
    assert f"{goal.scheme}://{goal.netloc}" == BBB
    assert "evil" not in answer.headers["location"]


@pytest.mark.parametrize(
    "path",
    [
        b"//evil.example/",
        b"//evil.example/..",
        b"/\\evil.example",
        b"/j//evil.example",
        b"/j/..",
        b"/j/../static/style.css",
        b"/%2e%2e/etc/passwd",
        b"/static/../app.py",
        b"/static/%2e%2e/app.py",
        b"/static/..%2fapp.py",
        b"/static/..\\app.py",
        b"/static//etc",
        b"/static/../../../../../../etc/passwd",
        b"/static/",
        b"/static/\x00",
        b"/static/%00",
        b"/j/\xff\xfe",
        b"/j/" + b"A" * 5000,
        b"/static/" + b"A" * 5000,
        b"/j/%0d%0aSet-Cookie:x",
    ],
)
async def test_a_path_leads_nowhere_else(path: bytes, world: World) -> None:
    for method in ("GET", "HEAD", "POST"):
        status, body, headers = await raw(world, path, method=method)
        assert status in (404, 405, 415), method
        assert b"import" not in body and b"root:" not in body
        assert "location" not in headers and "evil" not in headers and "set-cookie" not in headers


async def test_every_answer_has_every_header(world: World, browser: Browser) -> None:
    for method, path in [
        ("GET", "/"),
        ("GET", f"/j/{PERSONAL}"),
        ("GET", f"/j/{UNKNOWN}"),
        ("PUT", "/"),
        ("POST", f"/j/{PERSONAL}"),
        ("OPTIONS", f"/j/{PERSONAL}"),
        ("GET", "/static/nothing.css"),
        ("GET", "/static/wait.js"),
        ("GET", "/healthz"),
        ("GET", "/robots.txt"),
    ]:
        answer = await browser.http.request(method, path)
        assert set(answer.headers) >= HEADERS, (method, path)
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


async def test_a_body_that_never_ends_is_cut_off(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless() -> Any:
        while True:
            yield b"name=" + b"x" * 1024

    headers = {"Content-Type": FORM}
    answer = await browser.http.post(f"/j/{GUEST}", content=endless(), headers=headers)
    assert answer.status_code == 413

    async def slow() -> Any:
        while True:
            yield b"x"
            await asyncio.sleep(0.01)

    monkeypatch.setattr(forms, "_SECONDS", 0.1)
    answer = await browser.http.post(f"/j/{GUEST}", content=slow(), headers=headers)
    assert answer.status_code == 408
    assert world.joining.presses == []


async def test_somebody_who_sends_slowly_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty half requests on a real listener, and a page in between."""
    monkeypatch.setattr(forms, "_SECONDS", 0.5)
    half = f"POST /j/{GUEST} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 100\r\n"
    async with world.listening() as base, asyncio.timeout(30):
        port = int(base.rpartition(":")[2])
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        for _, writer in lines:
            writer.write(f"{half}\r\nname=".encode())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /j/{PERSONAL} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert b"You join as" in await reader.read()
        for answered, _ in lines:
            assert (await answered.readline()).startswith(b"HTTP/1.1 408")
        for _, line in [*lines, (reader, writer)]:
            line.close()
    assert world.joining.presses == []


async def test_cookies_are_for_this_host_over_https_and_no_script(house: House) -> None:
    browser = house.browser()
    link = await house.personal_link("bob")
    seen = set_cookies(await browser.open(f"{link}?lang=fr"))
    seen |= set_cookies(await browser.press(link, {"remember": "on"}))
    assert set(seen) == {"__Host-bbb-bot", "__Host-bbb-bot-form", "__Host-bbb-bot-language"}
    for name, attributes in seen.items():
        assert {"httponly", "secure", "path=/"} <= set(attributes), name
        assert not any(attribute.startswith("domain") for attribute in attributes), name
    assert "samesite=strict" in seen["__Host-bbb-bot-form"]
    assert PUBLIC.startswith("https://")
