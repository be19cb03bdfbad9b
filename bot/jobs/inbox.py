"""Commands from the inbox: each channel in order, channels side by side."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.logs import about
from commands.refs import ref_of
from storage.records import Channel, Command, Letter, Person
from storage.store import Store, StoreError

log = logging.getLogger(__name__)

AGAIN_AFTER = 1.0
"""Seconds until a command is tried again that the store could not keep."""


class Inbox:
    """Keeps what adapters receive and has it run; the `Intake` of every adapter."""

    def __init__(
        self,
        store: Store,
        run: Callable[[Command], Awaitable[Sequence[Letter]]],
        *,
        after: Callable[[Sequence[Letter]], None],
        arrived: Callable[[Person], Awaitable[None]],
        unreadable: Callable[[Channel, str], Awaitable[None]],
    ) -> None:
        """`after` is given what each command has to say; `arrived` hears who opened a direct
        message, `unreadable` where which message could not be read.
        """
        self._store = store
        self._run = run
        self._after = after
        self._arrived = arrived
        self._unreadable = unreadable
        self._queues: dict[Channel, deque[Command]] = {}
        self._workers: dict[Channel, asyncio.Task[None]] = {}
        self._closing = False
        self._held = False
        self._order = asyncio.Lock()

    async def accept(
        self, platform: str, position: str | None, commands: Sequence[Command]
    ) -> None:
        """Keep commands and position in one commit, then let the workers at those not seen before.

        They are kept as begun once already, for that is what happens next.
        """
        async with self._order:
            begun = [replace(command, attempts=int(not self._held)) for command in commands]
            for command in await self._store.accept(platform, position, begun):
                if not self._held:
                    self._queue(command)

    async def position(self, platform: str) -> str | None:
        return await self._store.position(platform)

    async def person_arrived(self, person: Person) -> None:
        await self._arrived(person)

    async def unreadable(self, channel: Channel, ref: str) -> None:
        await self._unreadable(channel, ref)

    def hold(self) -> None:
        """Only keep what comes, until `resume`: what was left over goes first."""
        self._held = True

    async def resume(self) -> None:
        """Take up what waits, in the order in which it came."""
        async with self._order:
            self._held = False
            for command in await self._store.waiting():
                self._queue(replace(command, attempts=0))

    async def drained(self) -> None:
        """Return when nothing is queued or running."""
        while self._workers:
            await asyncio.wait(list(self._workers.values()))

    async def stop(self, within: float) -> None:
        """Take no more from the queues; let what runs end within so many seconds. Never raises.

        What was not begun stays in the inbox for the next start.
        """
        self._closing = True
        if not self._workers:
            return
        _, late = await asyncio.wait(list(self._workers.values()), timeout=within)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _queue(self, command: Command) -> None:
        self._queues.setdefault(command.channel, deque()).append(command)
        if command.channel not in self._workers and not self._closing:
            self._workers[command.channel] = asyncio.create_task(self._work(command.channel))

    async def _work(self, channel: Channel) -> None:
        queue = self._queues[channel]
        try:
            while queue and not self._closing:
                letters = await self._finish(queue[0])
                queue.popleft()
                self._after(letters)
        finally:
            del self._workers[channel]
            if not queue:
                del self._queues[channel]

    async def _finish(self, command: Command) -> Sequence[Letter]:
        """Run a command until the store has kept its end.

        One that fails otherwise stays in the inbox for the next start, and holds nobody up.
        """
        while not self._closing:
            try:
                if not command.attempts:
                    tries = await self._store.attempt(command.id)
                    command = replace(command, attempts=tries)
                with about(ref_of(command.id)):
                    return await self._run(command)
            except StoreError as error:
                log.warning(
                    "command waits for the store",
                    extra={"action": "store_trouble", "error": str(error)},
                )
                command = replace(command, attempts=0)
                await asyncio.sleep(AGAIN_AFTER)
            except Exception:
                log.exception("command not finished", extra={"action": "command_unfinished"})
                return []
        return []
