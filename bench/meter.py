"""Reads the memory and the processor time of a process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import psutil

MIB = 1024 * 1024
SAMPLE_SECONDS = 0.1


@dataclass(slots=True)
class Meter:
    """One process with its children. `peak_mib` grows within `async with`."""

    process: psutil.Process
    peak_mib: float = 0.0
    _watching: asyncio.Task[None] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, pid: int) -> Meter:
        return cls(psutil.Process(pid))

    async def __aenter__(self) -> Meter:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching:
            self._watching.cancel()
            await asyncio.wait({self._watching})

    def rss_mib(self) -> float:
        """What it holds in memory now."""
        everything = [self.process, *self.process.children(recursive=True)]
        return float(sum(one.memory_info().rss for one in everything) / MIB)

    def cpu_seconds(self) -> float:
        """Processor time it has used since its start, in user and system mode."""
        times = self.process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)

    async def _watch(self) -> None:
        while True:
            self.peak_mib = max(self.peak_mib, self.rss_mib())
            await asyncio.sleep(SAMPLE_SECONDS)
