"""A person of a test whose client encrypts: plain matrix-nio, moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nio import AsyncClient, AsyncClientConfig
from nio.store import SqliteStore

from bot.demo.synapse import Account


class Peer:
    """Use as `async with`. `turn()` is one round of sync and key errands."""

    def __init__(self, url: str, account: Account, directory: Path) -> None:
        config = AsyncClientConfig(
            encryption_enabled=True, store=SqliteStore, max_timeouts=0, max_limit_exceeded=0
        )
        directory.mkdir(parents=True, exist_ok=True)
        self.account = account
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.client = AsyncClient(url, account.user_id, account.device_id, str(directory), config)

    async def __aenter__(self) -> Peer:
        self.client.restore_login(
            self.account.user_id, self.account.device_id, self.account.access_token
        )
        await self.turn()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        self.client.store.database.close()

    async def turn(self) -> None:
        answer = await self.client.sync(timeout=300, full_state=not self.client.next_batch)
        for room, info in answer.rooms.join.items():
            self.events += [(room, event.source) for event in info.timeline.events]
        await self.client.send_to_device_messages()
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        if self.client.should_query_keys:
            await self.client.keys_query()
        if self.client.should_claim_keys:
            await self.client.keys_claim(self.client.get_users_for_key_claiming())
        await self.client.send_to_device_messages()

    async def turns_until(self, done: Callable[[], bool], *, seconds: float = 20.0) -> None:
        """Go on until `done` holds. Raises AssertionError when it does not in time."""
        try:
            async with asyncio.timeout(seconds):
                while not done():
                    await self.turn()
        except TimeoutError:
            raise AssertionError(f"not so; seen: {self.bodies()}") from None

    def bodies(self) -> list[str]:
        """The texts of all messages it could read."""
        return [str(event["content"].get("body")) for _, event in self.events if _is_text(event)]

    async def knows(self, room: str, user: str) -> None:
        """Go on until the other's devices in a room are known."""

        def ready() -> bool:
            known = self.client.rooms.get(room)
            if known is None or user not in known.users or not known.encrypted:
                return False
            return bool(list(self.client.device_store.active_user_devices(user)))

        await self.turns_until(ready)

    async def say(self, room: str, text: str, **more: Any) -> str:
        """Post an encrypted message; its event id."""
        answer = await self.client.room_send(
            room,
            "m.room.message",
            {"msgtype": "m.text", "body": text, **more},
            ignore_unverified_devices=True,
        )
        return str(answer.event_id)


def _is_text(event: dict[str, Any]) -> bool:
    return event.get("type") == "m.room.message"
