"""The join page's button x every fault of the simulated BBB: a page that waits, then the way in."""

import re
from datetime import timedelta
from http import HTTPStatus

import httpx
import pytest

from bot.demo.bbb import Fault
from tests.faults.bbb_case import UNDERSTOOD, Case, case_of, leaks, listen_to, written
from tests.faults.bbb_stage import BBB, PUBLIC, Past, Theatre

_NONCE = re.compile(r'name="nonce" value="([^"]*)"')
_WAITS = "The video server does not answer."


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    return Theatre(tmp_path_factory.mktemp("theatre"))


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
@pytest.mark.parametrize("past", Past)
async def test_a_member_presses(
    past: Past, fault: Fault, theatre: Theatre, caplog: pytest.LogCaptureFixture
) -> None:
    listen_to(caplog)
    async with theatre.after(past) as act:
        with case_of(act) as case:
            await _waits_and_then_goes(case, fault, act.bobs)
    assert not leaks(written(caplog.records))


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
async def test_a_guest_presses(
    fault: Fault, theatre: Theatre, caplog: pytest.LogCaptureFixture
) -> None:
    listen_to(caplog)
    async with theatre.after(Past.LIVE) as act:
        with case_of(act) as case:
            await _waits_and_then_goes(case, fault, act.guests, name="Eve")
    assert not leaks(written(caplog.records))


async def _waits_and_then_goes(case: Case, fault: Fault, link: str, **fields: str) -> None:
    """What a press comes to while BBB is ill, and when it is well again."""
    kept, said = case.kept(), case.said()
    case.breaks(fault)
    answer = await _press(case, link, fields)
    if fault in UNDERSTOOD:
        _goes(answer)
        return
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert _WAITS in answer.text
    assert not leaks(answer.text)
    assert "location" not in answer.headers
    assert case.kept() == kept
    assert case.said() == said, "the channel hears nothing of it"

    case.heals()
    case.act.scene.clock.now += timedelta(seconds=40)
    _goes(await _press(case, link, fields))
    await case.act.scene.settle()
    assert case.orphans() == []
    assert case.planned() == []
    names = [one.plan.name for one in case.act.scene.bbb.state.meetings()]
    assert len(names) == len(set(names)), "the same call twice"


async def _press(case: Case, link: str, fields: dict[str, str]) -> httpx.Response:
    """Open the page of a link and press its button."""
    web = case.act.web
    found = _NONCE.search((await web.get(f"/j/{link}")).text)
    assert found is not None
    form = {"nonce": found[1], **fields}
    return await web.post(f"/j/{link}", data=form, headers={"Origin": PUBLIC})


def _goes(answer: httpx.Response) -> None:
    assert answer.status_code == HTTPStatus.SEE_OTHER
    assert answer.headers["location"].startswith(f"{BBB}/bigbluebutton/api/join?")
