"""The tour: it ends well; with each fault it fails at a named step, and says what was seen."""

import io
import socket

import pytest
from rich.console import Console

from bot.demo.faults import Fault
from bot.demo.main import TOUR_SPEED, main
from bot.demo.scroll import Scroll
from bot.demo.speech import LocalCompany
from bot.demo.stage import TEAM, Stage
from bot.demo.tour import Tour
from commands.i18n import texts


async def played(
    fault: Fault | None = None, language: str = "en", *, admins: tuple[str, ...] = ("alice",)
) -> tuple[bool, str]:
    """Whether the tour ended well, and all it printed."""
    printed = io.StringIO()
    words = texts(language)
    scroll = Scroll(Console(file=printed, width=80), words)
    async with Stage(language=language, speed=TOUR_SPEED, fault=fault) as stage:
        stage.chat.channels[TEAM].admins = set(admins)
        company = LocalCompany(stage.chat, room=TEAM, texts=words)
        async with Tour(company, texts=words, scroll=scroll) as tour:
            return await tour.play(), printed.getvalue()


@pytest.mark.parametrize("language", ["fr", "de"])
async def test_the_story_ends_well_in_other_languages(language: str) -> None:
    well, printed = await played(language=language)
    assert well, printed


async def test_every_message_is_printed_in_order_with_its_author() -> None:
    well, printed = await played()
    assert well, printed
    told = [
        "Alice Martin: !bbb\n",
        "bbb-bot: 📹 #team – call opened by Alice Martin; nobody is inside yet.",
        "Alice Martin: !bbb join",
        "Alice Martin, direct  bbb-bot: Your personal link to #team: http://127.0.0.1:",
        "You are in #team as Alice Martin (moderator)",
        "bbb-bot (edited): 📹 #team – 1 person in the call",
        "Bob Keller, direct  bbb-bot: Your personal link to #team: http://127.0.0.1:",
        "You are in #team as Bob Keller (viewer)",
        "bbb-bot (edited): 📹 #team – 2 people in the call",
        "You have left",
        "bbb-bot (edited): 📹 #team – 1 person in the call",
        "Alice Martin: !bbb end",
        "bbb-bot (edited): ✔ #team ended",
        "Tour complete: 11 steps",
    ]
    at = -1
    for line in told:
        at = printed.find(line, at + 1)
        assert at >= 0, f"{line!r} is missing or comes too early in:\n{printed}"


@pytest.mark.parametrize(
    ("fault", "step", "seen"),
    [
        (Fault.BBB_DOWN, "Alice opens a call", "The video server does not answer as it should"),
        (Fault.WRONG_SECRET, "Alice opens a call", "The video server is not set up for this bot"),
        (Fault.LOST_REPLY, "Alice opens a call", "The video server's answer was lost"),
        (Fault.CHAT_REFUSES, "Alice asks for her link", "I could not send you a direct message"),
        (Fault.JOIN_PAGE_500, "Alice joins by her link", "Something went wrong here"),
    ],
)
async def test_with_a_fault_it_names_the_step_and_what_the_bot_said(
    fault: Fault, step: str, seen: str
) -> None:
    well, printed = await played(fault)
    *_, last = printed.strip().splitlines()
    assert not well
    assert last.startswith(f"Tour failed at step “{step}”: expected ")
    assert seen in last.partition("; seen: ")[2]


async def test_somebody_who_arrives_in_another_role_makes_it_fail() -> None:
    well, printed = await played(admins=("alice", "bob"))
    *_, last = printed.strip().splitlines()
    assert not well
    assert "“Bob joins by his link”: expected Bob Keller in the call as viewer" in last
    assert "as Bob Keller (moderator)" in last


async def test_nothing_stays_behind() -> None:
    async with Stage() as stage:
        pass
    for address in (stage.web, stage.pages, stage.video):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))).close()
    assert not stage.directory.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fault": "meteor", "tour": True}, "There is no fault “meteor”. Possible are: bbb-down"),
        ({"fault": "bbb-down"}, "bbb-bot demo --tour --fault bbb-down"),
        ({"fault": "bbb-down", "tour": True, "chat": "matrix"}, "the tour on the local chat"),
        ({"chat": "irc"}, "There is no chat “irc”. Possible are: local, matrix"),
        ({"language": "tlh"}, "There is no language “tlh”. Possible are: en, fr, de"),
    ],
)
def test_options_that_cannot_be_are_refused_with_what_can(
    options: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"tour": False, "fault": None, "chat": "local", "port": 0, "language": "en"} | options
    assert main(**asked) == 2
    assert said in capsys.readouterr().err
