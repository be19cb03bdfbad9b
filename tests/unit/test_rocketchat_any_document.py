"""Whatever stands in message documents: it never raises, and never costs somebody their command.

The lists they come in, live and by REST, are the server's; what stands inside is anybody's.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from bot.chat.rocketchat.catchup import CatchUp
from bot.chat.rocketchat.ddp.events import MessageSeen
from bot.chat.rocketchat.emoji import KEYS
from bot.chat.rocketchat.lookups import Lookups
from bot.chat.rocketchat.reading import Reading
from bot.chat.rocketchat.receive import Reader
from bot.chat.rocketchat.rooms import OwnRooms
from commands.errors import ChatUnavailable
from tests.conftest import Proof
from tests.matrix.intake import Inbox

ME, ANA, TEAM = "uid-of-the-bot", "uid-of-ana", "rid-of-the-team"
NOW = 1_795_247_812_300

FIELDS = [
    *("_id", "rid", "msg", "ts", "u", "_updatedAt", "t", "tmid", "bot", "editedAt", "editedBy"),
    *("reactions", "mentions", "urls", "channels", "attachments", "alias", "_hidden", "e2e"),
]
INSIDE = ["_id", "username", "name", "usernames", "i", "$date", *KEYS]
WORDS = ["!bbb end", "@bbb end", "e2e", "rm", "uj", "c", "d", TEAM, ME, ANA, "bbb", "", "\ud800"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=8)
    | st.sampled_from([{"$date": NOW + 1000}, {"$date": 10**30}]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(INSIDE) | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
CHANGES = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), VALUES, max_size=2)
PRESSES = st.dictionaries(st.sampled_from(list(KEYS)), VALUES, max_size=2)
ACCESS = st.none() | st.dictionaries(
    st.sampled_from(["roomParticipant", "roomType", "roomName"]), VALUES, max_size=3
)
NAMES = st.sampled_from(["__my_messages__", TEAM]) | st.text(max_size=4)


def message(id: str, text: str, *, by: str = ANA, **more: Any) -> dict[str, Any]:
    when = {"$date": NOW + 1000}
    sender = {"_id": by, "username": "bbb" if by == ME else "ana"}
    return {"_id": id, "rid": TEAM, "msg": text, "ts": when, "_updatedAt": when, "u": sender} | more


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Anything, not far from a message, or from a card that people have pressed."""
    number = draw(st.integers(0, 9))
    if draw(st.booleans()):
        return message(f"any-{number}", "!bbb end") | draw(CHANGES)
    return message(f"any-{number}", "A call", by=ME, reactions=draw(PRESSES)) | draw(CHANGES)


EVENTS = st.builds(MessageSeen, documents(), ACCESS, NAMES)


class Server:
    """A `RestApi` with one room; its people exist, or cannot be asked for, by their names."""

    def __init__(self, said: list[dict[str, Any]]) -> None:
        self.said = said
        self.now = NOW

    async def get(self, path: str, /, **params: Any) -> dict[str, Any]:
        room = {"_id": TEAM, "t": "c", "name": "team", "_updatedAt": {"$date": self.now}}
        match path:
            case "rooms.get":
                return {"update": [room], "remove": []}
            case "subscriptions.get":
                own = {"_id": "s", "rid": TEAM, "t": "c", "u": {"_id": ME, "username": "bbb"}}
                return {"update": [own], "remove": []}
            case "chat.syncMessages":
                return {"result": {"updated": copy.deepcopy(self.said), "deleted": []}}
            case "users.info" if len(str(params)) % 2:
                return {"user": {"_id": ANA, "username": "ana", "active": True, "type": "user"}}
        raise ChatUnavailable("not now")

    async def post(self, path: str, /, **body: Any) -> dict[str, Any]:
        raise ChatUnavailable("not now")

    async def info(self) -> dict[str, Any]:
        raise ChatUnavailable("not now")


async def read(events: list[MessageSeen], said: list[dict[str, Any]]) -> list[str]:
    """The command lines taken from what was heard live, and then from what was asked."""
    inbox, server = Inbox(), Server([])
    lookups, catchup, rooms = Lookups(server), CatchUp(server), OwnRooms(ME)
    reading = Reading(
        intake=inbox, reader=Reader(ME, ("!bbb",)), rooms=rooms, catchup=catchup, lookups=lookups
    )
    await reading.load()
    await reading.changes(await catchup.changes(reading.position.base, complete=True))
    await reading.heard(events)
    server.said, server.now = said, NOW + 2000
    await reading.changes(await catchup.changes(reading.position.base, complete=False))
    await reading.catch_up(TEAM)
    return inbox.texts()


@pytest.mark.promise("Whatever stands in a Rocket.Chat message, everybody else's commands arrive.")
def test_commands_among_documents_of_any_content_arrive(
    proof: Proof, caplog: pytest.LogCaptureFixture
) -> None:
    """The short form plays the same documents every time, the long form others."""
    chosen = random.randrange(10**6) if proof.long else 1
    print(f"seed {chosen}")  # noqa: T201
    played = 0

    @seed(chosen)
    @settings(
        max_examples=proof.amount(100, long=5_000),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.lists(EVENTS, max_size=4),
        st.lists(EVENTS, max_size=4),
        st.lists(documents(), max_size=4),
        st.lists(documents(), max_size=4),
    )
    def arrive(
        before: list[MessageSeen],
        after: list[MessageSeen],
        some: list[dict[str, Any]],
        others: list[dict[str, Any]],
    ) -> None:
        nonlocal played
        if not proof.in_time():
            return
        live = MessageSeen(message("good-1", "!bbb say 1"), {"roomParticipant": True}, TEAM)
        asked = [*some, message("good-2", "!bbb say 2"), *others]
        assert {"say 1", "say 2"} <= {*asyncio.run(read([*before, live, *after], asked))}
        caught = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert not caught, "it is no mistake of ours that stops what cannot be read"
        caplog.clear()
        played += 1

    arrive()
    assert played > 50
    proof.measured(seed=chosen, readings=played, lost=0)
