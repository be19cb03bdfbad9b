"""The BBB servers behind the port `MeetingServers`, by name; one is chosen for new meetings."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from typing import TypeVar

from bot.bbb.circuit import Circuit, State
from bot.bbb.client import Client
from commands.errors import (
    LeftAlone,
    ServerBusy,
    ServerRefused,
    ServerTrouble,
    ServerUnreachable,
    WrongSecret,
)
from commands.ports import CreatedMeeting, MeetingInfo, MeetingPlan, Seat

log = logging.getLogger(__name__)

Value = TypeVar("Value")

FIRST_TRY = 0.6
"""The share of a call's time after which a `create` without an answer is tried again."""

_ANSWERS = (ServerRefused, ServerBusy, WrongSecret)
"""Trouble that a server is there to tell."""


class ServerPool:
    """Implements `MeetingServers`. A meeting stays on its server, whichever is chosen now.

    A server that does not answer is left alone for a while: its calls then fail at once.
    """

    def __init__(
        self,
        clients: Mapping[str, Client],
        *,
        chosen: str,
        origins: Sequence[str],
        now: Callable[[], float] = time.monotonic,
        resting: Callable[[str, bool], None] = lambda server, rests: None,
    ) -> None:
        """`chosen` is the name of the server for new meetings, `origins` where joins may lead.
        `now` gives seconds. `resting` hears when a server is left alone, and when no more.

        Raises ValueError when the chosen one is not there.
        """
        if chosen not in clients:
            raise ValueError(f"no BBB server is called {chosen!r}")
        self._clients = dict(clients)
        self._circuits = dict.fromkeys(clients, Circuit())
        self._chosen = chosen
        self._origins = tuple(origins)
        self._now = now
        self._resting = resting
        self._until: float | None = None
        for server in clients:
            resting(server, False)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()

    def choose(self) -> str:
        return self._chosen

    def names(self) -> Sequence[str]:
        return tuple(self._clients)

    def healthy(self) -> bool:
        return self._clients[self._chosen].healthy

    def origins(self) -> Sequence[str]:
        return self._origins

    def within(self, seconds: float) -> "ServerPool":
        hurried = copy(self)
        hurried._until = asyncio.get_running_loop().time() + seconds
        return hurried

    async def try_again(self) -> bool:
        rested = [
            server
            for server, circuit in self._circuits.items()
            if circuit.state(self._now()) is State.HALF_OPEN
        ]
        await asyncio.gather(*map(self._try, rested))
        return False

    async def _try(self, server: str) -> None:
        """Ask something that changes nothing; what comes of it is kept by the circuit."""
        try:
            await self._ask(
                server, "isMeetingRunning", lambda client, seconds: client.check_secret(seconds)
            )
        except ServerTrouble:
            return

    async def create(self, server: str, plan: MeetingPlan) -> CreatedMeeting:
        """Repeated once when it may have been done: the second finds what the first has made."""

        async def twice(client: Client, seconds: float) -> CreatedMeeting:
            now = asyncio.get_running_loop().time
            until = now() + seconds
            try:
                return await client.create(plan, seconds * FIRST_TRY)
            except ServerTrouble as trouble:
                if not trouble.in_doubt:
                    raise
            return await client.create(plan, until - now())

        return await self._ask(server, "create", twice)

    def join_url(self, server: str, seat: Seat) -> str:
        return self._client(server, "join").join_url(seat)

    async def info(self, server: str, meeting_id: str) -> MeetingInfo | None:
        return await self._ask(
            server, "getMeetingInfo", lambda client, seconds: client.info(meeting_id, seconds)
        )

    async def end(self, server: str, meeting_id: str) -> None:
        await self._ask(server, "end", lambda client, seconds: client.end(meeting_id, seconds))

    async def say(self, server: str, meeting_id: str, text: str) -> None:
        await self._ask(
            server,
            "sendChatMessage",
            lambda client, seconds: client.say(meeting_id, text, seconds),
        )

    # --- one question ------------------------------------------------------------------------

    async def _ask(
        self, server: str, call: str, question: Callable[[Client, float], Awaitable[Value]]
    ) -> Value:
        """Ask, unless the server is left alone or no time is left: then nothing was sent."""
        client, began = self._client(server, call), self._now()
        seconds = self._seconds_left(client)
        if seconds <= 0:
            raise ServerUnreachable(server, call, "no time left")
        if self._circuits[server].state(began) is State.OPEN:
            raise LeftAlone(server, call, "left alone for a while")
        self._turn(server, self._circuits[server].asked(began))
        try:
            answer = await question(client, seconds)
        except _ANSWERS:
            self._turn(server, self._circuits[server].answered(self._now()))
            raise
        except ServerTrouble:
            self._turn(server, self._circuits[server].failed(began, self._now()))
            raise
        self._turn(server, self._circuits[server].answered(self._now()))
        return answer

    def _seconds_left(self, client: Client) -> float:
        if self._until is None:
            return client.seconds
        return min(client.seconds, self._until - asyncio.get_running_loop().time())

    def _turn(self, server: str, circuit: Circuit) -> None:
        rested, self._circuits[server] = bool(self._circuits[server].rest), circuit
        if bool(circuit.rest) is rested:
            return
        self._resting(server, not rested)
        if rested:
            log.info("a BBB server answers again", extra=_event("bbb_back", server))
        else:
            log.warning("a BBB server is left alone", extra=_event("bbb_left_alone", server))

    def _client(self, server: str, call: str) -> Client:
        """Raises ServerUnreachable for a server that was taken out of the configuration."""
        client = self._clients.get(server)
        if client is None:
            raise ServerUnreachable(server, call, "not configured any more")
        return client


def _event(action: str, server: str) -> dict[str, str]:
    return {"action": action, "server": server}
