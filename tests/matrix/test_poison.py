"""Messages that a homeserver will never take: they become dead letters and hold up nothing."""

from __future__ import annotations

from pathlib import Path

from bot.demo.synapse import Synapse
from commands.messages import Typed, message, to_json
from commands.ports import Policy
from storage.records import DeadReason, Letter
from tests.matrix.bots import eventually
from tests.matrix.client import Observer, Visitor
from tests.matrix.conftest import People
from tests.matrix.names import fresh
from tests.matrix.whole_bot import whole_bot

POLICY = Policy(public_url="https://calls.example.org")


async def test_poison_is_given_up_and_what_comes_after_it_is_said(
    synapse: Synapse, people: People, tmp_path: Path
) -> None:
    ada = await people.new_as(Observer, "ada")
    account = await synapse.register(fresh("bot"))
    room = await ada.create_room(invite=[account.user_id])
    foreign = await ada.create_room()
    async with Visitor(synapse.url, account) as visitor:
        await visitor.join(room)
    await ada.watch()
    async with whole_bot(synapse, account, tmp_path, POLICY) as bot:
        store, now = bot.world.store, bot.world.clock()

        def letter(name: str, text: str, channel: str = room) -> Letter:
            said = message("e.unknown", verb=text, help=Typed("help"))
            return Letter(name, "matrix", to_json(said), now, channel=channel)

        await store.say(
            [
                letter("too large", "x" * 70_000),
                letter("good", "after the poison"),
                letter("not let in", "hello", foreign),
            ]
        )
        await ada.sees(lambda seen: "after the poison" in seen.body)

        async def all_dead() -> bool:
            return len(await store.dead_letters()) == 2

        await eventually(all_dead)
        found = {dead.id: (dead.reason, dead.error) for dead in await store.dead_letters()}
        assert found == {
            "too large": (DeadReason.REFUSED, "413 M_TOO_LARGE"),
            "not let in": (DeadReason.REFUSED, "403 M_FORBIDDEN"),
        }
