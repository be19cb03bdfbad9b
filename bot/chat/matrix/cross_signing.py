"""Signs the bot's own device with the account's cross-signing keys, so that clients trust it.

Clients that exclude insecure devices neither read an unsigned device nor let it read. Three things
never happen here: a device is not signed because the server showed it, keys that somebody else made
are not replaced, and no key is published before its seed is on the disk.
"""

import logging
import math
import time
from enum import StrEnum

from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client, at
from bot.chat.matrix.identity import USAGES, Identity, IdentityFile
from bot.chat.matrix.own_device import check, published_device
from bot.chat.matrix.published import Published
from bot.chat.matrix.secret_storage import CannotSign, SecretStorage
from bot.chat.matrix.signatures import with_signature

log = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0
"""Until a try that the homeserver did not answer is made again."""


class Mode(StrEnum):
    """Where the account's keys come from: made here when it has none; only its own; nowhere."""

    AUTO = "auto"
    RECOVERY_KEY = "recovery_key"
    OFF = "off"


class CrossSigning:
    """Makes sure once that the own device is signed."""

    def __init__(
        self, client: Client, file: IdentityFile, *, mode: Mode, recovery_key: str | None
    ) -> None:
        self._client = client
        self._file = file
        self._mode = mode
        self._recovery_key = recovery_key
        self._is_settled = mode is Mode.OFF
        self._next_try = -math.inf

    async def tend(self) -> None:
        """Sign the device unless it is; when that cannot be, say so in the log, once.

        Raises MatrixError and ChatUnavailable, and tries again after a minute; ChatMisconfigured
        for a foreign device.
        """
        if self._is_settled or time.monotonic() < self._next_try:
            return
        self._next_try = time.monotonic() + PAUSE_SECONDS
        try:
            await self._sign(await self._published())
        except CannotSign as reason:
            log.warning(
                "This device stays unsigned, and people whose client excludes insecure devices "
                "cannot write with the bot. %s",
                reason,
                extra={"action": "device_not_signed"},
            )
        except OSError as error:
            log.warning(
                "cross-signing keys not kept: %s", error, extra={"action": "identity_not_kept"}
            )
            return
        self._is_settled = True

    async def _sign(self, account: Published) -> None:
        identity = await self._identity(account)
        if account.is_device_signed:
            return
        key = identity.key("self_signing")
        device = {name: value for name, value in account.device.items() if name != "unsigned"}
        signed = with_signature(device, account.user, key.public, key.sign(device))
        answer = await self._client.ask(
            "POST",
            at("keys", "signatures", "upload"),
            body={account.user: {self._client.device_id: signed}},
        )
        if answer.get("failures") or not (await self._published()).is_device_signed:
            raise CannotSign("The homeserver did not keep the signature; its log says why.")
        log.info("own device signed", extra={"action": "device_signed"})

    async def _published(self) -> Published:
        """What is published, once it is sure that the device there is this one."""
        answer = await published_device(self._client)
        if not check(self._client, answer):
            raise CannotSign("The homeserver does not have this device's keys.")
        return Published.read(answer, self._client.user_id, self._client.device_id)

    # --- whose keys -------------------------------------------------------------------------------

    async def _identity(self, account: Published) -> Identity:
        """The account's keys. Raises CannotSign when they are not ours to use."""
        kept, master = self._file.load(account.user), account.public("master")
        if master is None:
            return await self._publish(kept)
        if kept is None or kept.key("master").public != master:
            kept = await self._recovered(account, kept)
        ours = kept.key("self_signing").public
        if account.public("self_signing") != ours or not account.is_chain_whole:
            raise CannotSign(
                "The account's self-signing key is not the one that belongs to its master key. "
                "Nothing was changed. Reset the account's encryption in Element and give "
                "matrix.recovery_key."
            )
        return kept

    async def _publish(self, kept: Identity | None) -> Identity:
        """Keys for an account that has none: those of an earlier, cut off try, else new ones."""
        if self._mode is Mode.RECOVERY_KEY:
            raise CannotSign(
                "The account has no cross-signing keys. Set up recovery for it in Element and give "
                "matrix.recovery_key, or set matrix.cross_signing to auto."
            )
        identity = kept or Identity.new(self._client.user_id)
        if kept is None:
            self._file.save(identity)
        master = identity.public("master")
        signature = self._client.olm.sign_json(master)
        signed = with_signature(master, identity.user, self._client.device_id, signature)
        body = {f"{usage}_key": identity.public(usage) for usage in USAGES}
        try:
            await self._client.ask(
                "POST",
                at("keys", "device_signing", "upload"),
                body={**body, "master_key": signed},
            )
        except MatrixError as error:
            if error.status != 401 or error.is_end_of_account:
                raise
            raise CannotSign(
                "The homeserver takes cross-signing keys only with a login. Sign in to the bot's "
                "account with Element once, set up recovery, and give matrix.recovery_key."
            ) from error
        log.info("cross-signing keys made", extra={"action": "cross_signing_made"})
        return identity

    async def _recovered(self, account: Published, kept: Identity | None) -> Identity:
        """The keys from the account's secret storage, kept for the next start."""
        if self._recovery_key is None:
            raise CannotSign(_RESET if kept else _FOREIGN)
        identity = await SecretStorage(self._client).identity(account, self._recovery_key)
        self._file.save(identity)
        return identity


_FOREIGN = (
    "The account's cross-signing was set up somewhere else. Nothing was changed. Give "
    "matrix.recovery_key, the account's recovery key."
)
_RESET = (
    "The account's cross-signing was reset somewhere else: its keys are not those kept here any "
    "more. Nothing was changed. Give matrix.recovery_key, the account's new recovery key."
)
