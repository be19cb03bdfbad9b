"""REST in worker threads: limits of time, repeats, rate limits, and nothing secret anywhere."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import ssl
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from bot.chat.rocketchat.answers import (
    Busy,
    Failed,
    LoggedOut,
    Moved,
    Refused,
    RestError,
    Unavailable,
)
from bot.chat.rocketchat.calling import parsed
from bot.chat.rocketchat.rest import Rest
from tests.conftest import Proof
from tests.fakes.rocketchat import RocketChat
from tests.rocketchat.huge_server import MESSAGES
from tests.rocketchat.lone_server import Hangs, LoneServer, breaks, cuts, drips, says

TOKEN = "tok-canary-very-secret"
OK = says({"success": True})
UNAUTHORISED = says({"status": "error", "message": "You must be logged in to do this."}, 401)


@pytest.fixture
async def server() -> AsyncIterator[LoneServer]:
    lone = LoneServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", lone.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    lone.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield lone
    await runner.cleanup()


@pytest.fixture
async def rest(server: LoneServer) -> AsyncIterator[Rest]:
    one = Rest(server.url + "/", "uid", TOKEN, pauses=(0.01, 0.02))
    yield one
    await one.close()


async def test_what_is_sent(rest: Rest, server: LoneServer) -> None:
    server.on("rooms.info", OK)
    server.on("chat.sendMessage", OK)
    await rest.get("rooms.info", roomName="a&b=c#d+e é", count=0, flag=True, none=None)
    await rest.post("chat.sendMessage", message={"msg": "é"}, previewUrls=[], none=None)
    (_, path, headers, _), (_, _, _, body) = server.requests
    assert path == "/api/v1/rooms.info?roomName=a%26b%3Dc%23d%2Be%20%C3%A9&count=0&flag=true"
    assert (headers["X-User-Id"], headers["X-Auth-Token"]) == ("uid", TOKEN)
    assert body == {"message": {"msg": "é"}, "previewUrls": []}


async def test_lists_are_encoded_too(rest: Rest, server: LoneServer) -> None:
    server.on("x", OK)
    await rest.get("x", status=["a&b", "c"])
    assert server.requests[0][1] == "/api/v1/x?status%5B%5D=a%26b&status%5B%5D=c"


async def test_info_stands_beside_v1(rest: Rest, server: LoneServer) -> None:
    server.on("info", says({"success": True, "version": "8.1"}))
    assert (await rest.info())["version"] == "8.1"
    assert server.requests[0][1].startswith("/api/info")


async def test_a_gzipped_answer_is_read(rest: Rest, server: LoneServer) -> None:
    async def zipped(_: web.Request) -> web.StreamResponse:
        response = web.json_response({"success": True, "x": "y" * 300_000})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    server.on("x", zipped)
    assert len((await rest.get("x"))["x"]) == 300_000


@pytest.mark.parametrize(
    ("reply", "kind", "status", "code"),
    [
        pytest.param(says("<html>", 502), Unavailable, 502, "", id="a proxy's page"),
        pytest.param(says("<html>", 200), Unavailable, 200, "not-json", id="a page instead"),
        pytest.param(
            says({"success": False, "error": "x y"}), Refused, 200, "", id="a no with 200"
        ),
        pytest.param(says({"success": False, "error": "boom"}, 500), Failed, 500, "boom", id="500"),
        pytest.param(cuts, Unavailable, 0, "cut", id="cut in the middle"),
        pytest.param(breaks, Unavailable, 0, "unreachable", id="cut before"),
    ],
)
async def test_answers(
    reply: object, kind: type[RestError], status: int, code: str, rest: Rest, server: LoneServer
) -> None:
    server.on("chat.sendMessage", reply)  # type: ignore[arg-type]
    with pytest.raises(kind) as caught:
        await rest.post("chat.sendMessage", message={})
    assert (caught.value.status, caught.value.code) == (status, code)
    assert server.asked("chat.sendMessage") == 1


async def test_a_get_is_asked_again(rest: Rest, server: LoneServer) -> None:
    server.on("me", breaks, says("<html>", 503), says({"success": True, "_id": "uid"}))
    assert (await rest.get("me"))["_id"] == "uid"


async def test_a_post_that_may_come_twice_is_sent_again(rest: Rest, server: LoneServer) -> None:
    server.on("chat.react", says("<html>", 502), OK)
    await rest.post("chat.react", messageId="m", emoji=":eyes:", shouldReact=True)
    assert server.asked("chat.react") == 2


@pytest.mark.parametrize("drip", [pytest.param(True, id="drips"), pytest.param(False, id="hangs")])
async def test_one_time_limit_for_everything(drip: bool, server: LoneServer) -> None:
    """Also for the thread, which is then free for the next call."""
    hanging = Hangs()
    server.on("me", drips if drip else hanging)
    server.on("x", OK)
    rest = Rest(server.url, "uid", TOKEN, workers=1, timeout=1.0)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="timeout"):
        await rest.get("me")
    assert time.monotonic() - began < 5
    assert await rest.get("x") == {"success": True}
    hanging.end.set()
    await rest.close()


async def test_more_calls_than_threads_wait_their_turn(server: LoneServer) -> None:
    server.on("me", OK)
    rest = Rest(server.url, "uid", TOKEN, workers=2)
    await asyncio.gather(*(rest.get("me") for _ in range(20)))
    assert server.asked("me") == 20
    await rest.close()


async def test_cancelled_calls_leave_the_threads_usable(server: LoneServer) -> None:
    hanging = Hangs()
    server.on("me", hanging)
    server.on("x", OK)
    rest = Rest(server.url, "uid", TOKEN, workers=1, timeout=20)
    stuck = [asyncio.create_task(rest.get("me")) for _ in range(3)]
    await hanging.asked.wait()
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
    hanging.end.set()
    assert await rest.get("x") == {"success": True}
    assert server.asked("me") == 1  # the two that waited were never sent
    await rest.close()


async def test_closing_does_not_wait_for_a_hanging_call(server: LoneServer) -> None:
    hanging = Hangs()
    server.on("me", hanging)
    rest = Rest(server.url, "uid", TOKEN, workers=1, timeout=20)
    stuck = [asyncio.create_task(rest.get("me")) for _ in range(3)]
    await hanging.asked.wait()
    began = time.monotonic()
    await rest.close()
    assert time.monotonic() - began < 5
    found = await asyncio.gather(*stuck, return_exceptions=True)
    assert [str(error) for error in found] == ["closed"] * 3
    with pytest.raises(Unavailable, match="closed"):
        await rest.get("me")
    hanging.end.set()


async def test_a_redirect_is_not_followed(rest: Rest, server: LoneServer) -> None:
    away = {"Location": "https://chat.example.org/rc/api/v1/chat.sendMessage?x=1"}
    server.on("chat.sendMessage", says("", 301, away))
    with pytest.raises(Moved) as caught:
        await rest.post("chat.sendMessage", message={})
    assert caught.value.address == "https://chat.example.org/rc"
    assert "https://chat.example.org/rc" in caught.value.text


async def test_the_last_of_several_redirects_is_what_to_configure(
    rest: Rest, server: LoneServer
) -> None:
    server.on("chat.sendMessage", says("", 301, {"Location": "/x/api/v1/chat.sendMessage"}))
    last = {"Location": f"{server.url}/y/api/v1/chat.sendMessage"}
    server.on("/x/api/v1/chat.sendMessage", says("", 308, last))
    with pytest.raises(Moved) as caught:
        await rest.post("chat.sendMessage", message={})
    assert caught.value.address == f"{server.url}/y"
    (_, *followed) = server.requests
    assert [method for method, *_ in followed] == ["GET", "GET"]
    assert not any("X-Auth-Token" in headers for _, _, headers, _ in followed)


async def test_redirects_that_lead_nowhere(rest: Rest, server: LoneServer) -> None:
    server.on("me", says("", 302, {"Location": "http://127.0.0.1:1/api/v1/me"}))
    with pytest.raises(Moved) as caught:
        await rest.get("me")
    assert caught.value.address == "http://127.0.0.1:1"
    server.on("me", says("", 302, {"Location": "/api/v1/me"}))
    with pytest.raises(Moved) as caught:
        await rest.get("me")
    assert caught.value.address == server.url


async def test_401_ends_it_only_when_me_says_so_too(rest: Rest, server: LoneServer) -> None:
    server.on("rooms.info", says({"success": False, "error": "unauthorized"}, 401))
    server.on("me", OK)
    with pytest.raises(Refused):
        await rest.get("rooms.info")
    server.on("me", UNAUTHORISED)
    with pytest.raises(LoggedOut):
        await rest.get("rooms.info")
    server.on("me", UNAUTHORISED, OK)
    with pytest.raises(Refused):
        await rest.get("me")


@pytest.mark.parametrize("status", [429, 502])
async def test_401_with_a_me_that_cannot_be_asked_is_no_end(
    status: int, rest: Rest, server: LoneServer
) -> None:
    server.on("rooms.info", UNAUTHORISED)
    server.on("me", says("<html>", status))
    with pytest.raises((Unavailable, Busy)):
        await rest.get("rooms.info")


async def test_a_proxys_401_is_no_end(rest: Rest, server: LoneServer) -> None:
    server.on("me", says("<html>401", 401))
    with pytest.raises(Unavailable):
        await rest.get("me")


async def test_a_busy_route_is_left_alone_and_only_that(rest: Rest, server: LoneServer) -> None:
    text = "Error, too many requests. You must wait 17 seconds before [error-too-many-requests]"
    server.on("rooms.info", says({"success": False, "error": text}, 429))
    server.on("me", OK)
    for _ in range(3):
        with pytest.raises(Busy) as caught:
            await rest.get("rooms.info")
        assert 10 < caught.value.retry_after.total_seconds() <= 17
    assert server.asked("rooms.info") == 1
    await rest.get("me")


async def test_a_limit_that_is_used_up_is_not_tried(rest: Rest, server: LoneServer) -> None:
    reset = str(int((time.time() + 40) * 1000))
    counted = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    server.on("me", says({"success": True}, headers=counted))
    assert not rest.is_counted
    await rest.get("me")
    assert rest.is_counted
    with pytest.raises(Busy):
        await rest.get("me")
    assert server.asked("me") == 1


def test_other_threads_run_while_a_huge_answer_is_parsed() -> None:
    """The event loop is one of them; Python's own parser would hold them all up to its end."""
    messages = [{"_id": str(n), "u": {"_id": "u"}, "msg": "x" * 50} for n in range(60_000)]
    body = json.dumps({"success": True, "updated": messages}).encode()
    parsing = threading.Event()
    found: list[Any] = []

    def parse() -> None:
        parsing.set()
        found.append(parsed(body))
        parsing.clear()

    thread = threading.Thread(target=parse)
    thread.start()
    turns = 0
    while thread.is_alive():
        turns += parsing.is_set()
        time.sleep(0.001)
    assert len(found[0]["updated"]) == 60_000
    assert turns > 5


# --- addresses and certificates ------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def told(url: str, verify: bool | str) -> str:
    """Whom the server thinks we are, or what is in the way."""
    rest = Rest(url, "uid-of-the-bot-x", TOKEN, verify=verify, timeout=5)
    try:
        return str((await rest.get("me"))["username"])
    except Moved as moved:
        return moved.address
    except RestError as error:
        return error.code
    finally:
        await rest.close()


async def test_an_own_authority_a_prefix_and_a_redirect(
    authority: trustme.CA, tmp_path: Path
) -> None:
    own = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(own))
    good, wrong = certified(authority, "localhost"), certified(authority, "other.example.org")
    async with RocketChat("8.x", tls=good, prefix="/chat", host="localhost") as server:
        server.add_user("bbb", id="uid-of-the-bot-x", token=TOKEN)
        assert await told(server.url + "/", str(own)) == "bbb"
        assert await told(server.url, True) == "tls"
        assert await told(server.plain_url, True) == server.url
        assert await told(server.url.removesuffix("/chat"), str(own)) == "not-json"  # the web app
    async with RocketChat("8.x", tls=wrong, host="localhost") as server:
        assert await told(server.url, str(own)) == "tls"


async def test_proxies_and_passwords_of_the_environment_are_left_out(
    server: LoneServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login x password y")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.on("me", OK)
    rest = Rest(server.url, "uid", TOKEN, pauses=())
    await rest.get("me")
    await rest.close()
    assert "Authorization" not in server.requests[0][2]


# --- the event loop, and secrets -----------------------------------------------------------------


@asynccontextmanager
async def huge_server() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.rocketchat.huge_server", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


@pytest.fixture
def without_others_garbage() -> Iterator[None]:
    """The collector stops all threads to look at everything pytest has: not what is measured."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("without_others_garbage")
@pytest.mark.promise("Rocket.Chat's REST API, also when it hangs, does not block the event loop.")
async def test_the_loop_runs_on(proof: Proof) -> None:
    """Seven calls hang, and the eighth thread reads twenty thousand messages at a time."""
    pauses: list[float] = []

    async def tick() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.001)
            pauses.append(time.monotonic() - began)

    async with huge_server() as url:
        rest = Rest(url, "uid", TOKEN, timeout=120)
        stuck = [asyncio.create_task(rest.get("hang")) for _ in range(7)]
        ticker = asyncio.create_task(tick())
        answers = 0
        while answers < proof.amount(2, long=200) and proof.in_time():
            assert len((await rest.get("huge"))["updated"]) == MESSAGES
            answers += 1
        ticker.cancel()
        await rest.close()
        await asyncio.gather(*stuck, return_exceptions=True)
    pauses.sort()
    proof.measured(
        answers_of_20000_messages=answers,
        longest_pause_ms=round(pauses[-1] * 1000),
        median_pause_ms=round(pauses[len(pauses) // 2] * 1000),
    )
    assert len(pauses) > 20


async def test_nothing_secret_is_said_or_logged(
    server: LoneServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("me", breaks, cuts, says("<html>" + TOKEN, 500), UNAUTHORISED)
    errors: list[BaseException] = []
    for url, times in ((server.url, 4), ("http://127.0.0.1:1", 1), ("http://no.invalid", 1)):
        rest = Rest(url, "uid", TOKEN, timeout=1, pauses=(0.01, 0.02))
        for _ in range(times):
            with pytest.raises(RestError) as caught:
                await rest.get("me", canary="parameter-canary")
            errors.append(caught.value)
        assert TOKEN not in repr(rest)
        await rest.close()
    told = [repr(e) + repr(e.__cause__) + repr(e.__context__) + repr(vars(e)) for e in errors]
    for words in (*told, caplog.text):
        assert TOKEN not in words
        assert "parameter-canary" not in words
