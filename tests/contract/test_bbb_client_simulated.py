"""The client and the pool against the simulated server, which knows nothing of our client."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.bbb.client import Client
from bot.bbb.pool import ServerPool
from bot.bbb.sign import Algorithm
from bot.demo.bbb import Fault, SimulatedBBB
from bot.demo.bbb.run import serving
from bot.demo.bbb.transport import InProcess
from commands.errors import (
    AnswerLost,
    Garbled,
    NotBBB,
    ServerBroken,
    ServerBusy,
    ServerTimedOut,
    ServerTrouble,
    ServerUnreachable,
    WrongSecret,
)
from commands.ports import Attendee, MeetingPlan, Seat

SECRET, NEXT_SECRET = "5a1t" * 8, "n3xt" * 8
ID = "mx-Ab_9xyzAb_9xyzAb_9xyzA"
PLAN = MeetingPlan(
    ID,
    "Café ☕ & <friends> | 100% #1?",
    record=True,
    max_participants=9,
    lobby=True,
    welcome="Hello & welcome",
    logout_url="https://chat.example.org/#/room/!r:example.org?a=b",
)


@pytest.fixture
def simulated() -> SimulatedBBB:
    return SimulatedBBB(SECRET, speed=0)


@pytest.fixture
async def make(simulated: SimulatedBBB) -> AsyncIterator[Callable[..., Client]]:
    made: list[Client] = []

    def client(**options: Any) -> Client:
        given: dict[str, Any] = {
            "name": "one",
            "url": "https://bbb.test/bigbluebutton/api/",
            "secrets": [SECRET],
            "bot_version": "0.1.0",
            "seconds": 1.0,
            "transport": InProcess(simulated),
            **options,
        }
        made.append(Client(**given))
        return made[-1]

    yield client
    for each in made:
        await each.close()


@pytest.fixture
def servers(make: Callable[..., Client]) -> ServerPool:
    return ServerPool({"one": make()}, chosen="one", origins=["https://bbb.test"])


async def click(simulated: SimulatedBBB, address: str) -> httpx.Response:
    """Follow a join address as a browser does, with a cookie, into the client or away."""
    async with httpx.AsyncClient(transport=InProcess(simulated), follow_redirects=True) as browser:
        return await browser.get(address)


# --- the life of a meeting -------------------------------------------------------------------


async def test_a_meeting_from_its_creation_to_its_end(
    simulated: SimulatedBBB, servers: ServerPool
) -> None:
    made = await servers.create("one", PLAN)
    again = await servers.create("one", PLAN)
    assert (made.duplicate, again.duplicate) == (False, True)
    assert (again.internal_id, again.create_time) == (made.internal_id, made.create_time)

    empty = await servers.info("one", ID)
    assert empty is not None
    assert (empty.name, empty.running, empty.recording, empty.attendees) == (
        PLAN.name,
        False,
        True,
        (),
    )

    ana = Seat(ID, "Ana Ünal (é😀)", moderator=True, create_time=made.create_time, user_id="p-ana")
    bo = Seat(ID, "Bo", moderator=False, create_time=made.create_time, user_id="p-bo", guest=True)
    await click(simulated, servers.join_url("one", ana))
    await click(simulated, servers.join_url("one", bo))
    seen = await servers.info("one", ID)
    assert seen is not None
    assert seen.attendees == (Attendee("p-ana", "Ana Ünal (é😀)", moderator=True),)
    assert (seen.running, seen.has_user_joined, seen.participants, seen.moderators) == (
        True,
        True,
        1,
        1,
    )
    assert [one.name for one in simulated.meeting(ID).waiting] == ["Bo"]

    await servers.say("one", ID, "Ana: see you & bye <3")
    assert [line.text for line in simulated.messages_in(ID)] == ["Ana: see you & bye <3"]

    await servers.end("one", ID)
    assert await servers.info("one", ID) is not None
    simulated.forward(5)
    assert await servers.info("one", ID) is None
    await servers.end("one", ID)


async def test_somebody_who_is_not_in_the_lobby_is_let_in_at_once(
    simulated: SimulatedBBB, servers: ServerPool
) -> None:
    made = await servers.create("one", PLAN)
    viewer = Seat(ID, "Bo", moderator=False, create_time=made.create_time, user_id="p-bo")
    await click(simulated, servers.join_url("one", viewer))
    assert [(one.name, one.role) for one in simulated.users_in(ID)] == [("Bo", "VIEWER")]


async def test_an_old_address_does_not_open_the_next_session(
    simulated: SimulatedBBB, servers: ServerPool
) -> None:
    first = await servers.create("one", PLAN)
    seat = Seat(ID, "Ana", moderator=True, create_time=first.create_time, user_id="p")
    simulated.forward(timedelta(minutes=6).total_seconds())
    assert await servers.info("one", ID) is None

    second = await servers.create("one", PLAN)
    assert not second.duplicate
    assert second.internal_id != first.internal_id
    await click(simulated, servers.join_url("one", seat))
    assert simulated.users_in(ID) == []


async def test_what_was_planned_arrives(simulated: SimulatedBBB, servers: ServerPool) -> None:
    await servers.create("one", PLAN)
    plan = simulated.meeting(ID).plan
    assert (plan.name, plan.record, plan.max_participants, plan.guest_policy) == (
        PLAN.name,
        True,
        9,
        "ASK_MODERATOR",
    )
    assert plan.logout_url == PLAN.logout_url
    assert plan.metadata == {"bbb-origin": "bbb-bot", "bbb-origin-version": "0.1.0"}
    sent = parse_qs(urlsplit(simulated.calls("create")[0].target).query)
    assert not {"attendeePW", "moderatorPW", "password"} & sent.keys()


# --- who asks --------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
async def test_every_algorithm_is_understood(
    algorithm: Algorithm, make: Callable[..., Client]
) -> None:
    await make(algorithm=algorithm).check_secret()


async def test_the_root_tells_the_version(make: Callable[..., Client]) -> None:
    told = await make(secrets=["wrong"]).version()
    assert (told.api, told.bbb) == ("2.0", "3.0.37")


async def test_a_wrong_secret_is_told_as_one(make: Callable[..., Client]) -> None:
    with pytest.raises(WrongSecret):
        await make(secrets=["wrong"]).check_secret()


async def test_a_secret_may_be_changed_on_the_server_while_we_run(
    simulated: SimulatedBBB, make: Callable[..., Client]
) -> None:
    asking = make(secrets=[NEXT_SECRET, SECRET])
    made = await asking.create(PLAN)
    simulated.state.secret = NEXT_SECRET
    assert (await asking.create(PLAN)).duplicate
    seat = Seat(ID, "Ana", moderator=True, create_time=made.create_time, user_id="p")
    await click(simulated, asking.join_url(seat))
    assert len(simulated.users_in(ID)) == 1


async def test_an_older_server_has_no_chat_call() -> None:
    older = SimulatedBBB(SECRET, version="2.6", speed=0)
    asking = Client(
        name="one",
        url="https://bbb.test/bigbluebutton/api/",
        secrets=[SECRET],
        bot_version="0.1.0",
        transport=InProcess(older),
    )
    await asking.create(PLAN)
    assert await asking.info("mx-other") is None
    with pytest.raises(NotBBB, match="sendChatMessage: HTTP 404"):
        await asking.say(ID, "hello")
    await asking.close()


# --- faults ----------------------------------------------------------------------------------

BAD: dict[Fault, type[ServerTrouble]] = {
    Fault.BAD_GATEWAY: ServerBroken,
    Fault.UNAVAILABLE: ServerUnreachable,
    Fault.URI_TOO_LONG: NotBBB,
    Fault.LOGIN_PAGE: NotBBB,
    Fault.FOUND: NotBBB,
    Fault.MOVED: NotBBB,
    Fault.UNAUTHORIZED: WrongSecret,
    Fault.FORBIDDEN: WrongSecret,
    Fault.BAD_REQUEST: NotBBB,
    Fault.XML_500: ServerBroken,
    Fault.NO_MESSAGE_KEY: ServerBusy,
    Fault.WRONG_CHECKSUM: WrongSecret,
    Fault.XML_BOMB: Garbled,
    Fault.GZIP_BOMB: Garbled,
    Fault.HANG: ServerTimedOut,
    Fault.NEVER_TOLD: ServerTimedOut,
    Fault.DRIP: ServerTimedOut,
    Fault.EMPTY: Garbled,
    Fault.TRUNCATED: Garbled,
    Fault.RESET: AnswerLost,
    Fault.LOST_REPLY: AnswerLost,
}
HARMLESS = {Fault.WRONG_CHARSET, Fault.BARE, Fault.STRANGE_ELEMENTS}


def test_every_fault_of_the_simulated_server_is_tried() -> None:
    assert BAD.keys() | HARMLESS == set(Fault)


@pytest.mark.parametrize("fault", BAD)
async def test_a_fault_is_one_error_in_time_and_heals(
    fault: Fault, simulated: SimulatedBBB, servers: ServerPool
) -> None:
    simulated.faults.set(fault)
    with pytest.raises(ServerTrouble) as caught:
        await servers.create("one", PLAN)
    assert type(caught.value) is BAD[fault]
    assert not servers.healthy()
    assert len(simulated.calls("create")) <= 2

    simulated.faults.clear()
    await servers.create("one", PLAN)
    assert servers.healthy()


@pytest.mark.parametrize("fault", [Fault.DRIP, Fault.NEVER_TOLD, Fault.HANG])
async def test_on_a_real_connection_a_fault_without_end_ends_at_the_deadline(
    fault: Fault, simulated: SimulatedBBB
) -> None:
    simulated.faults.set(fault)
    async with serving(simulated) as address:
        asking = Client(
            name="one",
            url=f"{address}/bigbluebutton/api/",
            secrets=[SECRET],
            bot_version="0.1.0",
            seconds=0.3,
        )
        async with asyncio.timeout(20):
            with pytest.raises(ServerTimedOut) as caught:
                await asking.create(PLAN)
        await asking.close()
    assert caught.value.in_doubt


@pytest.mark.parametrize("fault", sorted(HARMLESS))
async def test_an_odd_answer_is_understood(
    fault: Fault, simulated: SimulatedBBB, servers: ServerPool
) -> None:
    simulated.faults.set(fault)
    made = await servers.create("one", PLAN)
    simulated.join(ID, "Ana", "MODERATOR", user_id="p-ana")
    seen = await servers.info("one", ID)
    assert seen is not None
    assert seen.internal_id == made.internal_id
    assert seen.attendees == (Attendee("p-ana", "Ana", moderator=True),)


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.RESET, Fault.LOST_REPLY])
async def test_one_lost_answer_of_create_is_not_noticed(
    fault: Fault, simulated: SimulatedBBB, servers: ServerPool
) -> None:
    simulated.faults.set(fault, call="create", times=1)
    made = await servers.create("one", PLAN)
    assert made.duplicate is (fault is not Fault.HANG)
    assert [seen.target for seen in simulated.calls("create")] == [
        simulated.calls("create")[0].target
    ] * 2
    assert len(simulated.state.meetings()) == 1
