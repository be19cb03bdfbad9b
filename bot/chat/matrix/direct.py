"""Direct messages: the rooms of two, the account's list of them (m.direct), and making new ones."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from bot.chat.locks import Locks
from bot.chat.matrix.answers import MatrixError, trouble
from bot.chat.matrix.client import Client, at
from bot.chat.shapes import Json
from commands.errors import ChatTrouble, ChatUnavailable, DirectRefused, NotThereYet

log = logging.getLogger(__name__)

_ENCRYPTED = {
    "type": "m.room.encryption",
    "state_key": "",
    "content": {"algorithm": "m.megolm.v1.aes-sha2"},
}


class DirectRooms:
    """A room is direct when exactly two are in it or invited, and it is listed or has no name."""

    def __init__(self, client: Client, *, encryption: bool) -> None:
        self._client = client
        self._encryption = encryption
        self._listed: defaultdict[str, list[str]] = defaultdict(list)
        self._one_per_person = Locks()
        self._writing = asyncio.Lock()
        self._creating = asyncio.Lock()

    # --- the list ---------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the account's list. Raises MatrixError, ChatUnavailable."""
        self.read(await self._stored())

    def read(self, content: Mapping[str, Any]) -> None:
        """Take the content of m.direct over. Nothing is dropped: members are asked for anyway."""
        for person, rooms in content.items():
            known = self._listed[person]
            found = rooms if isinstance(rooms, list) else []
            known += [room for room in found if isinstance(room, str) and room not in known]

    def note(self, person: str, room: str) -> bool:
        """List a room in memory; whether that was new. To last it must be stored."""
        if room in self._listed[person]:
            return False
        self._listed[person].insert(0, room)
        return True

    async def store(self) -> None:
        """Write the list to the account. When that fails now, it holds until the next start."""
        try:
            async with self._writing:
                self.read(await self._stored())
                listed = {who: rooms for who, rooms in self._listed.items() if rooms}
                await self._client.ask("PUT", self._list_path(), body=listed)
        except (MatrixError, ChatUnavailable) as error:
            log.warning("direct rooms not stored: %s", error, extra={"action": "direct_not_stored"})

    async def _stored(self) -> Json:
        try:
            return await self._client.ask("GET", self._list_path())
        except MatrixError as error:
            if error.errcode == "M_NOT_FOUND":
                return {}
            raise

    def _list_path(self) -> str:
        return at("user", self._client.user_id, "account_data", "m.direct")

    # --- which rooms ------------------------------------------------------------------------------

    def has_two(self, room: str) -> bool:
        """Whether exactly two are in the room or invited, as the sync knows it."""
        return room in self._client.rooms and len(self._client.rooms[room].users) == 2

    def looks_direct(self, room: str) -> bool:
        """Whether the room is direct, as the sync knows it: good enough to read commands."""
        return self.has_two(room) and (self._is_listed(room) or self._has_no_name(room))

    async def is_dm(self, room: str) -> bool:
        """Whether the room is direct, as the server says now: good enough for secrets."""
        if not self._is_listed(room) and not self._has_no_name(room):
            return False
        return sorted((await self._people(room)).values()) == ["join", "join"]

    def _is_listed(self, room: str) -> bool:
        return any(room in rooms for rooms in self._listed.values())

    def _has_no_name(self, room: str) -> bool:
        known = self._client.rooms.get(room)
        return known is not None and not known.name and not known.canonical_alias

    # --- opening one ------------------------------------------------------------------------------

    async def open(self, person: str) -> str:
        """The room of just the bot and this person.

        Raises NotThereYet while they have not joined, DirectRefused, ChatBusy, ChatUnavailable. A
        room is made once: a pending one is found again, in the list or among the rooms we know.
        """
        async with self._one_per_person.of(person):
            is_waiting = False
            for room in self._candidates(person):
                people = await self._people(room)
                if people == {self._client.user_id: "join", person: "join"}:
                    return room
                is_waiting |= people == {self._client.user_id: "join", person: "invite"}
            if not is_waiting:
                self.note(person, await self._create(person))
                await self.store()
            raise NotThereYet("invited to a direct message")

    def _candidates(self, person: str) -> Iterator[str]:
        yield from list(self._listed[person])
        for room, known in list(self._client.rooms.items()):
            if room not in self._listed[person] and person in known.users:
                if self.looks_direct(room):
                    yield room

    async def _people(self, room: str) -> dict[str, str]:
        """Who is in the room or invited, asked of the server; {} for a closed room."""
        try:
            answer = await self._client.ask(
                "GET", at("rooms", room, "members"), query={"not_membership": "leave"}
            )
        except MatrixError as error:
            if error.is_for_good:
                return {}
            raise trouble(error) from error
        members = ((event["state_key"], event["content"]) for event in answer["chunk"])
        found = {who: content.get("membership") for who, content in members}
        return {who: state for who, state in found.items() if state in {"join", "invite"}}

    async def _create(self, person: str) -> str:
        body = {
            "is_direct": True,
            "preset": "trusted_private_chat",
            "invite": [person],
            "initial_state": [_ENCRYPTED] if self._encryption else [],
        }
        async with self._creating:
            before = set(self._client.rooms)
            try:
                answer = await self._client.ask("POST", "/createRoom", body=body)
            except MatrixError as error:
                await self._leave_empty_rooms(but=before)
                raise _refusal(error) from error
        return str(answer["room_id"])

    async def _leave_empty_rooms(self, *, but: set[str]) -> None:
        """Synapse makes the room first and refuses the invitation then: that room is left over."""
        try:
            joined = (await self._client.ask("GET", "/joined_rooms"))["joined_rooms"]
            for room in set(joined) - but:
                if (await self._people(room)).keys() == {self._client.user_id}:
                    await self._client.ask("POST", at("rooms", room, "leave"), body={})
        except (MatrixError, ChatTrouble) as error:
            log.warning("empty room not left: %s", error, extra={"action": "leave_failed"})


def _refusal(error: MatrixError) -> ChatTrouble:
    """Why there is no direct room: `M_INVITE_BLOCKED` and the like are for good."""
    return DirectRefused(str(error)) if error.is_for_good else trouble(error)
