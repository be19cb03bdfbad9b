"""What is set to break breaks, before or after the work is done; everything else goes on."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from xml.etree.ElementTree import ParseError, fromstring

import httpx
import pytest

from bot.demo.bbb import Fault, SimulatedBBB, gate
from bot.demo.bbb.faults import ALL, DAMAGED, INSTEAD, ROOT, Faults
from bot.demo.bbb.run import serving
from tests.demo_bbb.caller import API, ROOM, Caller, address, said, xml

CREATE = {"name": "Team é", "meetingID": ROOM}
CUT = {Fault.HANG, Fault.NEVER_TOLD, Fault.DRIP, Fault.RESET, Fault.LOST_REPLY}

SEEN: dict[Fault, tuple[int, str]] = {
    Fault.BAD_GATEWAY: (502, "text/html"),
    Fault.UNAVAILABLE: (503, "text/html"),
    Fault.URI_TOO_LONG: (414, "text/html"),
    Fault.LOGIN_PAGE: (200, "text/html"),
    Fault.FOUND: (302, ""),
    Fault.MOVED: (307, ""),
    Fault.UNAUTHORIZED: (401, "text/plain"),
    Fault.FORBIDDEN: (403, "text/plain"),
    Fault.BAD_REQUEST: (400, "text/plain"),
    Fault.XML_500: (500, "text/xml"),
    Fault.NO_MESSAGE_KEY: (200, "text/xml"),
    Fault.WRONG_CHECKSUM: (200, "text/xml"),
    Fault.XML_BOMB: (200, "text/xml"),
    Fault.GZIP_BOMB: (200, "text/xml"),
}


def not_xml(body: bytes) -> bool:
    try:
        fromstring(body)
    except ParseError:
        return True
    return False


def is_bare(body: bytes) -> bool:
    return {"voiceBridge", "messageKey", "attendeePW"}.isdisjoint(e.tag for e in fromstring(body))


def has_strangers(body: bytes) -> bool:
    root = fromstring(body)
    return root[0].tag == "somethingNew" and root[0].find("meetingID") is not None


SUFFERS: dict[Fault, Callable[[bytes], bool]] = {
    Fault.EMPTY: lambda body: body == b"",
    Fault.TRUNCATED: not_xml,
    Fault.WRONG_CHARSET: lambda body: b"\xe9" in body and not_xml(body),
    Fault.BARE: is_bare,
    Fault.STRANGE_ELEMENTS: has_strangers,
}


def test_every_fault_has_a_test_here() -> None:
    assert set(Fault) == CUT | set(SEEN) | set(SUFFERS)
    assert (set(INSTEAD), set(DAMAGED)) == (set(SEEN), set(SUFFERS))


@pytest.mark.parametrize("fault", SEEN, ids=str)
async def test_instead_of_the_call(fault: Fault, bbb: Caller) -> None:
    bbb.simulated.faults.set(fault, call="create")
    answer = await bbb.get("create", **CREATE)
    status, kind = SEEN[fault]
    assert answer.status_code == status
    assert answer.headers.get("content-type", "").partition(";")[0] == kind
    assert bbb.simulated.state.meetings() == []


async def test_a_failure_without_a_key_has_only_words(bbb: Caller) -> None:
    bbb.simulated.faults.set(Fault.NO_MESSAGE_KEY)
    root = await bbb.ask("getMeetings")
    assert [child.tag for child in root] == ["returncode", "message"]
    assert said(root)[0] == "FAILED"


@pytest.mark.parametrize("fault", SUFFERS, ids=str)
async def test_the_work_is_done_and_the_answer_suffers(fault: Fault, bbb: Caller) -> None:
    bbb.simulated.faults.set(fault, call="create")
    answer = await bbb.get("create", **CREATE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert SUFFERS[fault](answer.content)
    assert len(bbb.simulated.state.meetings()) == 1


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.LOST_REPLY], ids=str)
async def test_without_a_network_a_cut_is_httpxs_read_error(fault: Fault, bbb: Caller) -> None:
    bbb.simulated.faults.set(fault, call="create", times=1)
    with pytest.raises(httpx.ReadError):
        await bbb.get("create", **CREATE)
    assert said(await bbb.ask("create", **CREATE))[1] == "duplicateWarning"


async def test_a_hanging_call_can_be_given_up_and_did_nothing(bbb: Caller) -> None:
    bbb.simulated.faults.set(Fault.HANG, call="create", times=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bbb.get("create", **CREATE), 0.05)
    assert said(await bbb.create()) == ("SUCCESS", "")


async def test_a_call_that_is_never_told_of_was_done(bbb: Caller) -> None:
    bbb.simulated.faults.set(Fault.NEVER_TOLD, call="create", times=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bbb.get("create", **CREATE), 0.05)
    assert said(await bbb.ask("create", **CREATE))[1] == "duplicateWarning"


async def test_the_bombs_are_small_until_they_are_opened(bbb: Caller) -> None:
    bbb.simulated.faults.set(Fault.GZIP_BOMB)
    packed = b"".join([piece async for piece in _raw(bbb, address("getMeetings", {}))])
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) > 20_000_000
    bbb.simulated.faults.set(Fault.XML_BOMB)
    answer = await bbb.get("getMeetings")
    assert len(answer.content) < 2_000
    assert answer.text.count("<!ENTITY") == 10


async def _raw(bbb: Caller, url: str) -> AsyncIterator[bytes]:
    async with bbb.http.stream("GET", url) as answer:
        async for piece in answer.aiter_raw():
            yield piece


async def test_a_damaged_redirect_is_still_a_redirect(bbb: Caller) -> None:
    await bbb.create()
    for fault in SUFFERS:
        bbb.simulated.faults.set(fault, call="join")
        url = address("join", {"fullName": "Ana", "meetingID": ROOM, "role": "VIEWER"})
        assert (await bbb.http.get(url)).status_code == 302


# --- which call, how often -------------------------------------------------------------------


def test_one_for_a_call_goes_before_one_for_all() -> None:
    faults = Faults()
    faults.set(Fault.EMPTY)
    faults.set(Fault.HANG, call="end", times=2)
    taken = [faults.take(call) for call in ("end", "create", "end", "end", ROOT)]
    assert taken == [Fault.HANG, Fault.EMPTY, Fault.HANG, Fault.EMPTY, Fault.EMPTY]
    assert faults.listed() == [(ALL, Fault.EMPTY, None)]
    faults.clear()
    assert faults.take("end") is None


async def test_the_root_breaks_alone_and_pages_never(bbb: Caller) -> None:
    bbb.simulated.faults.set(Fault.BAD_GATEWAY, call=ROOT)
    assert (await bbb.http.get(f"{API}/")).status_code == 502
    assert (await bbb.get("getMeetings")).status_code == 200
    bbb.simulated.faults.set(Fault.BAD_GATEWAY)
    assert (await bbb.http.get("http://bbb.test/")).status_code == 200


async def test_an_address_over_8_kib_is_always_too_long(bbb: Caller) -> None:
    short = address("create", CREATE | {"welcome": ""})
    room = 8 * 1024 - len(short.removeprefix("http://bbb.test"))
    fits = await bbb.get("create", **CREATE, welcome="x" * room)
    assert fits.status_code == 200
    longer = await bbb.get("create", **CREATE, welcome="x" * (room + 1))
    assert (longer.status_code, longer.headers["content-type"]) == (414, "text/html; charset=utf-8")


# --- what was seen ---------------------------------------------------------------------------


async def test_every_request_is_written_down_as_it_came(bbb: Caller) -> None:
    url = address("create", {"name": "é b", "meetingID": ROOM})
    await bbb.http.get(url, headers={"User-Agent": "bbb-bot/1"})
    await bbb.http.get("http://bbb.test/simulator")
    seen, page = bbb.simulated.requests
    assert (seen.method, seen.target) == ("GET", url.removeprefix("http://bbb.test"))
    assert "name=%C3%A9+b" in seen.target
    assert (seen.headers["user-agent"], seen.call, page.call) == ("bbb-bot/1", "create", None)
    assert bbb.simulated.calls("create") == [seen]


async def test_the_names_of_calls_and_the_root(bbb: Caller) -> None:
    for path in (API, f"{API}/", f"{API}/hooks/list", "http://bbb.test/bigbluebutton/apix"):
        await bbb.http.get(path)
    assert [seen.call for seen in bbb.simulated.requests] == ["", "", "hooks/list", None]


# --- over a real connection ------------------------------------------------------------------


@pytest.fixture
async def served(simulated: SimulatedBBB) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client with real connections, and the API's address."""
    async with serving(simulated) as url, httpx.AsyncClient(trust_env=False) as http:
        yield http, f"{url}/bigbluebutton/api"


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.LOST_REPLY], ids=str)
async def test_a_real_connection_is_really_cut(
    fault: Fault, served: tuple[httpx.AsyncClient, str], simulated: SimulatedBBB
) -> None:
    http, api = served
    simulated.faults.set(fault, call="create", times=1)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await http.get(address("create", CREATE, api=api))
    again = await http.get(address("create", CREATE, api=api))
    assert said(xml(again))[1] == "duplicateWarning"


async def test_a_reset_comes_in_the_middle_of_the_body(
    simulated: SimulatedBBB, served: tuple[httpx.AsyncClient, str]
) -> None:
    """On the bare socket: status and length were sent, then the connection was reset."""
    api = served[1]
    host, _, port = api.split("/")[2].partition(":")
    simulated.faults.set(Fault.RESET)
    target = address("getMeetings", {}, api="/bigbluebutton/api")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    got = b""
    with pytest.raises(ConnectionResetError):
        while piece := await reader.read(1000):
            got += piece
    writer.close()
    assert got == b"" or (got.startswith(b"HTTP/1.1 200") and b"</response>" not in got)


async def test_a_dripping_answer_comes_whole_in_the_end(
    served: tuple[httpx.AsyncClient, str],
    simulated: SimulatedBBB,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    http, api = served
    simulated.faults.set(Fault.DRIP)
    monkeypatch.setattr(gate, "DRIP_SECONDS", 0)
    answer = await http.get(address("getMeetings", {}, api=api))
    assert said(xml(answer))[0] == "SUCCESS"


async def test_a_real_connection_hangs_until_the_client_gives_up(
    served: tuple[httpx.AsyncClient, str], simulated: SimulatedBBB
) -> None:
    http, api = served
    simulated.faults.set(Fault.HANG, call="create")
    with pytest.raises(httpx.ReadTimeout):
        await http.get(address("create", CREATE, api=api), timeout=0.1)
    assert simulated.state.meetings() == []


async def test_the_server_stops_at_once_although_a_call_hangs(simulated: SimulatedBBB) -> None:
    simulated.faults.set(Fault.HANG)
    async with httpx.AsyncClient(trust_env=False) as http:
        async with asyncio.timeout(2), serving(simulated) as url:
            hanging = asyncio.create_task(http.get(f"{url}/bigbluebutton/api/"))
            while not simulated.requests:
                await asyncio.wait([hanging], timeout=0.01)
        with pytest.raises(httpx.TransportError):
            await hanging
