"""Whatever people put into events: it never raises, and never costs somebody else their command.

The envelopes are the homeserver's (lists of events with an id, a sender and a time); what stands
inside is anybody's.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from bot.chat.background import Background
from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.authors import Authors
from bot.chat.matrix.client import Client
from bot.chat.matrix.direct import DirectRooms
from bot.chat.matrix.doors import Doors
from bot.chat.matrix.inflow import Inflow
from bot.chat.matrix.invites import Invites
from bot.chat.matrix.keys import Keys
from bot.chat.matrix.late import LateKeys
from bot.chat.matrix.receive import Reader
from bot.chat.matrix.upgrades import Upgrades
from tests.conftest import Proof
from tests.matrix.homeserver import DEVICE, ME, ROOM, message
from tests.matrix.intake import Inbox

ADA = "@ada:example.org"
KINDS = [
    "m.reaction",
    "m.room.canonical_alias",
    "m.room.create",
    "m.room.encrypted",
    "m.room.encryption",
    "m.room.member",
    "m.room.message",
    "m.room.name",
    "m.room.power_levels",
    "m.room.redaction",
    "m.room.tombstone",
    "org.example.unheard_of",
]
FIELDS = [
    *("msgtype", "body", "formatted_body", "m.relates_to", "m.mentions", "m.new_content"),
    *("membership", "displayname", "is_direct", "name", "alias", "replacement_room"),
    *("predecessor", "algorithm", "ciphertext", "session_id", "sender_key", "device_id"),
    *("creator", "room_version", "additional_creators", "redacts", "users", "key"),
]
WORDS = ["m.text", "!bbb end", "join", "invite", "leave", "ban", "m.replace", ROOM, ME, ""]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["rel_type", "event_id", "key", "room_id", "membership", "user_ids"])
            | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
CONTENTS = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), VALUES, max_size=5)
UNSIGNED = st.fixed_dictionaries(
    {},
    optional={
        "prev_content": CONTENTS,
        "prev_sender": st.sampled_from([ADA, ME]),
        "replaces_state": st.just("$before"),
        "redacted_because": st.just({}),
    },
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Any event, as a homeserver would hand it on."""
    event = {
        "type": draw(st.sampled_from(KINDS)),
        "event_id": f"$any-{draw(st.integers(0, 99))}",
        "sender": draw(st.sampled_from([ADA, ME])),
        "origin_server_ts": draw(st.integers(0, 2**53)),
        "content": draw(CONTENTS),
    }
    if draw(st.booleans()):
        event["state_key"] = draw(st.sampled_from(["", ME, ADA]))
    if draw(st.booleans()):
        event["unsigned"] = draw(UNSIGNED)
    return event


Events = list[dict[str, Any]]
SEVERAL = st.lists(events(), max_size=4)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client with keys and without a server: whatever it asks is not there."""
    logging.getLogger("nio").setLevel(logging.CRITICAL)
    client = Client(
        homeserver="http://127.0.0.1:1",
        user_id=ME,
        device_id=DEVICE,
        access_token="none",
        store_dir=tmp_path_factory.mktemp("keys"),
        pickle_key="key",
        encryption=True,
    )
    client.restore_login(ME, DEVICE, "none")
    yield client
    client.store.database.close()


class NoErrands(Keys):
    """Keys that are never sent anywhere."""

    def __init__(self) -> None:
        pass

    async def tend(self) -> None:
        pass


def inflow(client: Client, inbox: Inbox, background: Background) -> Inflow:
    direct, doors = DirectRooms(client, encryption=True), Doors(client)
    upgrades = Upgrades(client, doors, farewell="")
    return Inflow(
        client,
        intake=inbox,
        reader=Reader(ME, ("!bbb",)),
        keys=NoErrands(),
        direct=direct,
        doors=doors,
        invites=Invites(direct, doors, upgrades, allowed=frozenset(), reasons=str),
        upgrades=upgrades,
        authors=Authors(client),
        late=LateKeys(client, lambda: 0.0),
        background=background,
    )


async def take(client: Client, answer: dict[str, Any]) -> list[str]:
    inbox, background = Inbox(), Background()
    client.rooms.clear()
    client.encrypted_rooms.clear()
    try:
        await inflow(client, inbox, background).take(answer, "s1")
    finally:
        await background.close()
    return inbox.texts()


def answer_of(
    timeline: Events, state: Events, invited: Events, left: Events, direct: dict[str, Any]
) -> dict[str, Any]:
    """A sync answer with these events in all its places, and one command."""
    join = {
        "state": {"events": [each for each in state if "state_key" in each]},
        "timeline": {"events": [*timeline, message(1)], "limited": False, "prev_batch": "p"},
    }
    return {
        "next_batch": "s2",
        "account_data": {"events": [{"type": "m.direct", "content": direct}]},
        "rooms": {
            "join": {ROOM: join},
            "invite": {"!invited": {"invite_state": {"events": invited}}},
            "leave": {"!left": {"state": {"events": []}, "timeline": {"events": left}}},
        },
    }


@pytest.mark.promise("Whatever people put into events, everybody else's commands arrive.")
def test_a_command_among_events_of_any_content_arrives(
    client: Client, monkeypatch: pytest.MonkeyPatch, proof: Proof
) -> None:
    """The short form plays the same events every time, the long form others."""

    async def nothing_there(*_: object, **__: object) -> None:
        raise MatrixError(404, "M_NOT_FOUND")

    monkeypatch.setattr(client, "ask", nothing_there)
    chosen = random.randrange(10**6) if proof.long else 1
    print(f"seed {chosen}")  # noqa: T201
    taken = 0

    @seed(chosen)
    @settings(
        max_examples=proof.amount(100, long=10_000),
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.builds(answer_of, SEVERAL, SEVERAL, SEVERAL, SEVERAL, CONTENTS))
    def arrives(answer: dict[str, Any]) -> None:
        nonlocal taken
        if proof.in_time():
            assert "say 1" in asyncio.run(take(client, answer))
            taken += 1

    arrives()
    proof.measured(seed=chosen, answers=taken, lost=0)
