"""Builds what the bench needs in Rocket.Chat: our test server, people, rooms, and the bots."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench.rocketchat.people import Person, Watcher
from bench.running import FLOOR, OURS, another, ours, start
from bench.stage import NotReady, Stage
from tests.our_bot import Process
from tests.rocketchat.our_bot import write_config

NAMES = (FLOOR, OURS)
ROOMS = 20
READY_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.1


class Arena:
    """Everything it starts ends with `ending`."""

    def __init__(self, directory: Path, ending: AsyncExitStack) -> None:
        self._directory = directory
        self._ending = ending
        self._house: dict[str, Any] = {}

    async def open(self, names: Sequence[str]) -> list[Stage]:
        """One stage per bot, each running and seen to answer. Raises NotReady."""
        self._house = house = await self._serve(names)
        watcher = Watcher(house["url"], *house["watcher"])
        await self._ending.enter_async_context(watcher)
        senders = [
            await self._ending.enter_async_context(Person(house["url"], *account))
            for account in house["senders"]
        ]
        stages = [
            Stage(name, bot["account"][0], bot["rooms"], senders, watcher)
            for name, bot in house["bots"].items()
        ]
        await start(stages, self._programs, self._ending)
        return stages

    async def _serve(self, names: Sequence[str]) -> dict[str, Any]:
        """Start the server; what it says of itself."""
        output = self._directory / "server.txt"
        command = (sys.executable, "-m", "bench.rocketchat.server", str(ROOMS), *names)
        server = Process(command, output)
        server.start()
        self._ending.push_async_callback(server.stop)
        for _ in range(int(READY_SECONDS / LOOK_AGAIN_SECONDS)):
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            first, line_end, _ = output.read_text().partition("\n")
            if line_end and first.startswith("{"):
                found: dict[str, Any] = json.loads(first)
                return found
        raise NotReady(f"the server does not begin; it said:\n{server.last_words()}")

    def _programs(self, stage: Stage, text: str) -> Sequence[Process]:
        directory, url = self._directory / stage.name, self._house["url"]
        user_id, token = self._house["bots"][stage.name]["account"]
        directory.mkdir()
        if stage.name == OURS:
            return ours(
                directory,
                lambda port, secret: write_config(
                    directory,
                    url=url,
                    user_id=user_id,
                    token=token,
                    bbb_port=port,
                    bbb_secret=secret,
                ),
            )
        settings = {"url": url, "user_id": user_id, "access_token": token, "text": text}
        return another(f"bench.rocketchat.{stage.name}", directory, settings)
