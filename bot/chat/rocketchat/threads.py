"""A few threads, each with a tool of its own, for work that would block the event loop."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

_CLOSING_SECONDS = 1.0


class Tool(Protocol):
    """What one thread works with, from its start to its end."""

    def close(self) -> None: ...


ToolT = TypeVar("ToolT", bound=Tool)
ResultT = TypeVar("ResultT")


class Closed(Exception):
    """The threads take no work any more."""


class Threads(Generic[ToolT]):
    """At most `count` pieces of work at a time; the others wait, first come first served.

    The thread that ended last is the next to work: its connection is the freshest. A cancelled wait
    does not stop the work, only its result is dropped. The threads are daemons: one that hangs
    holds up neither `close` nor the end of the program. Everything but the work itself runs in the
    event loop that called `run`.
    """

    def __init__(self, make: Callable[[], ToolT], count: int, name: str) -> None:
        self._make = make
        self._count = count
        self._name = name
        self._threads: list[_Thread[ToolT]] = []
        self._idle: list[_Thread[ToolT]] = []
        self._jobs: deque[_Job] = deque()
        self._open: set[asyncio.Future[Any]] = set()
        self._closed = False

    async def run(self, work: Callable[[ToolT], ResultT]) -> ResultT:
        """What `work` gives or raises. Raises Closed."""
        if self._closed:
            raise Closed
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        self._jobs.append((work, future))
        self._hand_out()
        return await future

    def _hand_out(self) -> None:
        while self._jobs:
            if self._jobs[0][1].done():  # nobody waits for it any more
                self._jobs.popleft()
            elif self._idle:
                self._idle.pop().jobs.put(self._jobs.popleft())
            elif len(self._threads) < self._count and not self._closed:
                thread = _Thread(self._make, self._freed, f"{self._name}-{len(self._threads)}")
                self._threads.append(thread)
                self._idle.append(thread)
            else:
                return

    def _freed(self, thread: "_Thread[ToolT]") -> None:
        self._idle.append(thread)
        self._hand_out()

    async def close(self) -> None:
        """Fail what is waited for, end the idle threads and, for a moment, await the others."""
        self._closed = True
        for future in list(self._open):
            if not future.done():
                future.set_exception(Closed())
        for thread in self._threads:
            thread.jobs.put(None)
        ends = [thread.ended for thread in self._threads]
        if ends:
            await asyncio.wait(ends, timeout=_CLOSING_SECONDS)


_Job = tuple[Callable[[Any], Any], asyncio.Future[Any]]


class _Thread(Generic[ToolT]):
    """One thread; `freed` is called in the event loop whenever it has done a job."""

    def __init__(
        self, make: Callable[[], ToolT], freed: Callable[["_Thread[ToolT]"], None], name: str
    ) -> None:
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._make = make
        self._freed = freed
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        tool = self._make()
        try:
            while (job := self.jobs.get()) is not None:
                self._do(tool, *job)
                del job
        finally:
            tool.close()
            self._tell(self._end)

    def _do(
        self, tool: ToolT, work: Callable[[ToolT], ResultT], future: asyncio.Future[ResultT]
    ) -> None:
        try:
            result = work(tool)
        except Exception as error:
            self._tell(self._failed, future, error)
        else:
            self._tell(self._done, future, result)

    def _tell(self, what: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:  # the loop is closed: nobody is left to hear it
            pass

    def _done(self, future: asyncio.Future[ResultT], result: ResultT) -> None:
        if not future.done():
            future.set_result(result)
        self._freed(self)

    def _failed(self, future: asyncio.Future[Any], error: Exception) -> None:
        if not future.done():
            future.set_exception(error)
        self._freed(self)

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
