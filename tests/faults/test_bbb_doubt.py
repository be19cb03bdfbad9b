"""After an answer that was lost: BBB may hold the call or not, and both come to a good end."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.demo.bbb import Fault
from commands.dispatch import Dispatcher
from commands.ports import CreatedMeeting, MeetingPlan, MeetingServers
from commands.visits import Go
from tests.faults.bbb_case import Case, case_of, key_of
from tests.faults.bbb_stage import Past, Theatre
from tests.scenario.scene import Crash

DONE, NOT_DONE = Fault.NEVER_TOLD, Fault.HANG


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Theatre:
    return Theatre(tmp_path_factory.mktemp("theatre"))


@pytest.fixture
async def case(theatre: Theatre) -> AsyncIterator[Case]:
    """No call runs."""
    async with theatre.after(Past.QUIET) as act:
        with case_of(act) as case:
            yield case


async def lose(case: Case, fault: Fault, asked: str = "start Weekly record:auto") -> None:
    """A command whose `create` is not answered."""
    case.breaks(fault)
    await case.ask(asked)
    assert key_of(await case.act.scene.last()) == "e.bbb_unknown"
    case.heals()


@pytest.mark.parametrize("fault", [DONE, NOT_DONE])
async def test_what_nobody_asks_for_again_is_forgotten(fault: Fault, case: Case) -> None:
    scene = case.act.scene
    await lose(case, fault)
    assert len(case.planned()) == 1
    await scene.says("bob", "!bbb rooms")
    assert "open now" not in await scene.last()
    await scene.forward(minutes=6)
    assert case.planned() == []
    assert scene.bbb.state.meetings() == []


@pytest.mark.parametrize("done", [True, False])
async def test_what_a_crash_left_half_way_is_found_out_about(done: bool, case: Case) -> None:
    """The bot died between plan and answer, and came back too late to go on."""
    scene, bot = case.act.scene, case.act.scene.bot
    dying = replace(bot.world, servers=Dying(bot.world.servers, done=done))
    with suppress(Crash):
        await Dispatcher(dying).run(await scene.command("alice", "start"))
    assert len(case.planned()) == 1
    await scene.forward(minutes=7)
    assert case.planned() == []
    assert scene.bbb.state.meetings() == []


class Dying:
    """Servers under which the process dies over `create`, before it was sent or after."""

    def __init__(self, servers: MeetingServers, *, done: bool) -> None:
        self._servers = servers
        self._done = done

    def __getattr__(self, name: str) -> object:
        return getattr(self._servers, name)

    def within(self, seconds: float) -> "Dying":
        return self

    async def create(self, server: str, plan: MeetingPlan) -> CreatedMeeting:
        if self._done:
            await self._servers.create(server, plan)
        raise Crash


async def test_somebody_else_gets_the_call_as_it_was_wanted(case: Case) -> None:
    """BBB keeps what the first one asked for: that it is recorded has to be on the card."""
    scene = case.act.scene
    await lose(case, DONE)
    await scene.says("bob", "!bbb start Weekly record:no")
    assert "Recorded from the start" in await scene.last()
    [meeting] = scene.bbb.state.meetings()
    assert meeting.plan.record


@pytest.mark.parametrize("fault", [DONE, NOT_DONE])
async def test_a_click_takes_it_up_and_the_card_comes_once(fault: Fault, case: Case) -> None:
    scene = case.act.scene
    await lose(case, fault, "start Planning")
    assert isinstance(await scene.press(f"/j/{case.act.bobs}"), Go)
    await scene.forward(seconds=40)
    await case.ask("start")
    texts = [text for text in await scene.said() if "Planning" in text]
    assert ["Planning – 1 person in the call" in text for text in texts] == [True, False]
    assert "already running here: Planning" in texts[1]


async def test_a_click_that_was_lost_leaves_one_card(case: Case) -> None:
    """The click's own call would have gone on on the old card: the command then names the call."""
    scene = case.act.scene
    await case.ask("start")
    await scene.forward(minutes=7)  # nobody came, BBB forgets it; the card stays open
    cards = len([text for text in await scene.said() if "call opened by" in text])
    case.breaks(DONE)
    await scene.press(f"/j/{case.act.bobs}")
    case.heals()
    await case.ask("start")
    assert "already open here" in await scene.last()
    assert len([text for text in await scene.said() if "call opened by" in text]) == cards
    assert len(scene.bbb.state.meetings()) == 1


async def test_a_room_can_be_deleted_meanwhile_and_its_meeting_is_ended(case: Case) -> None:
    scene = case.act.scene
    await scene.press(await _link_to_lab(case))
    await scene.leaves("Alice Martin")
    await scene.forward(minutes=3)
    case.breaks(DONE)
    await scene.press(await _link_to_lab(case))
    case.heals()
    await case.ask("delete-room Lab")
    assert "The room Lab is gone" in await scene.last()
    await scene.forward(minutes=1)
    assert case.planned() == []
    assert case.orphans() == []


async def _link_to_lab(case: Case) -> str:
    await case.ask("join Lab")
    return (await case.act.scene.told("alice"))[-1]
