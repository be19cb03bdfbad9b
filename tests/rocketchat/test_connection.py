"""The realtime socket: how it comes up, every way it can end, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket as sockets
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from queue import Queue

import pytest
import trustme

from bot.chat.rocketchat.ddp.connection import MAX_FRAME_BYTES, address_of, converse
from bot.chat.rocketchat.ddp.events import Event, Live, Lost
from bot.chat.rocketchat.ddp.protocol import Session, Timings
from tests.conftest import Proof
from tests.rocketchat.listener import FEARFUL, HASTY, QUICK, Listener
from tests.rocketchat.lone_socket import (
    BOT,
    CONNECTED,
    TOKEN,
    Partner,
    message,
    partner,
    speaker,
)


def listener_at(url: str, timings: Timings = QUICK, tls: ssl.SSLContext | None = None) -> Listener:
    return Listener(url, BOT, TOKEN, timings=timings, tls=tls)


def ids(listener: Listener) -> list[str]:
    return [seen.document["_id"] for seen in listener.messages()]


async def lost(url: str, timings: Timings = QUICK, tls: ssl.SSLContext | None = None) -> Lost:
    """How a conversation with this server ends."""
    return await listener_at(url, timings, tls).end()


# Coming up


async def test_it_logs_in_and_hears_messages() -> None:
    async def act(server: Partner) -> None:
        await server.says({"server_id": "0"}, {"msg": "ping"})
        await server.goes_live(pinged=True)
        await server.says(message("m1"), "{garbage", b"binary", message("m2"))
        await server.waits_for_the_end()

    async with partner(act) as url:
        listener = listener_at(url)
        await listener.until(lambda it: ids(it) == ["m1", "m2"])
        assert await listener.live() == Live(())
        await listener.hang_up()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://chat.example.org", "wss://chat.example.org/websocket"),
        ("https://chat.example.org/", "wss://chat.example.org/websocket"),
        (
            "https://chat.example.org:8443/team/chat//",
            "wss://chat.example.org:8443/team/chat/websocket",
        ),
        ("http://[::1]:3000", "ws://[::1]:3000/websocket"),
    ],
)
def test_the_address_keeps_the_path_of_the_workspace(url: str, address: str) -> None:
    assert address_of(url) == address


async def test_a_path_prefix_reaches_the_server() -> None:
    paths: list[str] = []

    async def act(server: Partner) -> None:
        assert server.socket.request is not None
        paths.append(server.socket.request.path)

    async with partner(act) as url:
        await lost(f"{url}/team/chat/")
    assert paths == ["/team/chat/websocket"]


async def test_frames_are_compressed_and_the_environment_has_no_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offered: list[object] = []

    async def act(server: Partner) -> None:
        offered.extend(extension.name for extension in server.socket.protocol.extensions)
        assert server.socket.request is not None
        offered.append(server.socket.request.headers["User-Agent"])

    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy"):
        monkeypatch.setenv(name, "http://proxy.invalid:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    async with partner(act) as url:
        await lost(url)
    assert offered == ["permessage-deflate", "bbb-bot"]


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_an_own_authority_is_trusted_when_it_is_named(authority: trustme.CA) -> None:
    async def act(server: Partner) -> None:
        await server.goes_live()

    async with partner(act, tls=certified(authority, "localhost")) as url:
        assert (await lost(url, tls=trusting(authority))).reason.endswith("(1000 )")
        assert (
            "certificate is refused" in (await lost(url, tls=ssl.create_default_context())).reason
        )


async def test_a_certificate_for_another_name_is_refused(authority: trustme.CA) -> None:
    heard: list[object] = []

    async def act(server: Partner) -> None:
        heard.append(server)

    async with partner(act, tls=certified(authority, "elsewhere.example.org")) as url:
        end = await lost(url, tls=trusting(authority))
    assert "certificate is refused" in end.reason and "localhost" in end.reason
    assert not end.terminal and heard == []


# Not coming up


async def test_nobody_listens() -> None:
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        end = await lost(f"http://127.0.0.1:{free.getsockname()[1]}")
    assert end == Lost("no connection (Connection refused)")


async def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(*args: object, **more: object) -> None:
        raise sockets.gaierror(sockets.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    assert await lost("http://no-such-host.invalid") == Lost("the server's name is not known")


async def test_https_at_a_server_without_it(authority: trustme.CA) -> None:
    async with speaker(b"HTTP/1.1 400 Bad Request\r\n\r\n", after=b"") as url:
        end = await lost(url.replace("http:", "https:"), tls=trusting(authority))
    assert end == Lost("no TLS there (WRONG_VERSION_NUMBER)")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n"
            b"<html></html>",
            "HTTP 502",
            id="a proxy's 502",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n<html>", "HTTP 200", id="a page"),
        pytest.param(b"HTTP/1.1 403 No\r\nSet-Cookie: a=b\r\n\r\n", "HTTP 403", id="a refusal"),
        pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n", "InvalidUpgrade", id="half a handshake"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "InvalidMessage", id="another protocol"),
        pytest.param(b"", "InvalidMessage", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500, "InvalidMessage", id="headers"),
    ],
)
async def test_it_is_no_realtime_service(answer: bytes, told: str) -> None:
    async with speaker(answer) as url:
        end = await lost(url)
    assert told in end.reason and not end.terminal


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("same", [True, False], ids=["same server", "other server"])
async def test_a_redirect_is_not_followed(status: int, same: bool) -> None:
    heard: list[Partner] = []

    async def act(server: Partner) -> None:
        heard.append(server)

    async with partner(act) as elsewhere:
        target = "/websocket" if same else f"{elsewhere}/websocket".replace("http", "ws")
        answer = f"HTTP/1.1 {status} Go\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
        async with speaker(answer.encode()) as url:
            end = await lost(url)
    assert f"HTTP {status}: configure the address it redirects to" in end.reason
    assert heard == []


async def test_a_server_that_takes_the_connection_and_says_nothing() -> None:
    async with speaker(None) as url:
        assert (await lost(url, HASTY)).reason == "the realtime service did not answer in time"


# Ending


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1007, 1011, 4000])
@pytest.mark.parametrize("when", ["greeted", "logged in", "live"])
async def test_a_close_says_its_code(code: int, when: str) -> None:
    async def act(server: Partner) -> None:
        if when == "logged in":
            await server.logs_in()
        elif when == "live":
            await server.goes_live()
        await server.socket.close(code, "TIMEOUT")

    async with partner(act) as url:
        end = await lost(url)
    assert end == Lost(f"the server closed the connection ({code} TIMEOUT)")


@pytest.mark.parametrize("how", ["reset", "end of stream", "reset in the middle of a frame"])
async def test_the_link_breaks_off(how: str) -> None:
    async def act(server: Partner) -> None:
        await server.goes_live()
        if how == "end of stream":
            server.transport.close()
        else:
            if "frame" in how:
                server.transport.write(b"\x81\x7e\x40\x00half")
            server.resets()

    async with partner(act) as url:
        assert await lost(url) == Lost("the connection broke off")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(b"\x81\x02\xff\xfe", 1007, id="text that is no UTF-8"),
        pytest.param(b"\xf1\x01a", 1002, id="reserved bits"),
        pytest.param(b"\x83\x00", 1002, id="an unknown kind of frame"),
        pytest.param(b"\x81\x7f" + (10**12).to_bytes(8, "big"), 1009, id="a terabyte announced"),
    ],
)
async def test_a_server_that_breaks_the_websocket(frame: bytes, code: int) -> None:
    async def act(server: Partner) -> None:
        await server.goes_live()
        server.transport.write(frame)
        await server.waits_for_the_end()

    async with partner(act) as url:
        assert await lost(url) == Lost(f"the server broke the protocol ({code})")


async def test_a_message_of_a_megabyte_is_heard_and_a_bomb_is_not_unpacked() -> None:
    async def act(server: Partner) -> None:
        await server.goes_live()
        await server.says(message("m1", msg="x" * 2**20))
        await server.says(message("m2", msg=" " * (MAX_FRAME_BYTES + 1)))
        await server.waits_for_the_end()

    async with partner(act) as url:
        listener = listener_at(url)
        assert await listener.end() == Lost("the server broke the protocol (1009)")
    assert ids(listener) == ["m1"]


@pytest.mark.parametrize("reads", [True, False], ids=["no pong", "reads nothing either"])
async def test_a_half_open_socket_is_found_out(reads: bool) -> None:
    heard: list[str] = []

    async def act(server: Partner) -> None:
        await server.goes_live()
        if not reads:
            server.transport.pause_reading()
        else:
            heard.append((await server.hears("ping"))["msg"])
        await server.waits_for_the_end()

    async with partner(act) as url:
        assert "nothing was heard" in (await lost(url, FEARFUL)).reason
    assert heard == ["ping"] * reads


async def test_an_answered_ping_keeps_the_connection() -> None:
    pings = 0

    async def act(server: Partner) -> None:
        nonlocal pings
        await server.goes_live()
        while pings < 5:
            ping = await server.hears("ping")
            pings += 1
            await server.says({**ping, "msg": "pong"})

    patient = Timings(step=20, ping_after=0.05, dead_after=20, tick=0.02, close=0.05)
    async with partner(act) as url:
        assert (await lost(url, patient)).reason.endswith("(1000 )")
    assert pings == 5


async def test_a_revoked_token_is_terminal() -> None:
    async def act(server: Partner) -> None:
        await server.hears("connect")
        await server.says(CONNECTED)
        login = await server.hears("method")
        await server.says({"msg": "result", "id": login["id"], "error": {"error": 403}})
        await server.waits_for_the_end()

    async with partner(act) as url:
        assert await lost(url) == Lost("the login was refused (403)", terminal=True)


async def test_what_the_listener_raises_is_not_swallowed() -> None:
    async def act(server: Partner) -> None:
        await server.goes_live()
        await server.waits_for_the_end()

    def on_event(event: Event) -> None:
        raise RuntimeError("a mistake of ours")

    async with partner(act) as url:
        with pytest.raises(RuntimeError, match="a mistake of ours"):
            await converse(url, Session(BOT, TOKEN, timings=QUICK), ssl=None, on_event=on_event)


# Hanging up


@asynccontextmanager
async def _live(act_after: str) -> AsyncIterator[str]:
    async def act(server: Partner) -> None:
        await server.goes_live()
        if act_after == "reads nothing":
            server.transport.pause_reading()
        await server.waits_for_the_end()

    async with partner(act) as url:
        yield url


@pytest.mark.parametrize("server", ["well", "reads nothing"])
async def test_hanging_up_takes_no_longer_than_the_farewell_may(server: str) -> None:
    before = asyncio.all_tasks()
    async with _live(server) as url:
        listener = listener_at(url)
        await listener.live()
        await listener.hang_up()
    assert asyncio.all_tasks() == before
    assert Timings().close < 1


async def test_hanging_up_while_it_connects() -> None:
    async with speaker(None) as url:
        listener = listener_at(url)
        await asyncio.sleep(0.05)
        await listener.hang_up()


async def test_hanging_up_during_the_tls_handshake(authority: trustme.CA) -> None:
    async with speaker(None) as url:
        listener = listener_at(url.replace("http", "https"), tls=trusting(authority))
        await asyncio.sleep(0.05)
        await listener.hang_up()


# Keeping quiet


async def test_the_token_is_in_no_log_and_no_reason(caplog: pytest.LogCaptureFixture) -> None:
    async def act(server: Partner) -> None:
        await server.hears("connect")
        await server.says(CONNECTED)
        login = await server.hears("method")
        await server.says({"msg": "error", "reason": "Bad request", "offendingMessage": login})
        await server.says(
            {"msg": "result", "id": login["id"], "result": {"id": BOT, "token": TOKEN}}
        )
        await server.socket.close(4000, f"who is {TOKEN}?")

    caplog.set_level(logging.DEBUG)
    for name in ("websockets", "websockets.client", "asyncio", converse.__module__):
        caplog.set_level(logging.DEBUG, logger=name)
    async with partner(act) as url:
        listener = listener_at(url)
        end = await listener.end()
    assert "4000 who is [hidden]?" in end.reason
    told = [record.getMessage() + str(vars(record)) for record in caplog.records]
    assert not [line for line in told if TOKEN in line]


# Pings and bursts


async def test_a_ping_is_answered_while_handlers_are_busy() -> None:
    answered = asyncio.Event()

    async def act(server: Partner) -> None:
        await server.goes_live()
        await server.says(*(message(f"m{n}") for n in range(100)), {"msg": "ping", "id": "x"})
        assert await server.hears("pong") == {"msg": "pong", "id": "x"}
        answered.set()
        await server.waits_for_the_end()

    async def handle(queue: asyncio.Queue[Event]) -> None:
        while True:
            await queue.get()
            await answered.wait()

    queue: asyncio.Queue[Event] = asyncio.Queue()
    handler = asyncio.create_task(handle(queue))
    async with partner(act) as url, asyncio.timeout(30):
        session = Session(BOT, TOKEN, timings=QUICK)
        talk = asyncio.create_task(converse(url, session, ssl=None, on_event=queue.put_nowait))
        await answered.wait()
        handler.cancel()
        talk.cancel()
        await asyncio.gather(handler, talk, return_exceptions=True)


@contextmanager
def bursting(frames: int) -> Iterator[str]:
    """A server in a thread of its own that sends so many messages in one go."""
    url: Queue[str] = Queue()
    over = threading.Event()

    async def act(server: Partner) -> None:
        await server.goes_live()
        for n in range(frames):
            server.socket.protocol.send_text(json.dumps(message(f"m{n}", md="x" * 300)).encode())
        server.socket.send_data()
        await server.waits_for_the_end()

    async def serve() -> None:
        async with partner(act) as address:
            url.put(address)
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield url.get(timeout=30)
    finally:
        over.set()
        thread.join()


@pytest.mark.promise("A burst of 1,000 messages never holds up the event loop for 50 ms.")
async def test_a_burst_does_not_hold_up_the_loop(proof: Proof) -> None:
    frames = proof.amount(1000, long=20_000)
    longest, most, heard = 0.0, 0, 0
    gc.disable()  # in a process full of tests it takes longer than all frames together
    with bursting(frames) as url:
        listener = listener_at(url)
        async with asyncio.timeout(60):
            while heard < frames:
                before = time.thread_time()  # processor time: others on this machine do not count
                await asyncio.sleep(0)
                longest = max(longest, time.thread_time() - before)
                most, heard = max(most, len(listener.events) - heard), len(listener.events)
        await listener.hang_up()
    gc.enable()
    proof.measured(frames=frames, longest_ms=round(longest * 1000, 1))
    assert longest < 0.05
    assert most <= 2, "everybody else has a turn between two frames"
