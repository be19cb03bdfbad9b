"""Two instances of the bot in one room, and in a direct message with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.demo.synapse import Synapse
from commands.messages import Style, Typed, message, to_json
from commands.ports import Policy
from storage.records import Letter
from tests.matrix.bots import eventually
from tests.matrix.client import Observer, Seen, Visitor
from tests.matrix.conftest import People
from tests.matrix.names import fresh
from tests.matrix.whole_bot import whole_bot

POLICY = Policy(public_url="https://calls.example.org")


async def is_so(number: Awaitable[int]) -> bool:
    return await number > 0


@pytest.mark.parametrize("encrypted", [False, True], ids=["in clear", "encrypted"])
async def test_two_bots_answer_people_and_never_each_other(
    synapse: Synapse, people: People, tmp_path: Path, encrypted: bool
) -> None:
    ada = await people.new_as(Observer, "ada")
    accounts = [await synapse.register(fresh("bot")) for _ in range(2)]
    ids = {account.user_id for account in accounts}
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(Visitor(synapse.url, account)) for account in accounts
        ]
        room = await ada.create_room(invite=sorted(ids))
        direct = await one.create_room(
            direct=True, encrypted=encrypted, invite=[other.user_id], preset="trusted_private_chat"
        )
        for visitor in (one, other):
            await visitor.join(room)
        await other.join(direct)
        await ada.watch()
        bots = [
            await stack.enter_async_context(
                whole_bot(synapse, account, tmp_path / str(number), POLICY, encryption=encrypted)
            )
            for number, account in enumerate(accounts)
        ]

        async def asked(text: str) -> None:
            """Somebody asks, and both answer."""
            event = await ada.say(room, text)

            def answered(seen: list[Seen]) -> bool:
                return {each.sender for each in seen if each.answers == event} == ids

            assert await ada.until(answered, seconds=30)

        await asked("!bbb help")
        await asked("!bbb")  # two cards: messages that notify
        tempting = to_json(message("e.unknown", style=Style.TEXT, verb="!bbb", help=Typed("help")))
        now = bots[0].world.clock()
        await bots[0].world.store.say([Letter("x", "matrix", tempting, now, channel=direct)])

        async def said_between_them() -> int:
            events = await one.timeline(direct)
            return sum(event["type"] in ("m.room.message", "m.room.encrypted") for event in events)

        await eventually(lambda: is_so(said_between_them()))
        await asked("!bbb rooms")  # by then the other one has read what was said
        assert await said_between_them() == 1
        posts = Counter(each.sender for each in ada.seen if each.answers and each.sender in ids)
        questions = sum(each.sender == ada.user_id and each.body != "" for each in ada.seen)
        assert set(posts.values()) == {questions}
