"""The account's own three cross-signing keys, and the file that keeps their seeds."""

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from bot.chat.base import ChatMisconfigured
from bot.chat.matrix.recovery import WrongRecoveryKey, seal, unseal
from bot.chat.matrix.signatures import SEED_BYTES, SigningKey, with_signature
from bot.chat.shapes import Json

USAGES = ("master", "self_signing", "user_signing")


@dataclass(frozen=True, slots=True)
class Identity:
    """Master, self-signing and user-signing key of one account, made from their 32-byte seeds."""

    user: str
    seeds: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def new(cls, user: str) -> "Identity":
        """Three keys that nobody has."""
        return cls(user, {usage: secrets.token_bytes(SEED_BYTES) for usage in USAGES})

    def key(self, usage: str) -> SigningKey:
        """One of the three."""
        return SigningKey(self.seeds[usage])

    def public(self, usage: str) -> Json:
        """The public object of a key as it is published; all but the master signed by it."""
        public = self.key(usage).public
        bare = {"user_id": self.user, "usage": [usage], "keys": {f"ed25519:{public}": public}}
        if usage == "master":
            return bare
        master = self.key("master")
        return with_signature(bare, self.user, master.public, master.sign(bare))


class IdentityFile:
    """Keeps seeds sealed with the key of the crypto store; several accounts may have theirs in it.

    Every method raises ChatMisconfigured when the file is not what was written there.
    """

    def __init__(self, path: Path, pickle_key: str) -> None:
        self._path = path
        self._key = sha256(pickle_key.encode()).digest()

    def load(self, user: str) -> Identity | None:
        """The account's keys; None when there are none."""
        kept = self._kept().get(user)
        if kept is None:
            return None
        try:
            return Identity(
                user, {usage: unseal(self._key, usage, kept[usage]) for usage in USAGES}
            )
        except (WrongRecoveryKey, ValueError, KeyError, TypeError) as error:
            raise self._trouble() from error

    def save(self, identity: Identity) -> None:
        """Returns when the seeds are on the disk. Raises OSError, too."""
        sealed = {usage: seal(self._key, usage, identity.seeds[usage]) for usage in USAGES}
        self._write({**self._kept(), identity.user: sealed})

    def _kept(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise self._trouble() from error
        if not isinstance(kept, dict):
            raise self._trouble()
        return kept

    def _write(self, content: Mapping[str, Any]) -> None:
        """In full and on the disk, then under its name: a crash leaves the old file or the new."""
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path)
        except BaseException:
            os.unlink(name)
            raise
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _trouble(self) -> ChatMisconfigured:
        return ChatMisconfigured(
            f"The keys in {self._path} cannot be opened: the file is damaged, or from another "
            "installation than pickle.key. Nothing was changed. Restore both from the same backup; "
            "or move the file away and give matrix.recovery_key."
        )
