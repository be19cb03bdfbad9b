"""The keys of encrypted rooms on their way to other people's devices, a few devices at a time.

Each device costs some milliseconds of pure work. nio does them all in one go, which stops
everything else for seconds in a big room; here the event loop gets its turn after every few.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import uuid4

from nio.responses import ErrorResponse, KeysClaimResponse, KeysQueryResponse

from bot.chat.matrix.client import Client, at
from bot.chat.shapes import Json, nested
from commands.errors import ChatUnavailable

log = logging.getLogger(__name__)

DEVICES_AT_ONCE = 5
"""Between two turns of the event loop."""
PEOPLE_PER_QUESTION = 50
DEVICES_PER_REQUEST = 100
_MOST_BEGINNINGS = 5

Item = TypeVar("Item")


class _Few(dict[str, Any]):
    """Some of a person's devices; `keys` are the ids of all, lest nio forgets the others."""

    def __init__(self, all_of_them: Mapping[str, Any], some: Mapping[str, Any] | None = None):
        super().__init__(some or {})
        self._all = all_of_them

    def keys(self) -> Any:
        return self._all.keys()


class Sharing:
    """Learns other people's devices, opens sessions with them, and gives them room keys.

    All methods raise MatrixError and ChatUnavailable; what was done until then holds.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def query(self) -> None:
        """Ask for the devices of everybody whose devices are new or changed."""
        for people in _pieces(sorted(self._client.olm.users_for_key_query), PEOPLE_PER_QUESTION):
            answer = await self._client.ask(
                "POST", at("keys", "query"), body={"device_keys": {who: [] for who in people}}
            )
            for who in people:
                devices = nested(answer, "device_keys", who)
                if isinstance(devices, dict):
                    await self._learn(who, devices)

    async def _learn(self, who: str, devices: Mapping[str, Any]) -> None:
        """Take note of a person's devices; those that are not listed any more are forgotten."""
        listed = list(devices.items())
        await self._receive(who, KeysQueryResponse({who: _Few(devices)}, {}))
        for few in _pieces(listed, DEVICES_AT_ONCE):
            with self._client.one_commit():
                for device, keys in few:
                    one = KeysQueryResponse.from_dict({"device_keys": {who: {device: keys}}})
                    if isinstance(one, KeysQueryResponse):
                        one.device_keys = {who: _Few(devices, {device: keys})}
                    await self._receive(who, one)
            await asyncio.sleep(0)

    async def claim(self, wanted: Mapping[str, Sequence[str]]) -> None:
        """Open sessions with these devices (ids by person), as far as they have keys left."""
        pairs = [(who, device) for who, devices in wanted.items() for device in devices]
        for some in _pieces(pairs, DEVICES_PER_REQUEST):
            body: dict[str, dict[str, str]] = {}
            for who, device in some:
                body.setdefault(who, {})[device] = "signed_curve25519"
            answer = await self._client.ask(
                "POST", at("keys", "claim"), body={"one_time_keys": body}
            )
            for few in _pieces(some, DEVICES_AT_ONCE):
                with self._client.one_commit():
                    for who, device in few:
                        key = nested(answer, "one_time_keys", who, device)
                        found = {"one_time_keys": {who: {device: key}}}
                        await self._receive(who, KeysClaimResponse.from_dict(found))
                await asyncio.sleep(0)

    async def _receive(self, who: str, response: Any) -> None:
        """Let nio take one device's keys; what somebody made up must not harm the others."""
        try:
            if isinstance(response, ErrorResponse):
                raise ValueError("malformed")
            await self._client.receive_response(response)
        except Exception as error:  # whatever the cryptography says to it
            log.warning(
                "keys of a device not taken",
                extra={"action": "keys_not_taken", "person": who, "error": type(error).__name__},
            )

    async def hand_out(self, room: str) -> None:
        """Give the room's key to every device of everybody in it.

        A failure leaves the key unshared, and the next try goes on from there; nio would take it
        for shared, and those people could never read what follows. When somebody comes or goes
        meanwhile, it begins again with another key.
        """
        olm = self._client.olm
        for _ in range(_MOST_BEGINNINGS):
            key = olm.outbound_group_sessions.get(room)
            if key is None or key.shared:
                olm.create_outbound_group_session(room)
                key = olm.outbound_group_sessions[room]
            if await self._hand_out(room, key):
                key.shared = True
                return
        raise ChatUnavailable("people come and go faster than the room's key is handed out")

    async def _hand_out(self, room: str, key: Any) -> bool:
        """False when this is not the room's key any more; who left must not get to read on."""
        await self.claim(self._without_session(room, key))
        for some in _pieces(self._waiting(room, key), DEVICES_PER_REQUEST):
            messages = await self._sealed(room, key, some)
            if self._client.olm.outbound_group_sessions.get(room) is not key:
                return False
            path = at("sendToDevice", "m.room.encrypted", str(uuid4()))
            await self._client.ask("PUT", path, body={"messages": messages})
            key.users_shared_with.update((device.user_id, device.id) for device in some)
        return self._client.olm.outbound_group_sessions.get(room) is key

    async def _sealed(self, room: str, key: Any, devices: Sequence[Any]) -> Json:
        """The room's key for each device, by person and device id."""
        olm, sealed = self._client.olm, Json()
        content = {
            "algorithm": "m.megolm.v1.aes-sha2",
            "room_id": room,
            "session_id": key.id,
            "session_key": key.session_key,
        }
        for few in _pieces(devices, DEVICES_AT_ONCE):
            with self._client.one_commit():
                for device in few:
                    session = olm.session_store.get(device.curve25519)
                    message = olm._olm_encrypt(session, device, "m.room_key", content)
                    sealed.setdefault(device.user_id, {})[device.id] = message
            await asyncio.sleep(0)
        return sealed

    def _without_session(self, room: str, key: Any) -> dict[str, list[str]]:
        missing: dict[str, list[str]] = {}
        for device in self._others(room, key):
            if self._client.olm.session_store.get(device.curve25519) is None:
                missing.setdefault(device.user_id, []).append(device.id)
        return missing

    def _waiting(self, room: str, key: Any) -> list[Any]:
        """The devices still to be served; who has run out of one-time keys cannot be."""
        known = self._client.olm.session_store
        return [device for device in self._others(room, key) if known.get(device.curve25519)]

    def _others(self, room: str, key: Any) -> Iterator[Any]:
        """Devices in the room, but this one, that do not have the key. All are equally trusted."""
        client = self._client
        for who in list(client.rooms[room].users):
            for device in client.olm.device_store.active_user_devices(who):
                is_this = (who, device.id) == (client.user_id, client.device_id)
                if not is_this and (who, device.id) not in key.users_shared_with:
                    yield device


def _pieces(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
