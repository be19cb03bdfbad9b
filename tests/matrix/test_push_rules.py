"""Whom our messages ring for: counts of a reader on a real Synapse, under its own push rules."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from bot.chat.matrix.rendering import content_of, edited
from commands.messages import Code, Document, Mention, Style, Text
from storage.records import Person
from tests.conftest import Proof
from tests.matrix.client import Visitor
from tests.matrix.conftest import People
from tests.security.hostile_names import PINGS, names

NOBODY, NOTIFIED, CALLED = (0, 0), (1, 0), (1, 1)
"""How often a message notifies, and how often it highlights."""

PAGE = {"room": {"timeline": {"limit": 1}}, "presence": {"types": []}}


@dataclass
class Ears:
    """A reader in a room with the bot, who hears how often they were rung for."""

    bot: Visitor
    reader: Visitor
    room: str
    _since: str = ""
    _before: tuple[int, int] = field(default=(0, 0))

    async def hear(
        self, content: dict[str, Any], *, kind: str = "m.room.message"
    ) -> tuple[int, int]:
        """What one message of the bot adds to the reader's counts."""
        event = await self.bot.send(self.room, content, kind=kind)
        counts = await self._counts(event)
        heard = (counts[0] - self._before[0], counts[1] - self._before[1])
        self._before = counts
        return heard

    async def _counts(self, event: str) -> tuple[int, int]:
        """The counts once the reader has this event. They come with every sync of the room."""
        while True:
            news = (await self._sync()).get("rooms", {}).get("join", {}).get(self.room, {})
            seen = [one["event_id"] for one in news.get("timeline", {}).get("events", [])]
            if event in seen:
                found = news["unread_notifications"]
                return found["notification_count"], found["highlight_count"]

    async def _sync(self) -> dict[str, Any]:
        query = {"filter": json.dumps(PAGE), "timeout": "10000"}
        query |= {"since": self._since} if self._since else {}
        answer = await self.reader.ask("GET", "/sync", query=query)
        self._since = answer["next_batch"]
        return answer


@pytest.fixture
async def ears(people: People) -> Ears:
    """The bot has the power to ring for the whole room; the reader is called Ada."""
    bot, reader = await people.new("bot"), await people.new("ada")
    path = f"/profile/{quote(reader.user_id)}/displayname"
    await reader.ask("PUT", path, {"displayname": "Ada Lovelace"})
    room = await bot.create_room(invite=[reader.user_id])
    third = await people.new("third")  # with two people only, every message would notify
    await reader.join(room)
    await bot.invite(room, third.user_id)
    await third.join(room)
    found = Ears(bot, reader, room)
    await found.hear(content_of(Document(((Text("hello"),),), style=Style.NOTICE)))
    return found


def saying(text: str, style: Style, *pings: Person) -> dict[str, Any]:
    return content_of(Document(((Text(text),),), style=style, pings=pings))


LOUD = "@room Ada Lovelace, ada"


async def test_without_mentions_the_same_words_would_ring(ears: Ears) -> None:
    """The control: this room and this reader can be rung for."""
    assert await ears.hear({"msgtype": "m.text", "body": LOUD}) == CALLED


async def test_what_we_say_rings_for_those_who_are_meant(ears: Ears) -> None:
    ada = Person("matrix", ears.reader.user_id)
    somebody = Person("matrix", "@somebody:else.example")
    assert await ears.hear(saying(LOUD, Style.TEXT)) == NOTIFIED
    assert await ears.hear(saying(f"{LOUD} {ada.id}", Style.TEXT)) == NOTIFIED
    assert await ears.hear(saying(LOUD, Style.NOTICE)) == NOBODY
    assert await ears.hear(saying("meant, but a notice", Style.NOTICE, ada)) == NOBODY
    assert await ears.hear(saying("meant", Style.TEXT, ada)) == CALLED
    assert await ears.hear(saying(LOUD, Style.TEXT, somebody)) == NOTIFIED


async def test_a_pill_and_code_and_an_edit_ring_for_nobody(ears: Ears) -> None:
    ada = Person("matrix", ears.reader.user_id)
    pill = Document(((Mention(ada, "Ada Lovelace"), Code("@room")),), style=Style.TEXT)
    card = await ears.bot.send(ears.room, content_of(pill))
    loud = Document(((Text(LOUD, bold=True),),), style=Style.TEXT, pings=(ada,))
    await ears.hear(saying("quiet", Style.NOTICE))
    assert await ears.hear(edited(loud, card)) == NOBODY
    relation = {"rel_type": "m.annotation", "event_id": card, "key": "▶"}
    assert await ears.hear({"m.relates_to": relation}, kind="m.reaction") == NOBODY


@pytest.mark.promise("Hostile names: on a real Synapse, nobody is called by one.")
async def test_no_name_calls_anybody(ears: Ears, proof: Proof) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201
    ada = Person("matrix", ears.reader.user_id)
    drawn = [name for name in names(seed, proof.amount(400, long=1_000)) if len(name) < 500]
    chosen = [*PINGS, *random.Random(seed).sample(drawn, proof.amount(100, long=500))]
    for name in chosen:
        line = (Text(f"{name} Ada Lovelace"), Mention(ada, name), Code(name))
        heard = await ears.hear(content_of(Document((line,), style=Style.TEXT)))
        assert heard == NOTIFIED, ascii(name)
    proof.measured(seed=seed, names=len(chosen), called=0)
