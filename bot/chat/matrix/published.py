"""What a homeserver shows of an account: one device and the cross-signing keys. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.chat.matrix.identity import USAGES
from bot.chat.matrix.signatures import is_signed
from bot.chat.shapes import Json, nested


@dataclass(frozen=True, slots=True)
class Published:
    """What the homeserver says of the account: the own device, and each cross-signing key."""

    user: str
    device: Json
    keys: Mapping[str, Json]

    @classmethod
    def read(cls, answer: Json, user: str, device: str) -> "Published":
        """From the answer to /keys/query; what is absent is empty."""
        found = {usage: nested(answer, f"{usage}_keys", user) for usage in USAGES}
        return cls(
            user,
            nested(answer, "device_keys", user, device) or {},
            {usage: key for usage, key in found.items() if isinstance(key, dict)},
        )

    def public(self, usage: str) -> str | None:
        """The public key published for a usage."""
        keys = nested(self.keys, usage, "keys")
        values = list(keys.values()) if isinstance(keys, dict) else []
        return values[0] if len(values) == 1 and isinstance(values[0], str) else None

    @property
    def is_chain_whole(self) -> bool:
        """Whether the self-signing key is signed by the master key."""
        master = self.public("master")
        signed = self.keys.get("self_signing")
        return bool(master and signed and is_signed(signed, self.user, master, master))

    @property
    def is_device_signed(self) -> bool:
        """Whether others trust the device: signed, by a key that the master signed."""
        key = self.public("self_signing")
        return bool(key and self.is_chain_whole and is_signed(self.device, self.user, key, key))
