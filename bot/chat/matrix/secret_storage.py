"""An account's secret storage at its homeserver: reading its cross-signing keys, and filling it."""

import secrets
from collections.abc import Mapping
from typing import Any

from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client, at
from bot.chat.matrix.identity import USAGES, Identity
from bot.chat.matrix.published import Published
from bot.chat.matrix.recovery import (
    KEY_BYTES,
    NotARecoveryKey,
    WrongRecoveryKey,
    description_of,
    fits,
    key_of,
    seal,
    spelled,
    unseal,
)
from bot.chat.matrix.signatures import SEED_BYTES, decoded, unpadded
from bot.chat.shapes import Json, nested

_DEFAULT_KEY = "m.secret_storage.default_key"
_WRONG = "matrix.recovery_key is not the recovery key that the account's secrets are sealed with."


class CannotSign(Exception):
    """The device stays unsigned; the text says why, and what to do."""


class SecretStorage:
    """Secrets that the account keeps at the homeserver, sealed with its recovery key."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def identity(self, account: Published, recovery_key: str) -> Identity:
        """The account's three keys, each compared with the published one. Raises CannotSign."""
        key_id, key = await self._opened(recovery_key)
        seeds = {}
        for usage in USAGES:
            name = f"m.cross_signing.{usage}"
            sealed = nested(await self._data(name), "encrypted", key_id)
            if sealed is None:
                raise CannotSign(f"{name} is not stored under the account's recovery key.")
            seeds[usage] = self._seed(key, name, sealed)
        identity = Identity(account.user, seeds)
        if any(identity.key(usage).public != account.public(usage) for usage in USAGES):
            raise CannotSign(
                "The account's secret storage holds other keys than it has published. Nothing was "
                "changed. Set up recovery anew in Element and give the new matrix.recovery_key."
            )
        return identity

    async def fill(self, identity: Identity) -> str:
        """Put the account's three keys into it; gives the new recovery key, in groups of four.

        Raises CannotSign for an account that has a storage already.
        """
        if await self._data(_DEFAULT_KEY):
            raise CannotSign("The account has a recovery key already. Nothing was changed.")
        key, key_id = secrets.token_bytes(KEY_BYTES), secrets.token_urlsafe(24)
        await self._put(f"m.secret_storage.key.{key_id}", description_of(key))
        for usage in USAGES:
            name = f"m.cross_signing.{usage}"
            sealed = seal(key, name, unpadded(identity.seeds[usage]).encode())
            await self._put(name, {"encrypted": {key_id: sealed}})
        await self._put(_DEFAULT_KEY, {"key": key_id})  # last: cut off before, it can be done again
        return spelled(key)

    async def _opened(self, recovery_key: str) -> tuple[str, bytes]:
        """The id and the bytes of the key that opens the storage."""
        try:
            key = key_of(recovery_key)
        except NotARecoveryKey as error:
            raise CannotSign(f"matrix.recovery_key is no Matrix recovery key: {error}.") from error
        key_id = (await self._data(_DEFAULT_KEY)).get("key")
        if not isinstance(key_id, str):
            raise CannotSign("The account has no secret storage: set up recovery in Element.")
        if not fits(key, await self._data(f"m.secret_storage.key.{key_id}")):
            raise CannotSign(_WRONG)
        return key_id, key

    def _seed(self, key: bytes, name: str, sealed: Any) -> bytes:
        try:
            seed = decoded(unseal(key, name, sealed).decode())
        except WrongRecoveryKey as error:
            raise CannotSign(_WRONG) from error
        except ValueError as error:
            raise CannotSign(f"{name} in the account's secret storage is damaged.") from error
        if len(seed) != SEED_BYTES:
            raise CannotSign(f"{name} in the account's secret storage is damaged.")
        return seed

    async def _put(self, name: str, content: Mapping[str, Any]) -> None:
        await self._client.ask("PUT", self._path(name), body=content)

    def _path(self, name: str) -> str:
        return at("user", self._client.user_id, "account_data", name)

    async def _data(self, name: str) -> Json:
        """Account data; {} when there is none of this name."""
        try:
            return await self._client.ask("GET", self._path(name))
        except MatrixError as error:
            if error.errcode == "M_NOT_FOUND":
                return {}
            raise
