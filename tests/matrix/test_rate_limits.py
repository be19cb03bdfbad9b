"""A Synapse with its default limit of messages: everything is said, and answers do not wait."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bot.core import Bot
from bot.demo.synapse import Account, Synapse
from commands.errors import ChatBusy
from commands.messages import message, to_json
from commands.ports import Outgoing, Pace, Policy
from storage.records import Letter, Priority
from tests.conftest import Proof
from tests.matrix.client import Observer, Seen, Visitor
from tests.matrix.names import fresh
from tests.matrix.whole_bot import whole_bot
from tests.requirements import require_synapse

pytestmark = pytest.mark.synapse

DEFAULT = Pace(rate=0.2, burst=10)
LIMIT = f"rc_message: {{per_second: {DEFAULT.rate}, burst_count: {DEFAULT.burst}}}\n"
POLICY = Policy(public_url="https://calls.example.org", paces={"matrix": DEFAULT})
SECONDS = 30.0


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Synapse]:
    """A homeserver of its own; only the limit of messages is the default one."""
    require_synapse()
    async with Synapse(tmp_path / "limited", extra=LIMIT) as synapse:
        yield synapse


@dataclass
class Ward:
    """A bot in rooms that somebody watches."""

    bot: Bot
    ada: Observer
    rooms: list[str]
    refused: int = 0
    waits: list[float] = field(default_factory=list)

    def count_refusals(self) -> None:
        """From now on, how often the homeserver asked us to wait."""
        [adapter] = self.bot.adapters
        send = adapter.send

        async def counted(outgoing: Outgoing) -> str:
            try:
                return await send(outgoing)
            except ChatBusy:
                self.refused += 1
                raise

        adapter.send = counted  # type: ignore[method-assign]

    async def announce(self, number: int) -> None:
        now = self.bot.world.clock()
        room = self.rooms[number % len(self.rooms)]
        notice = Letter(
            f"announcement-{number}",
            "matrix",
            to_json(message("say.done")),
            now,
            channel=room,
            priority=Priority.NOTICE,
        )
        await self.bot.world.store.say([notice])

    def announced(self, seen: list[Seen]) -> int:
        return sum(one.body == "Said in the call." for one in seen)

    async def asks(self) -> None:
        """A command in the first room, answered; the wait is noted."""
        began = time.monotonic()
        event = await self.ada.say(self.rooms[0], "!bbb help")
        await self.ada.sees(lambda one: one.answers == event, seconds=SECONDS)
        self.waits.append(time.monotonic() - began)


async def enter(synapse: Synapse, ada: Visitor, account: Account, rooms: int) -> list[str]:
    """Rooms with Ada and the bot's account in them, before the bot runs: it greets nobody.

    Without limits meanwhile: to join counts as a message.
    """
    admin = await synapse.register(fresh("admin"), admin=True)
    made = []
    async with Visitor(synapse.url, account) as visitor, httpx.AsyncClient() as http:
        goals = [
            f"{synapse.url}/_synapse/admin/v1/users/{who}/override_ratelimit"
            for who in (account.user_id, ada.user_id)
        ]
        key = {"Authorization": f"Bearer {admin.access_token}"}
        for goal in goals:
            no_limit = {"messages_per_second": 0, "burst_count": 0}
            (await http.post(goal, headers=key, json=no_limit)).raise_for_status()
        for _ in range(rooms):
            made.append(await ada.create_room(invite=[account.user_id]))
            await visitor.join(made[-1])
        (await http.delete(goals[0], headers=key)).raise_for_status()
    return made


@pytest.mark.promise(
    "Under Synapse's default limits announcements leave room for answers.", weight=8
)
async def test_answers_do_not_wait_for_announcements(
    limited: Synapse, tmp_path: Path, proof: Proof
) -> None:
    announcements = proof.amount(9, long=100)
    at_once = DEFAULT.burst - 3
    async with Observer(limited.url, await limited.register(fresh("ada"))) as ada:
        account = await limited.register(fresh("bot"))
        rooms = await enter(limited, ada, account, proof.amount(3, long=20))
        await ada.watch()
        async with whole_bot(limited, account, tmp_path / "bot", POLICY) as bot:
            ward = Ward(bot, ada, rooms)
            ward.count_refusals()
            for number in range(announcements):
                await ward.announce(number)
            assert await ada.until(lambda seen: ward.announced(seen) >= at_once, seconds=SECONDS)
            for _ in range(3):
                await ward.asks()
            while proof.long and proof.in_time() and ward.announced(ada.seen) < announcements:
                await ada.until(lambda seen: ward.announced(seen) == announcements, seconds=60)
                await ward.asks()
            assert ward.refused == 0
            if proof.long and proof.in_time():
                assert ward.announced(ada.seen) == announcements
            waits = sorted(ward.waits)
            proof.measured(
                announcements=ward.announced(ada.seen),
                rooms=len(rooms),
                answers=len(waits),
                refused_by_the_homeserver=ward.refused,
                answer_p95_s=round(waits[int(0.95 * (len(waits) - 1))], 2),
            )
