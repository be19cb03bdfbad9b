"""Builds what the bench needs on Matrix: a Synapse, people, rooms, and the bots."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bench.matrix.watcher import Watcher
from bench.running import FLOOR, OURS, another, ours, start
from bench.stage import Stage
from bot.demo.synapse import Account, Synapse
from tests.matrix.client import Visitor
from tests.matrix.our_bot import write_config
from tests.our_bot import Process

NAMES = (FLOOR, "textbook", OURS)
ROOMS = 20


class Arena:
    """Everything it starts ends with `ending`."""

    def __init__(self, directory: Path, ending: AsyncExitStack) -> None:
        self._directory = directory
        self._ending = ending
        self._synapse = Synapse(directory / "synapse")
        self._bots: dict[str, Account] = {}

    async def open(self, names: Sequence[str]) -> list[Stage]:
        """One stage per bot, each running and seen to answer. Raises NotReady."""
        await self._ending.enter_async_context(self._synapse)
        watcher = Watcher(self._synapse.url, await self._synapse.register("observer"))
        await self._ending.enter_async_context(watcher)
        senders = [await self._person(f"sender-{number}") for number in range(ROOMS)]
        stages = [await self._stage(name, senders, watcher) for name in names]
        await watcher.watch()
        await start(stages, self._programs, self._ending)
        return stages

    async def _person(self, name: str) -> Visitor:
        person = Visitor(self._synapse.url, await self._synapse.register(name))
        return await self._ending.enter_async_context(person)

    async def _stage(self, name: str, senders: Sequence[Visitor], watcher: Watcher) -> Stage:
        bot = await self._person(name)
        self._bots[name] = bot.account
        rooms = []
        for sender in senders:
            room = await sender.create_room(preset="public_chat")
            await bot.join(room)
            await watcher.join(room)
            rooms.append(room)
        return Stage(name, bot.user_id, rooms, senders, watcher)

    def _programs(self, stage: Stage, text: str) -> Sequence[Process]:
        directory, account, url = (
            self._directory / stage.name,
            self._bots[stage.name],
            self._synapse.url,
        )
        directory.mkdir()
        if stage.name == OURS:
            return ours(
                directory,
                lambda port, secret: write_config(
                    directory, account, homeserver=url, bbb_port=port, bbb_secret=secret
                ),
            )
        settings = {
            "homeserver": url,
            "user_id": account.user_id,
            "access_token": account.access_token,
            "text": text,
        }
        return another(f"bench.matrix.{stage.name}", directory, settings)
