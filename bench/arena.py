"""Builds what the bench needs: a Synapse, people, rooms, and the bots in processes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bench.contestants import OURS, processes
from bench.meter import Meter
from bench.replies import Replies
from bench.stage import NotReady, Stage
from bot.demo.synapse import Synapse
from tests.matrix.client import Visitor

ROOMS = 20
TEXT = "x" * 600  # what the others answer where our bot, whose length counts, does not take part


class Arena:
    """Everything it starts ends with `ending`."""

    def __init__(self, directory: Path, ending: AsyncExitStack) -> None:
        self._directory = directory
        self._ending = ending
        self._synapse = Synapse(directory / "synapse")

    async def open(self, names: Sequence[str]) -> list[Stage]:
        """One stage per bot, each running and seen to answer. Raises NotReady."""
        await self._ending.enter_async_context(self._synapse)
        replies = Replies(self._synapse.url, await self._synapse.register("observer"))
        await self._ending.enter_async_context(replies)
        senders = [await self._person(f"sender-{number}") for number in range(ROOMS)]
        stages = [await self._stage(name, senders, replies) for name in names]
        await replies.watch()
        await self._start(stages)
        return stages

    async def _person(self, name: str) -> Visitor:
        person = Visitor(self._synapse.url, await self._synapse.register(name))
        return await self._ending.enter_async_context(person)

    async def _stage(self, name: str, senders: Sequence[Visitor], replies: Replies) -> Stage:
        bot = await self._person(name)
        rooms = []
        for sender in senders:
            room = await sender.create_room(preset="public_chat")
            await bot.join(room)
            await replies.join(room)
            rooms.append(room)
        return Stage(name, bot.account, rooms, senders, replies)

    async def _start(self, stages: Sequence[Stage]) -> None:
        """Start ours first: the others answer with as long a text."""
        text = TEXT
        for stage in sorted(stages, key=lambda stage: stage.name != OURS):
            said = await self._start_one(stage, text)
            text = "x" * len(said)

    async def _start_one(self, stage: Stage, text: str) -> str:
        directory = self._directory / stage.name
        url = self._synapse.url
        programs = processes(stage.name, directory, stage.bot, homeserver=url, text=text)
        for program in programs:
            program.start()
            self._ending.push_async_callback(program.stop)
        try:
            said = await stage.greet()
        except NotReady as error:
            raise NotReady(f"{error}; it said:\n{programs[-1].last_words()}") from None
        await self._ending.enter_async_context(stage.measure(Meter.of(programs[-1].pid)))
        return said
