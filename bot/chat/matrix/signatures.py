"""Ed25519 signatures over canonical JSON, the way Matrix signs devices and keys. Pure."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from bot.chat.shapes import Json, nested

SEED_BYTES = 32


class SigningKey:
    """An Ed25519 key pair made from its 32-byte seed. `public` is also the key's id."""

    def __init__(self, seed: bytes) -> None:
        self._key = ECC.construct(curve="Ed25519", seed=seed)
        self.public = unpadded(self._key.public_key().export_key(format="raw"))

    def sign(self, value: Mapping[str, Any]) -> str:
        """The signature over `value`, in unpadded base64."""
        return unpadded(eddsa.new(self._key, "rfc8032").sign(canonical(value)))


def canonical(value: Mapping[str, Any]) -> bytes:
    """What of an object is signed: all but `signatures` and `unsigned`, keys sorted, as UTF-8."""
    kept = {name: below for name, below in value.items() if name not in {"signatures", "unsigned"}}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def with_signature(value: Mapping[str, Any], user: str, key_id: str, signature: str) -> Json:
    """The object with one more signature; `key_id` without `ed25519:`. Those there already stay."""
    before = value.get("signatures", {})
    mine = {**before.get(user, {}), f"ed25519:{key_id}": signature}
    return {**value, "signatures": {**before, user: mine}}


def is_signed(value: Mapping[str, Any], user: str, key_id: str, public: str) -> bool:
    """Whether the signature of this key is on the object, and good."""
    signature = nested(value, "signatures", user, f"ed25519:{key_id}")
    if not isinstance(signature, str):
        return False
    try:
        key = eddsa.import_public_key(decoded(public))
        eddsa.new(key, "rfc8032").verify(canonical(value), decoded(signature))
    except ValueError:
        return False
    return True


def unpadded(raw: bytes) -> str:
    """Base64 without its `=` signs."""
    return b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Base64 with or without its `=` signs. Raises ValueError."""
    text = text.rstrip("=")
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
