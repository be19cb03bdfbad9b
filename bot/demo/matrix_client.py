"""One signed-in Matrix person over raw HTTP, unencrypted: for the people of demo and tests."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from bot.demo.synapse import Account

Content = Mapping[str, Any]

NOTHING = {"not_types": ["*"]}
SYNC_FILTER = {
    "presence": NOTHING,
    "account_data": NOTHING,
    "room": {"timeline": {"limit": 100}, "ephemeral": NOTHING, "account_data": NOTHING},
}
"""100 events a room is the most that Synapse gives at once."""


class MatrixRefused(Exception):
    """The homeserver said no: the HTTP status, and Matrix's `errcode`."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {answer.get('errcode')}: {answer.get('error')}")
        self.status = status
        self.errcode = str(answer.get("errcode", ""))


class MatrixPerson:
    """Use as `async with`. Methods raise MatrixRefused; without an answer aiohttp.ClientError."""

    def __init__(self, url: str, account: Account) -> None:
        self.account = account
        self._url = url
        self._http: aiohttp.ClientSession | None = None
        self._numbers: Iterator[int] = itertools.count(1)

    @property
    def user_id(self) -> str:
        return self.account.user_id

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self.account.access_token}"},
            timeout=aiohttp.ClientTimeout(total=90),
            connector=aiohttp.TCPConnector(limit=0),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http:
            await self._http.close()
            self._http = None

    async def ask(
        self,
        method: str,
        path: str,
        body: Content | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """One request; `path` comes after `/_matrix/client/v3` and is quoted already."""
        if not self._http:
            raise ValueError("not inside `async with`")
        url = f"{self._url}/_matrix/client/v3{path}"
        async with self._http.request(method, url, json=body, params=query) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            if response.status != 200:
                raise MatrixRefused(response.status, answer)
            return answer

    async def create_room(
        self,
        *,
        invite: Sequence[str] = (),
        version: str | None = None,
        encrypted: bool = False,
        preset: str = "private_chat",
        name: str | None = None,
        direct: bool = False,
    ) -> str:
        """A new room, of the server's own version unless `version` is given; its id."""
        body: dict[str, Any] = {"preset": preset, "invite": list(invite), "is_direct": direct}
        if version:
            body["room_version"] = version
        if name:
            body["name"] = name
        if encrypted:
            algorithm = {"algorithm": "m.megolm.v1.aes-sha2"}
            body["initial_state"] = [{"type": "m.room.encryption", "content": algorithm}]
        return str((await self.ask("POST", "/createRoom", body))["room_id"])

    async def join(self, room: str) -> None:
        """Join a room that is open, or that this person was invited to."""
        await self.ask("POST", f"/join/{quote(room)}", {})

    async def say(self, room: str, text: str, *, txn: str | None = None, **more: Any) -> str:
        """Post plain text; `more` goes into the content. The event's id."""
        return await self.send(room, {"msgtype": "m.text", "body": text, **more}, txn=txn)

    async def send(
        self, room: str, content: Content, *, kind: str = "m.room.message", txn: str | None = None
    ) -> str:
        """Post any event; the same `txn` again posts nothing new. The event's id."""
        txn = txn or f"{self.account.device_id}-{next(self._numbers)}"
        path = f"/rooms/{quote(room)}/send/{quote(kind)}/{quote(txn)}"
        return str((await self.ask("PUT", path, content))["event_id"])

    async def react(self, room: str, event: str, key: str) -> str:
        """Put a reaction on a message; the reaction's event id."""
        relation = {"rel_type": "m.annotation", "event_id": event, "key": key}
        return await self.send(room, {"m.relates_to": relation}, kind="m.reaction")

    async def sync(self, since: str | None = None, *, wait_ms: int = 0) -> dict[str, Any]:
        """What is new since `since`, at most `wait_ms` awaited; without `since` the state now."""
        query = {"timeout": str(wait_ms), "filter": json.dumps(SYNC_FILTER)}
        return await self.ask("GET", "/sync", query=query | ({"since": since} if since else {}))
