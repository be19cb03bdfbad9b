"""End-to-end encryption around nio: key errands after each sync, and encrypting what we send."""

import logging
from typing import Any

from bot.chat.locks import Locks
from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client
from bot.chat.matrix.cross_signing import CrossSigning
from bot.chat.matrix.own_device import check, published_device
from bot.chat.matrix.sharing import Sharing
from bot.chat.shapes import Json
from commands.errors import ChatRefused, ChatUnavailable

log = logging.getLogger(__name__)

_MOST_SKIPS = 40
"""Times 50 keys that an older copy of the store may be behind."""


class Keys:
    """The keys of one device. With encryption off it does nothing, and encrypts nothing."""

    def __init__(self, client: Client, cross_signing: CrossSigning) -> None:
        self._client = client
        self._cross_signing = cross_signing
        self._sharing = Sharing(client)
        self._skips = 0
        self._one_per_room = Locks()

    async def prepare(self) -> None:
        """Before the first sync: refuse a store that is not this device's.

        Raises ChatMisconfigured: others would ignore the new keys of a known device for ever.
        """
        if self._client.olm is None:
            return
        if not check(self._client, await published_device(self._client)):
            self._client.olm.account.shared = False  # the server forgot: it has to hear them again
        if self._client.store_files.is_copy:
            self._renew_sessions()

    async def tend(self) -> None:
        """After each sync answer: send, upload, sign, query and claim what nio has gathered.

        What fails is logged, and tried again after the next answer; commands do not wait for it. A
        refused upload (keys of an old copy of the store) does not keep the rest from healing.
        Raises ChatMisconfigured when the device has become another's.
        """
        if self._client.olm is None:
            return
        errands = (
            self._send_out,
            self._upload,
            self._sign,
            self._query,
            self._claim,
            self._send_out,
            self._vouch,
        )
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
        while self._client.should_upload_keys:
            try:
                await self._client.asked(self._client.keys_upload())
            except MatrixError as error:
                if error.status != 400 or self._skips == _MOST_SKIPS:
                    raise
                self._skip_keys()

    def _skip_keys(self) -> None:
        """The homeserver has other one-time keys of these numbers: the store is an older copy."""
        if not self._skips:
            self._renew_sessions()
        self._skips += 1
        self._client.olm.account.mark_keys_as_published()
        self._client.olm.save_account()

    def _renew_sessions(self) -> None:
        log.warning(
            "The encryption store is an older copy: new sessions are opened with every device. "
            "What was encrypted with keys handed out since the copy was made stays unreadable.",
            extra={"action": "store_is_copy"},
        )
        self._client.mark_all_sessions()

    async def _sign(self) -> None:
        if self._client.olm.account.shared:
            await self._cross_signing.tend()

    async def _query(self) -> None:
        await self._sharing.query()
        self._client.mark_dead_sessions()

    async def _claim(self) -> None:
        if self._client.should_claim_keys:
            await self._sharing.claim(self._client.get_users_for_key_claiming())
            # the rest has run out of one-time keys; their next message asks for a session again
            self._client.olm.wedged_devices.clear()

    async def _send_out(self) -> None:
        for message in list(self._client.outgoing_to_device_messages):
            await self._client.asked(self._client.to_device(message))

    async def _vouch(self) -> None:
        if not self._client.should_claim_keys and not self._client.outgoing_to_device_messages:
            self._client.store_files.vouch()

    async def encrypt(self, room: str, kind: str, content: Json) -> tuple[str, Json]:
        """Event type and content for an encrypted room that we know.

        Raises ChatRefused where it can never be encrypted, else MatrixError and ChatUnavailable.
        """
        client = self._client
        if client.olm is None:
            raise ChatRefused("the room is encrypted and encryption is switched off")
        if not client.rooms[room].encrypted:
            raise ChatRefused("the room is encrypted in a way that is not known here")
        async with self._one_per_room.of(room):
            await self._query()
            if client.olm.should_share_group_session(room):
                await self._sharing.hand_out(room)
            client.rooms[room].members_synced = True  # our filter never lazy-loads members
            encrypted: tuple[str, dict[str, Any]] = client.encrypt(room, kind, content)
            return encrypted
