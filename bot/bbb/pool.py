"""The BBB servers behind the port `MeetingServers`, by name; one is chosen for new meetings."""

import asyncio
from collections.abc import Mapping, Sequence

from bot.bbb.client import Client
from commands.errors import AnswerLost, ServerUnreachable
from commands.ports import CreatedMeeting, MeetingInfo, MeetingPlan, Seat

FIRST_TRY = 0.6
"""The share of a call's time after which a `create` without an answer is tried again."""


class ServerPool:
    """Implements `MeetingServers`. A meeting stays on its server, whichever is chosen now."""

    def __init__(
        self, clients: Mapping[str, Client], *, chosen: str, origins: Sequence[str]
    ) -> None:
        """`chosen` is the name of the server for new meetings, `origins` where joins may lead.

        Raises ValueError when the chosen one is not there.
        """
        if chosen not in clients:
            raise ValueError(f"no BBB server is called {chosen!r}")
        self._clients = dict(clients)
        self._chosen = chosen
        self._origins = tuple(origins)

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

    async def create(self, server: str, plan: MeetingPlan) -> CreatedMeeting:
        """Repeated once when the answer was lost: the second finds what the first has made."""
        client = self._client(server, "create")
        now = asyncio.get_running_loop().time
        until = now() + client.seconds
        try:
            return await client.create(plan, seconds=client.seconds * FIRST_TRY)
        except AnswerLost:
            pass
        return await client.create(plan, seconds=until - now())

    def join_url(self, server: str, seat: Seat) -> str:
        return self._client(server, "join").join_url(seat)

    async def info(self, server: str, meeting_id: str) -> MeetingInfo | None:
        return await self._client(server, "getMeetingInfo").info(meeting_id)

    async def end(self, server: str, meeting_id: str) -> None:
        await self._client(server, "end").end(meeting_id)

    async def say(self, server: str, meeting_id: str, text: str) -> None:
        await self._client(server, "sendChatMessage").say(meeting_id, text)

    def _client(self, server: str, call: str) -> Client:
        """Raises ServerUnreachable for a server that was taken out of the configuration."""
        client = self._clients.get(server)
        if client is None:
            raise ServerUnreachable(server, call, "not configured any more")
        return client
