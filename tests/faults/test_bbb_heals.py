"""A BBB that was ill and is well again: commands work, the card goes on, nothing is said twice."""

import asyncio
import time
from collections import Counter

import httpx
import pytest

from bot.demo.bbb import Fault
from bot.web.readiness import Part
from commands import world
from tests.conftest import Proof
from tests.faults.bbb_case import HANGS, UNDERSTOOD, Case, case_of, key_of
from tests.faults.bbb_stage import Past, Theatre

REFUSES = {
    Fault.UNAUTHORIZED,
    Fault.FORBIDDEN,
    Fault.WRONG_CHECKSUM,
    Fault.NO_MESSAGE_KEY,
}
"""The server is there, and says no: it is not left alone."""


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    return Theatre(tmp_path_factory.mktemp("theatre"))


async def told(case: Case, asked: str) -> str:
    """The one answer to a command."""
    said = len(case.said())
    await case.ask(asked)
    [(_, text)] = case.said()[said:]
    return text


@pytest.mark.parametrize("fault", sorted(set(Fault) - UNDERSTOOD), ids=lambda fault: fault.name)
async def test_an_illness_is_overcome(fault: Fault, theatre: Theatre) -> None:
    async with theatre.after(Past.LIVE) as act:
        with case_of(act) as case:
            before = len(case.said())
            await _falls_ill(case, fault)
            await _is_left_alone(case, fault)
            await _recovers(case)
            twice = [text for text, n in Counter(case.said()[before:]).items() if n > 1]
            assert twice == []
            assert case.orphans() == []


async def _falls_ill(case: Case, fault: Fault) -> None:
    case.breaks(fault)
    for _ in range(5):
        assert key_of(await told(case, "status"))
    assert (await case.act.scene.bot.health()).bbb is Part.DEGRADED


async def _is_left_alone(case: Case, fault: Fault) -> None:
    """From the fifth failure on, nothing is sent, and nothing is in doubt."""
    sent = len(case.calls())
    for asked in ("start new", "end", "who"):
        assert key_of(await told(case, asked)) in ("e.bbb", "e.bbb_secret", "e.bbb_busy")
    assert (len(case.calls()) > sent) is (fault in REFUSES)


async def _recovers(case: Case) -> None:
    """The bot finds out by itself, and life goes on where it was."""
    scene = case.act.scene
    await scene.forward(minutes=2)
    case.heals()
    await scene.forward(minutes=1)
    assert (await scene.bot.health()).bbb is Part.OK
    assert "1 person inside" in await told(case, "status")

    await scene.press(f"/j/{case.act.bobs}")
    await scene.forward(seconds=40)
    [card] = [text for _, text in case.said() if "Weekly – " in text]
    assert "2 people in the call" in card
    for name in ("Alice Martin", "Bob Keller"):
        await scene.leaves(name)
    await scene.forward(minutes=3)
    ended = [text for _, text in case.said() if "Weekly ended" in text]
    assert len(ended) == 1


async def test_it_is_found_out_although_nobody_asks_and_no_call_runs(theatre: Theatre) -> None:
    async with theatre.after(Past.QUIET) as act:
        with case_of(act) as case:
            case.breaks(Fault.UNAVAILABLE)
            for _ in range(5):
                assert key_of(await told(case, "start new"))
            case.heals()
            await act.scene.forward(seconds=40)
            assert (await act.scene.bot.health()).bbb is Part.OK


# --- in time -----------------------------------------------------------------------------------


class Slow(httpx.AsyncBaseTransport):
    """A server that answers everything, each time after so many seconds."""

    def __init__(self, server: httpx.AsyncBaseTransport, seconds: float) -> None:
        self._server = server
        self._seconds = seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._seconds)
        return await self._server.handle_async_request(request)


@pytest.mark.promise("However BigBlueButton fails to answer, whoever asks reads so within 10 s.")
async def test_nobody_waits_longer_than_ten_seconds(
    theatre: Theatre, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the short form all times are a fortieth; in the long form they are the real ones."""
    scale = 1 if proof.long else 1 / 40
    monkeypatch.setattr(world, "WAITED_FOR", world.WAITED_FOR * scale)
    longest, waits = 0.0, 0
    for fault in sorted(HANGS):
        for asked in ("start new", "call @bob", "status", "end"):
            async with theatre.after(Past.LIVE) as act:
                with case_of(act) as case:
                    case.breaks(fault)
                    act.client.seconds = 8 * scale
                    longest, waits = max(longest, await _waited(case, asked)), waits + 1
    for asked in ("end", "say Hello"):  # several calls, each in time and all of them together not
        async with theatre.after(Past.LIVE) as act:
            with case_of(act) as case:
                act.wire.server = Slow(act.wire.server, 6 * scale)
                act.client.seconds = 8 * scale
                longest, waits = max(longest, await _waited(case, asked)), waits + 1
                assert "end" not in case.calls()[-1:] and "sendChatMessage" not in case.calls()
    assert longest < 10
    proof.measured(waits=waits, longest_seconds=round(longest, 2))


async def _waited(case: Case, asked: str) -> float:
    began = time.monotonic()
    assert key_of(await told(case, asked))
    return time.monotonic() - began
