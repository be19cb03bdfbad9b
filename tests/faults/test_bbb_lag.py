"""Answers made to take long: the event loop goes on meanwhile."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.bbb.client import Client
from commands.errors import ServerTrouble
from tests.conftest import Proof

LONGEST = 0.05
"""Seconds the loop may stand still."""
TRIES = 8
"""A machine that is busy otherwise is late now and then; what blocks the loop does it each time."""

_HEAD = (
    b"<response><returncode>SUCCESS</returncode><internalMeetingID>640a-1</internalMeetingID>"
    b"<createTime>1</createTime><attendees>"
)
_TAIL = b"</attendees></response>"
_ONE = (
    b"<attendee><userID>p-1</userID><fullName>Ana Unal</fullName><role>VIEWER</role>"
    b"<isPresenter>false</isPresenter><isListeningOnly>false</isListeningOnly>"
    b"<hasJoinedVoice>true</hasJoinedVoice><hasVideo>false</hasVideo>"
    b"<clientType>HTML5</clientType></attendee>"
)


def answer(inside: bytes) -> bytes:
    return _HEAD + inside + _TAIL


MB = 1_000_000
ANSWERS = {
    "a meeting of 1000 people": (answer(_ONE * 1000), ""),
    "10 MB of people": (answer(_ONE * (10 * MB // len(_ONE))), ""),
    "4.9 MB of people": (answer(_ONE * (4_900_000 // len(_ONE))), ""),
    "4.9 MB with a character that XML forbids": (answer(b"\x01" + _ONE * 15_000), ""),
    "4.9 MB of nothing": (answer(b"<a/>" * 1_200_000), ""),
    "4.9 MB deep": (answer(b"<a>" * 1_600_000), ""),
    "4.9 MB in one tag": (
        answer(b"<a " + " ".join(f"a{n}='1'" for n in range(350_000)).encode() + b"/>"),
        "",
    ),
    "4.9 MB of references": (answer(b"<a>" + b"&amp;" * 900_000 + b"\x01</a>"), ""),
    "100 kB that unpack to 100 MB": (gzip.compress(_HEAD + b" " * 100 * MB, 1), "gzip"),
}


class Server(httpx.AsyncBaseTransport):
    def __init__(self, body: bytes, coding: str) -> None:
        self._body = body
        self._headers = {"content-type": "text/xml"} | (
            {"content-encoding": coding} if coding else {}
        )

    async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=self._headers, stream=_Stream(self._body))


class _Stream(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), 65_536):
            await asyncio.sleep(0)
            yield self._body[at : at + 65_536]


async def longest_pause(body: bytes, coding: str) -> float:
    """Seconds the loop stood still at most while such an answer was read and thrown away."""
    asking = Client(
        name="one",
        url="https://bbb.example/",
        secrets=["s"],
        bot_version="test",
        transport=Server(body, coding),
        seconds=60,
    )
    task = asyncio.create_task(_asked(asking))
    longest, before = 0.0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    await task
    await asking.close()
    return longest


async def _asked(asking: Client) -> None:
    try:
        await asking.info("mx-1")
    except ServerTrouble:
        pass


@pytest.mark.promise("No answer of BigBlueButton holds the bot up: the loop pauses under 50 ms.")
async def test_no_answer_blocks_the_loop(proof: Proof) -> None:
    pauses = {}
    for name, (body, coding) in ANSWERS.items():
        for _ in range(TRIES):
            pauses[name] = min(pauses.get(name, 9.0), await longest_pause(body, coding))
            if pauses[name] < LONGEST:
                break
    late = {name: pause for name, pause in pauses.items() if pause >= LONGEST}
    assert late == {}
    proof.measured(answers=len(pauses), longest_ms=round(max(pauses.values()) * 1000, 1))


async def test_the_measure_sees_a_loop_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.bbb.client.LONGEST_READ_AT_ONCE", 10 * MB)
    monkeypatch.setattr("bot.bbb.parse.MOST_ELEMENTS", 10 * MB)
    assert await longest_pause(answer(_ONE * 12_000), "") > LONGEST
