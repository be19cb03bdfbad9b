"""End-to-end encryption around nio: its key errands after each sync, and encrypting what we send.

Cross-signing of the own device has its place in `Keys.prepare`.
"""

import asyncio
import logging
from collections import defaultdict
from typing import Any
from uuid import uuid4

from bot.chat.base import ChatMisconfigured
from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client, Json, at
from commands.errors import ChatRefused, ChatUnavailable

log = logging.getLogger(__name__)


class Keys:
    """The keys of one device. With encryption off it does nothing, and encrypts nothing."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._one_per_room: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def prepare(self) -> None:
        """Before the first sync: refuse a store that is not this device's.

        Raises ChatMisconfigured: others would ignore the new keys of a known device for ever.
        """
        if self._client.olm is None:
            return
        mine, device = self._client.user_id, self._client.device_id
        answer = await self._client.ask(
            "POST", at("keys", "query"), body={"device_keys": {mine: [device]}}
        )
        published = _keys_of(answer, mine, device)
        own = self._client.olm.account.identity_keys["ed25519"]
        if published.get(f"ed25519:{device}", own) != own:
            raise ChatMisconfigured(
                f"The encryption store is not the one of the device {device}: lost, or an old "
                "copy. Log the bot in again and put the new device id and token into the "
                "configuration."
            )

    async def tend(self) -> None:
        """After each sync answer: send, upload, query and claim what nio has gathered.

        What fails is logged, and tried again after the next answer; commands do not wait for it. A
        refused upload (keys of an old copy of the store) does not keep the rest from healing.
        """
        if self._client.olm is None:
            return
        errands = (self._send_out, self._upload, self._query, self._claim, self._send_out)
        for errand in errands:
            try:
                await errand()
            except (MatrixError, ChatUnavailable) as error:
                log.warning(
                    "%s of keys failed: %s",
                    errand.__name__.strip("_"),
                    error,
                    extra={"action": "key_errand_failed"},
                )
                if isinstance(error, ChatUnavailable):
                    return

    async def _upload(self) -> None:
        if self._client.should_upload_keys:
            await self._client.asked(self._client.keys_upload())

    async def _query(self) -> None:
        if self._client.should_query_keys:
            await self._client.asked(self._client.keys_query())
        self._client.mark_dead_sessions()

    async def _claim(self) -> None:
        if self._client.should_claim_keys:
            wanted = self._client.get_users_for_key_claiming()
            await self._client.asked(self._client.keys_claim(wanted))

    async def _send_out(self) -> None:
        for message in list(self._client.outgoing_to_device_messages):
            await self._client.asked(self._client.to_device(message))

    async def encrypt(self, room: str, kind: str, content: Json) -> tuple[str, Json]:
        """Event type and content for an encrypted room that we know.

        Raises ChatRefused where it can never be encrypted, else MatrixError and ChatUnavailable.
        """
        client = self._client
        if client.olm is None:
            raise ChatRefused("the room is encrypted and encryption is switched off")
        if not client.rooms[room].encrypted:
            raise ChatRefused("the room is encrypted in a way that is not known here")
        async with self._one_per_room[room]:
            await self._query()
            if client.olm.should_share_group_session(room):
                await self._share(room)
            client.rooms[room].members_synced = True  # our filter never lazy-loads members
            encrypted: tuple[str, dict[str, Any]] = client.encrypt(room, kind, content)
            return encrypted

    async def _share(self, room: str) -> None:
        """Give the room's key to every device in it.

        nio's own way takes the key for shared even where a request failed: those people could never
        read what follows. Here a failure leaves it unshared, and the next try goes on from there.
        """
        client = self._client
        if missing := client.get_missing_sessions(room):
            await client.asked(client.keys_claim(missing))
        errands = client.olm.share_group_session_parallel(
            room, list(client.rooms[room].users), ignore_unverified_devices=True
        )
        for devices, messages in errands:
            path = at("sendToDevice", "m.room.encrypted", str(uuid4()))
            await client.ask("PUT", path, body=messages)
            client.olm.outbound_group_sessions[room].users_shared_with.update(devices)
        client.olm.outbound_group_sessions[room].shared = True


def _keys_of(answer: Json, user: str, device: str) -> dict[str, str]:
    """The published keys of one device in a /keys/query answer; {} when it has none."""
    found: Any = answer
    for name in ("device_keys", user, device, "keys"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
