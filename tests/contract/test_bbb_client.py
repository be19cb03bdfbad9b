"""The client and the pool against a server that answers as told, well or badly."""

import asyncio
import gzip
import hashlib
import logging
import re
import socket
import ssl
import traceback
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from bot.bbb.client import LONGEST_ANSWER, LONGEST_READ_AT_ONCE, Client
from bot.bbb.pool import ServerPool
from commands.errors import (
    AnswerLost,
    Garbled,
    NoSuchMeeting,
    NotBBB,
    ServerBroken,
    ServerBusy,
    ServerRefused,
    ServerTimedOut,
    ServerTrouble,
    ServerUnreachable,
    WrongSecret,
)
from commands.ports import MeetingPlan, MeetingServers, Seat

SECRET, PREVIOUS = "s3cret-of-now", "s3cret-of-before"
URL = "https://bbb.example.org/bigbluebutton/api/"
PLAN = MeetingPlan("mx-private-id", "Stand-up & co", record=True)
SESSION = (
    "<internalMeetingID>640a-1531155809613</internalMeetingID>"
    "<createTime>1531155809613</createTime>"
)

Answer = Callable[[httpx.Request], Any]


def success(inside: str = SESSION) -> httpx.Response:
    return xml(f"<response><returncode>SUCCESS</returncode>{inside}</response>")


def failed(key: str) -> httpx.Response:
    reason = f"<messageKey>{key}</messageKey>"
    return xml(f"<response><returncode>FAILED</returncode>{reason}</response>")


def xml(text: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, text=text, headers={"content-type": "text/xml;charset=utf-8"})


class Server(httpx.AsyncBaseTransport):
    """Gives the prepared answers in turn, the last one for ever, and keeps the requests.

    An answer is a response, an error, or a function of the request.
    """

    def __init__(self, *answers: httpx.Response | Exception | Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = await answer(request)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        return _unread(answer)

    @property
    def calls(self) -> list[str]:
        return [request.url.path.rpartition("/")[2] for request in self.requests]

    def parameters(self, at: int = 0) -> dict[str, str]:
        """What a request says, after its signature was checked over the raw bytes."""
        raw = self.requests[at].url.raw_path
        path, _, query = raw.partition(b"?")
        signed, _, checksum = query.rpartition(b"checksum=")
        call = path.rpartition(b"/")[2]
        valid = [
            hashlib.sha256(call + signed.removesuffix(b"&") + secret.encode()).hexdigest()
            for secret in (SECRET, PREVIOUS)
        ]
        assert checksum.decode() in valid
        read = parse_qs(signed.decode(), errors="strict")
        return {name: value for name, [value] in read.items()}


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces, each after `pause` seconds."""

    def __init__(self, pieces: Iterator[bytes] | list[bytes], pause: float = 0) -> None:
        self.pieces, self.pause, self.sent = pieces, pause, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(self.pause)
            self.sent += len(piece)
            yield piece


def _unread(answer: httpx.Response) -> httpx.Response:
    """The answer as it comes from a network: its body still to be read."""
    if not answer.is_stream_consumed:
        return answer
    body = Pieces([answer.content])
    return httpx.Response(answer.status_code, headers=answer.headers, stream=body)


def client(server: httpx.AsyncBaseTransport | None, **options: Any) -> Client:
    given: dict[str, Any] = {
        "name": "one",
        "url": URL,
        "secrets": [SECRET],
        "bot_version": "0.1.0",
        "home": "meet.example.org",
        "seconds": 5.0,
        "transport": server,
        **options,
    }
    return Client(**given)


def pool(server: httpx.AsyncBaseTransport, **options: Any) -> ServerPool:
    return ServerPool(
        {"one": client(server, **options)}, chosen="one", origins=["https://bbb.example.org"]
    )


def answers(answer: httpx.Response) -> Answer:
    async def answering(_: httpx.Request) -> httpx.Response:
        return answer

    return answering


async def never(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


# --- what is sent ----------------------------------------------------------------------------


async def test_create_sends_the_plan_signed_and_without_passwords() -> None:
    server = Server(success("<messageKey>duplicateWarning</messageKey>" + SESSION))
    made = await client(server).create(PLAN)

    assert server.parameters() == {
        "meetingID": "mx-private-id",
        "name": "Stand-up & co",
        "record": "true",
        "autoStartRecording": "false",
        "allowStartStopRecording": "true",
        "muteOnStart": "false",
        "guestPolicy": "ALWAYS_ACCEPT",
        "meta_bbb-origin": "bbb-bot",
        "meta_bbb-origin-version": "0.1.0",
        "meta_bbb-origin-server-name": "meet.example.org",
    }
    assert (made.meeting_id, made.create_time, made.duplicate) == (
        "mx-private-id",
        1531155809613,
        True,
    )


async def test_who_asks_and_what_is_accepted_stand_in_the_headers() -> None:
    server = Server(success())
    await client(server).info("mx-1")
    headers = server.requests[0].headers
    assert headers["user-agent"] == "bbb-bot/0.1.0"
    assert headers["accept"] == "application/xml, text/xml, */*"


async def test_the_longest_addresses_stay_under_2_kib() -> None:
    server = Server(success())
    plan = MeetingPlan("mx-" + "x" * 97, "😀" * 300, welcome="wörd " * 900, logout_url=URL * 9)
    asking = client(server, url=f"https://{'sub.' * 40}example.org/bigbluebutton/api/")
    seat = Seat("mx-" + "x" * 97, "😀" * 300, moderator=False, create_time=1, user_id="x" * 64)
    await asking.create(plan)
    await asking.say("mx-1", "漢" * 500)
    assert max(len(str(request.url)) for request in server.requests) < 2048
    assert len(asking.join_url(seat)) < 2048


def test_a_join_url_is_signed_and_bound_to_the_session() -> None:
    seat = Seat("mx-1", "Ana Ünal", moderator=True, create_time=1531155809613, user_id="p1")
    url = client(Server(success())).join_url(seat)

    address, _, query = url.partition("?")
    signed, _, checksum = query.rpartition("&checksum=")
    assert address == f"{URL}join"
    assert checksum == hashlib.sha256(f"join{signed}{SECRET}".encode()).hexdigest()
    assert parse_qs(signed) == {
        "fullName": ["Ana Ünal"],
        "meetingID": ["mx-1"],
        "role": ["MODERATOR"],
        "createTime": ["1531155809613"],
        "userID": ["p1"],
    }


async def test_the_algorithm_is_a_setting() -> None:
    server = Server(success())
    await client(server, algorithm="sha512").info("mx-1")
    assert re.search(rb"&checksum=[0-9a-f]{128}$", server.requests[0].url.raw_path)


@pytest.mark.parametrize("secrets", [[], [""], ["a", ""]])
def test_a_server_without_a_secret_is_not_started_with(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        client(None, secrets=secrets)


# --- answers ---------------------------------------------------------------------------------


async def test_info_of_a_meeting_and_of_none() -> None:
    asking = client(Server(success("<running>true</running>" + SESSION), failed("notFound")))
    seen = await asking.info("mx-1")
    assert seen is not None and seen.running
    assert await asking.info("mx-1") is None


async def test_no_answer_is_not_taken_for_no_meeting() -> None:
    with pytest.raises(NotBBB):
        await client(Server(xml("<html/>", 404))).info("mx-1")


async def test_the_end_of_a_meeting_that_is_gone_is_done() -> None:
    server = Server(success("<messageKey>sentEndMeetingRequest</messageKey>"), failed("notFound"))
    asking = client(server)
    await asking.end("mx-1")
    await asking.end("mx-1")
    assert server.calls == ["end", "end"]


async def test_say_reaches_the_chat_or_nobody() -> None:
    server = Server(success("<messageKey/>"), failed("meetingNotFound"))
    asking = client(server)
    await asking.say("mx-1", "hello\x0b all")
    assert server.parameters() == {"meetingID": "mx-1", "message": "hello all"}
    with pytest.raises(NoSuchMeeting):
        await asking.say("mx-1", "hello")


async def test_the_version_is_asked_without_a_signature() -> None:
    server = Server(success("<version>2.0</version><bbbVersion>3.0.19</bbbVersion>"))
    assert (await client(server).version()).bbb == "3.0.19"
    assert str(server.requests[0].url) == URL


async def test_the_secret_is_checked_with_an_id_nobody_has() -> None:
    server = Server(success("<running>false</running>"), failed("checksumError"))
    asking = client(server)
    await asking.check_secret()
    with pytest.raises(WrongSecret):
        await asking.check_secret()
    assert server.calls == ["isMeetingRunning"] * 2
    assert server.parameters(0) != server.parameters(1)


async def test_a_large_answer_is_read_without_holding_up_the_rest() -> None:
    one = "<attendee><userID>p</userID><fullName>Ana</fullName></attendee>"
    count = LONGEST_READ_AT_ONCE // len(one) + 1
    seen = await client(Server(success(f"{SESSION}<attendees>{one * count}</attendees>"))).info("m")
    assert seen is not None and seen.participants == count


# --- two secrets -----------------------------------------------------------------------------


def accepts(secret: str) -> Answer:
    async def answer(request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.partition(b"?")
        signed, _, checksum = query.rpartition(b"&checksum=")
        text = path.rpartition(b"/")[2] + signed + secret.encode()
        right = checksum.decode() == hashlib.sha256(text).hexdigest()
        return success() if right else failed("checksumError")

    return answer


async def test_the_other_secret_is_tried_once_and_then_remembered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server(accepts(PREVIOUS))
    asking = client(server, secrets=[SECRET, PREVIOUS])
    await asking.info("mx-1")
    await asking.info("mx-1")
    assert len(server.requests) == 3

    seat = Seat("mx-1", "Ana", moderator=True, create_time=1, user_id="p")
    signed, _, checksum = asking.join_url(seat).partition("?")[2].rpartition("&checksum=")
    assert checksum == hashlib.sha256(f"join{signed}{PREVIOUS}".encode()).hexdigest()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert not leaks_in(caplog.text)


async def test_when_the_server_has_changed_its_secret_the_new_one_is_found_again() -> None:
    server = Server(accepts(PREVIOUS))
    asking = client(server, secrets=[SECRET, PREVIOUS])
    await asking.info("mx-1")
    server.answers = [accepts(SECRET)]
    await asking.info("mx-1")
    await asking.info("mx-1")
    assert len(server.requests) == 2 + 2 + 1


async def test_two_questions_at_once_agree_on_the_secret() -> None:
    server = Server(accepts(PREVIOUS))
    asking = client(server, secrets=[SECRET, PREVIOUS])
    await asyncio.gather(*(asking.info("mx-1") for _ in range(5)))
    asked = len(server.requests)
    await asking.info("mx-1")
    assert len(server.requests) == asked + 1


@pytest.mark.parametrize("answer", [failed("checksumError"), httpx.Response(401, text="No")])
async def test_when_both_secrets_are_refused_the_first_stays(answer: httpx.Response) -> None:
    server = Server(answer)
    asking = client(server, secrets=[SECRET, PREVIOUS])
    with pytest.raises(WrongSecret):
        await asking.info("mx-1")
    assert len(server.requests) == 2
    server.answers = [accepts(SECRET)]
    await asking.info("mx-1")
    assert len(server.requests) == 3


# --- trouble ---------------------------------------------------------------------------------


def leaks_in(text: str) -> list[str]:
    told = ["s3cret", "bbb.example.org", "mx-private-id", "Stand-up", "checksum="]
    return [word for word in told if word in text] + re.findall(r"[0-9a-f]{40,}", text)


def all_of(error: BaseException | None) -> str:
    """An error with everything that hangs on it, also what a plain traceback leaves out."""
    text = ""
    while error is not None:
        text += "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return text


def cut(request: httpx.Request, kind: type[httpx.TransportError]) -> httpx.TransportError:
    return kind(f"cut: {request.url}", request=request)


def raising(kind: type[httpx.TransportError], cause: Exception | None = None) -> Answer:
    async def answer(request: httpx.Request) -> httpx.Response:
        raise cut(request, kind) from cause

    return answer


def certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "bbb.example.org")
    error.verify_code = code
    return error


def page(text: str = "<html>Log in</html>", status: int = 200) -> httpx.Response:
    return httpx.Response(status, html=text)


def packed(body: bytes, coding: str = "gzip") -> httpx.Response:
    pieces = (body[at : at + 65536] for at in range(0, len(body), 65536))
    return httpx.Response(200, headers={"content-encoding": coding}, stream=Pieces(pieces))


TROUBLE = {
    "refused": (
        raising(httpx.ConnectError, ConnectionRefusedError()),
        ServerUnreachable,
        "refused",
    ),
    "refused at each of two addresses": (
        raising(httpx.ConnectError, ExceptionGroup("", [ConnectionRefusedError()])),
        ServerUnreachable,
        "refused",
    ),
    "no such host": (
        raising(httpx.ConnectError, socket.gaierror()),
        ServerUnreachable,
        "no such host",
    ),
    "no route": (raising(httpx.ConnectError, OSError()), ServerUnreachable, "no connection"),
    "no connection in time": (
        raising(httpx.ConnectTimeout),
        ServerUnreachable,
        "no connection in time",
    ),
    "all our connections in use": (
        raising(httpx.PoolTimeout),
        ServerUnreachable,
        "no connection in time",
    ),
    "certificate expired": (
        raising(httpx.ConnectError, certificate(10)),
        ServerUnreachable,
        "its certificate has expired",
    ),
    "certificate not yet valid": (
        raising(httpx.ConnectError, certificate(9)),
        ServerUnreachable,
        "its certificate is not valid yet",
    ),
    "certificate of another host": (
        raising(httpx.ConnectError, certificate(62)),
        ServerUnreachable,
        "its certificate is for another host",
    ),
    "certificate of an unknown authority": (
        raising(httpx.ConnectError, certificate(20)),
        ServerUnreachable,
        "its certificate is not trusted",
    ),
    "no TLS": (raising(httpx.ConnectError, ssl.SSLError()), ServerUnreachable, "no TLS"),
    "no answer": (never, ServerTimedOut, "no answer in time"),
    "silence after the question": (
        raising(httpx.ReadTimeout),
        ServerTimedOut,
        "no answer in time",
    ),
    "connection reset": (raising(httpx.ReadError), AnswerLost, "the connection was cut"),
    "cut while asking": (raising(httpx.WriteError), AnswerLost, "the connection was cut"),
    "cut in the answer": (
        raising(httpx.RemoteProtocolError),
        AnswerLost,
        "the connection was cut",
    ),
    "login page": (page(), NotBBB, "html"),
    "redirect to a login page": (
        httpx.Response(302, headers={"location": f"{URL}login?s3cret"}),
        NotBBB,
        "redirect",
    ),
    "empty": (httpx.Response(200), Garbled, "empty"),
    "truncated": (xml("<response><returncode>SUCC"), Garbled, "truncated"),
    "plain text": (httpx.Response(200, text="s3cret"), Garbled, "not XML"),
    "entities": (
        xml('<!DOCTYPE a [<!ENTITY b "s3cret">]><response>&b;</response>'),
        Garbled,
        "entities",
    ),
    "too large": (
        httpx.Response(200, stream=Pieces([b"<a>"] + [b" " * 65536] * 999)),
        Garbled,
        "too large",
    ),
    "too large once unpacked": (
        packed(gzip.compress(b"<a>" + b" " * 50_000_000)),
        Garbled,
        "too large",
    ),
    "packed twice": (packed(b"", "gzip, gzip"), Garbled, "encoded twice"),
    "packed badly": (packed(b"<response/>"), Garbled, "encoded badly"),
    "no such address": (page("<html/>", 404), NotBBB, "HTTP 404"),
    "address too long": (page("<html/>", 414), NotBBB, "HTTP 414"),
    "bad request": (httpx.Response(400), NotBBB, "HTTP 400"),
    "proxy without a server": (page("<html>Bad Gateway</html>", 502), ServerBroken, "HTTP 502"),
    "a proxy that passes nothing on": (
        page("<html>Service Unavailable</html>", 503),
        ServerUnreachable,
        "HTTP 503",
    ),
    "broken, in XML": (xml("<response/>", 500), ServerBroken, "HTTP 500"),
    "too many": (httpx.Response(429, headers={"retry-after": "7"}), ServerBusy, "HTTP 429"),
    "unauthorized": (httpx.Response(401, text="Unauthorized"), WrongSecret, "HTTP 401"),
    "forbidden": (httpx.Response(403), WrongSecret, "HTTP 403"),
    "wrong checksum": (failed("checksumError"), WrongSecret, "checksumError"),
    "refused with a key": (failed("idNotUnique"), ServerRefused, "idNotUnique"),
    "refused without a key": (failed(""), ServerRefused, "refused without a reason"),
    "a success that lacks the session": (success(""), Garbled, "incomplete"),
}


@pytest.mark.parametrize(
    ("answer", "kind", "detail"), [pytest.param(*each, id=name) for name, each in TROUBLE.items()]
)
async def test_each_trouble_is_one_error_that_tells_nothing(
    answer: httpx.Response | Answer,
    kind: type[ServerTrouble],
    detail: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    with pytest.raises(ServerTrouble) as caught:
        await client(Server(answer), seconds=0.5).create(PLAN)
    assert type(caught.value) is kind
    assert str(caught.value) == f"one: create: {detail}"
    assert not leaks_in(all_of(caught.value))
    assert not leaks_in(caplog.text)


def test_the_search_for_leaks_finds_them() -> None:
    inner = httpx.ConnectError(f"no way to {URL}")
    outer = ServerUnreachable("one", "create")
    outer.__context__, outer.__suppress_context__ = inner, True
    assert leaks_in(all_of(outer)) == ["bbb.example.org"]


async def test_a_dripping_answer_ends_at_the_deadline() -> None:
    drip = Pieces([b" "] * 10_000, pause=0.01)
    with pytest.raises(ServerTimedOut):
        await client(Server(httpx.Response(200, stream=drip)), seconds=0.2).info("mx-1")
    assert drip.sent < 100


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
async def test_a_packed_answer_is_unpacked_to_its_last_byte(coding: str) -> None:
    text = "<a>" + "x" * 60_000 + "</a>"
    body = success(SESSION + "<running>false</running>" + text * 4).content
    packing = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[coding]
    seen = await client(Server(packed(packing(body), coding))).info("mx-1")
    assert seen is not None and seen.create_time == 1531155809613


async def test_nothing_is_read_beyond_the_limit() -> None:
    flood = Pieces([b"x" * 65536] * 10_000)
    with pytest.raises(NotBBB, match="too large"):
        await client(Server(httpx.Response(200, stream=flood))).info("mx-1")
    assert flood.sent <= LONGEST_ANSWER + 65536


async def test_busy_says_for_how_long() -> None:
    with pytest.raises(ServerBusy) as caught:
        await client(Server(httpx.Response(429, headers={"retry-after": "7"}))).info("mx-1")
    assert caught.value.retry_after == timedelta(seconds=7)


async def test_a_redirect_is_not_followed() -> None:
    server = Server(httpx.Response(307, headers={"location": "https://evil.example/"}), success())
    with pytest.raises(NotBBB, match="redirect"):
        await client(server).info("mx-1")
    assert len(server.requests) == 1


async def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with await asyncio.start_server(answering(success()), "127.0.0.1", 0) as server:
        asking = client(None, url=f"http://127.0.0.1:{port_of(server)}/api/")
        assert await asking.info("mx-1") is not None
        await asking.close()


# --- over a real socket ----------------------------------------------------------------------


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


def answering(answer: httpx.Response | bytes) -> Connected:
    """One answer, then the connection is closed."""
    if isinstance(answer, httpx.Response):
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n" + answer.content

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    return connected


@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        pytest.param(b"", AnswerLost, "the connection was cut", id="cut before the answer"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<response>",
            AnswerLost,
            "the connection was cut",
            id="cut inside the body",
        ),
        pytest.param(b"SSH-2.0-x\r\n\r\n", AnswerLost, "the connection was cut", id="not HTTP"),
    ],
)
async def test_on_the_wire(answer: bytes, kind: type[ServerTrouble], detail: str) -> None:
    async with await asyncio.start_server(answering(answer), "127.0.0.1", 0) as server:
        asking = client(None, url=f"http://127.0.0.1:{port_of(server)}/api/")
        with pytest.raises(ServerTrouble) as caught:
            await asking.create(PLAN)
        await asking.close()
    assert (type(caught.value), caught.value.detail) == (kind, detail)
    assert not leaks_in(all_of(caught.value))


@pytest.mark.parametrize(
    ("host", "detail"),
    [
        pytest.param("127.0.0.1", "refused", id="nobody listens"),
        pytest.param("localhost", "refused", id="nobody listens at any address of the host"),
        pytest.param("bbb.invalid", "no such host", id="the name does not exist"),
    ],
)
async def test_on_the_wire_without_a_server(host: str, detail: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    asking = client(None, url=f"http://{host}:{port}/api/")
    with pytest.raises(ServerUnreachable) as caught:
        await asking.create(PLAN)
    await asking.close()
    assert (type(caught.value), caught.value.detail) == (ServerUnreachable, detail)
    assert not leaks_in(all_of(caught.value))


async def test_the_bytes_on_the_wire_are_the_bytes_that_were_signed() -> None:
    seen = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.set_result(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    plan = MeetingPlan("mx-1", "a+b %2F |[]{}'~é😀 ?#&=;", logout_url="https://x/~a?b=c#d%20")
    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        asking = client(None, url=f"http://127.0.0.1:{port_of(server)}/api/")
        with pytest.raises(AnswerLost):
            await asking.create(plan)
        await asking.close()
    target = (await seen).split()[1]
    signed, _, checksum = target.partition(b"?")[2].rpartition(b"&checksum=")
    expected = hashlib.sha256(b"create" + signed + SECRET.encode()).hexdigest()
    assert checksum.decode() == expected


# --- the pool --------------------------------------------------------------------------------


async def test_the_pool_is_what_the_core_asks_for() -> None:
    server = Server(success())
    servers: MeetingServers = pool(server)
    assert servers.choose() == "one"
    assert list(servers.names()) == ["one"]
    assert list(servers.origins()) == ["https://bbb.example.org"]

    seat = Seat("mx-1", "Ana", moderator=True, create_time=1, user_id="p")
    assert servers.join_url("one", seat).startswith(f"{URL}join?fullName=Ana&")
    assert (await servers.create("one", PLAN)).internal_id == "640a-1531155809613"
    assert await servers.info("one", "mx-1") is not None
    await servers.end("one", "mx-1")
    await servers.say("one", "mx-1", "hello")
    assert server.calls == ["create", "getMeetingInfo", "end", "sendChatMessage"]


@pytest.mark.parametrize(
    "lost",
    [
        never,
        raising(httpx.ReadError),
        raising(httpx.ReadTimeout),
        answers(httpx.Response(200)),
        answers(page("", 502)),
    ],
    ids=["no answer", "connection reset", "silence", "empty", "a broken proxy"],
)
async def test_a_create_whose_answer_was_lost_is_sent_again_as_it_was(lost: Answer) -> None:
    async def slowly(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.01)
        return success("<messageKey>duplicateWarning</messageKey>" + SESSION)

    server = Server(lost, slowly)
    made = await pool(server, seconds=1.0).create("one", PLAN)
    assert made.duplicate
    assert [request.url for request in server.requests] == [server.requests[0].url] * 2


async def test_a_create_that_is_never_answered_ends_within_the_deadline_after_two_tries() -> None:
    server = Server(never)
    async with asyncio.timeout(1.4):
        with pytest.raises(ServerTimedOut):
            await pool(server, seconds=1.0).create("one", PLAN)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [page(), page("", 503), raising(httpx.ConnectError), failed("idNotUnique")],
    ids=["a login page", "nothing behind the proxy", "nobody there", "refused"],
)
async def test_a_create_that_was_answered_is_not_repeated(answer: Any) -> None:
    server = Server(answer)
    with pytest.raises(ServerTrouble):
        await pool(server).create("one", PLAN)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answers",
    [
        [failed("checksumError"), raising(httpx.ReadError), success()],
        [raising(httpx.ReadError), failed("checksumError"), success()],
        [raising(httpx.ReadError), failed("checksumError"), raising(httpx.ReadError)],
    ],
    ids=["refused, lost, done", "lost, refused, done", "lost, refused, lost"],
)
async def test_a_create_takes_three_tries_at_most(answers: list[Any]) -> None:
    server = Server(*answers)
    try:
        await pool(server, secrets=[SECRET, PREVIOUS]).create("one", PLAN)
    except AnswerLost:
        pass
    assert len(server.requests) == 3


async def test_the_pool_is_healthy_while_the_last_question_was_answered() -> None:
    servers = pool(Server(success(), *[page("", 502)] * 2, failed("idNotUnique")))
    assert servers.healthy()
    await servers.create("one", PLAN)
    assert servers.healthy()
    with pytest.raises(ServerBroken):
        await servers.create("one", PLAN)
    assert not servers.healthy()
    with pytest.raises(ServerRefused):
        await servers.create("one", PLAN)
    assert servers.healthy()


async def test_a_server_that_was_taken_out_of_the_configuration_is_trouble_not_a_crash() -> None:
    servers = pool(Server(success()))
    with pytest.raises(ServerUnreachable, match="two: end: not configured any more"):
        await servers.end("two", "mx-1")
    with pytest.raises(ServerUnreachable):
        servers.join_url("two", Seat("m", "Ana", moderator=True, create_time=1, user_id="p"))


def test_the_chosen_server_must_be_there() -> None:
    with pytest.raises(ValueError, match="'two'"):
        ServerPool({"one": client(None)}, chosen="two", origins=[])


async def test_a_closed_pool_has_closed_its_connections() -> None:
    servers = pool(Server(success()))
    await servers.close()
    with pytest.raises(RuntimeError, match="closed"):
        await servers.info("one", "mx-1")


# --- a server that does not answer ------------------------------------------------------------


class Watched:
    """A pool with a clock of its own, and what it told of resting servers."""

    def __init__(self, server: Server, **options: Any) -> None:
        self.now = 0.0
        self.told: list[tuple[str, bool]] = []
        self.servers = ServerPool(
            {"one": client(server, **options)},
            chosen="one",
            origins=[],
            now=lambda: self.now,
            resting=lambda *told: self.told.append(told),
        )


async def test_a_server_that_fails_five_times_is_left_alone_and_heals_by_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "bot")
    server = Server(raising(httpx.ConnectError))
    watched = Watched(server)
    for _ in range(9):
        with pytest.raises(ServerUnreachable):
            await watched.servers.info("one", "mx-1")
    assert len(server.requests) == 5
    assert not watched.servers.healthy()

    await watched.servers.try_again()  # too early
    watched.now += 5
    await watched.servers.try_again()
    assert server.calls[5:] == ["isMeetingRunning"]

    server.answers = [success()]
    watched.now += 10
    await watched.servers.try_again()
    assert watched.servers.healthy()
    assert await watched.servers.info("one", "mx-1") is not None
    assert watched.told == [("one", False), ("one", True), ("one", False)]
    assert [vars(record)["action"] for record in caplog.records] == ["bbb_left_alone", "bbb_back"]
    assert not leaks_in(caplog.text)


async def test_while_it_is_left_alone_nothing_was_done_for_certain() -> None:
    server = Server(raising(httpx.ReadError))
    watched = Watched(server)
    for _ in range(5):
        with pytest.raises(AnswerLost):
            await watched.servers.create("one", PLAN)
    sent = len(server.requests)
    with pytest.raises(ServerUnreachable, match="one: create: left alone for a while") as caught:
        await watched.servers.create("one", PLAN)
    assert not caught.value.in_doubt
    assert len(server.requests) == sent


@pytest.mark.parametrize(
    "answer",
    [failed("idNotUnique"), failed("checksumError"), httpx.Response(429), failed("notFound")],
    ids=["refused", "wrong secret", "busy", "no such meeting"],
)
async def test_a_server_that_refuses_is_not_left_alone(answer: httpx.Response) -> None:
    server = Server(answer)
    watched = Watched(server)
    for _ in range(9):
        with pytest.raises(ServerTrouble):
            await watched.servers.create("one", PLAN)
    assert len(server.requests) == 9


async def test_one_server_left_alone_is_not_the_other() -> None:
    dead, alive = Server(raising(httpx.ConnectError)), Server(success())
    servers = ServerPool(
        {"dead": client(dead), "alive": client(alive)}, chosen="alive", origins=[], now=lambda: 0.0
    )
    for _ in range(9):
        with pytest.raises(ServerUnreachable):
            await servers.info("dead", "mx-1")
        assert await servers.info("alive", "mx-1") is not None
    assert (len(dead.requests), len(alive.requests)) == (5, 9)


async def test_all_that_one_person_waits_for_ends_in_time() -> None:
    async def slowly(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.2)
        return success()

    server = Server(slowly)
    hurried = pool(server, seconds=30.0).within(0.5)
    async with asyncio.timeout(20):
        with pytest.raises(ServerTimedOut):
            for _ in range(9):
                await hurried.info("one", "mx-1")
    assert len(server.requests) <= 3
    with pytest.raises(ServerUnreachable, match="no time left") as caught:
        await hurried.end("one", "mx-1")
    assert not caught.value.in_doubt
    assert server.calls[-1] == "getMeetingInfo"


@pytest.mark.parametrize("kind", [AnswerLost, ServerTimedOut, ServerBroken, Garbled])
def test_only_a_call_that_changes_something_leaves_doubt(kind: type[ServerTrouble]) -> None:
    doubtful = [call for call in ("create", "end", "sendChatMessage") if kind("one", call).in_doubt]
    assert doubtful == ["create", "end", "sendChatMessage"]
    assert not kind("one", "getMeetingInfo").in_doubt


@pytest.mark.parametrize("kind", [ServerUnreachable, NotBBB, ServerBusy, WrongSecret])
def test_what_did_not_get_there_leaves_no_doubt(kind: type[ServerTrouble]) -> None:
    assert not kind("one", "create").in_doubt
