"""A Matrix account's secret storage: its recovery key, and secrets sealed with it. Pure.

Matrix specification, "Secrets" (m.secret_storage.v1.aes-hmac-sha2).
"""

import hmac
import secrets
from collections.abc import Mapping
from functools import reduce
from hashlib import sha256
from operator import xor
from typing import Any

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from bot.chat.matrix.signatures import decoded, unpadded

ALGORITHM = "m.secret_storage.v1.aes-hmac-sha2"
KEY_BYTES = 32

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # Bitcoin's base58
_HEAD = b"\x8b\x01"
_IV_BYTES = 16
_EMPTY = bytes(32)


class NotARecoveryKey(ValueError):
    """The text is no Matrix recovery key: mistyped, or cut off."""


class WrongRecoveryKey(ValueError):
    """The secret is sealed with another key, or was tampered with."""


def key_of(text: str) -> bytes:
    """The 32 bytes that a recovery key spells; white space does not matter.

    Raises NotARecoveryKey.
    """
    number = 0
    for sign in "".join(text.split()):
        digit = _ALPHABET.find(sign)
        if digit < 0:
            raise NotARecoveryKey("it has a sign that no recovery key has")
        number = number * len(_ALPHABET) + digit
        if number >> 8 * (len(_HEAD) + KEY_BYTES + 1):
            raise NotARecoveryKey("it is too long")
    raw = number.to_bytes(len(_HEAD) + KEY_BYTES + 1, "big")
    if not raw.startswith(_HEAD):
        raise NotARecoveryKey("it does not begin like one, or is not whole")
    if reduce(xor, raw):
        raise NotARecoveryKey("its check sign is wrong: a letter is mistyped")
    return raw[len(_HEAD) : -1]


def spelled(key: bytes) -> str:
    """The recovery key for 32 bytes, in groups of four signs."""
    raw = _HEAD + key
    number = int.from_bytes(raw + bytes([reduce(xor, raw)]), "big")
    text = ""
    while number:
        number, digit = divmod(number, len(_ALPHABET))
        text = _ALPHABET[digit] + text
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def fits(key: bytes, description: Mapping[str, Any]) -> bool:
    """Whether a stored key description (`iv`, `mac`) is that of this key.

    Without these two there is nothing to compare: each secret still has its own check.
    """
    iv, mac = description.get("iv"), description.get("mac")
    if not isinstance(iv, str) or not isinstance(mac, str):
        return True
    expected = _sealed(key, "", _EMPTY, decoded(iv))["mac"]
    return hmac.compare_digest(decoded(expected), decoded(mac))


def description_of(key: bytes) -> dict[str, str]:
    """What is stored beside the secrets to know the key by."""
    sealed = _sealed(key, "", _EMPTY, _new_iv())
    return {"algorithm": ALGORITHM, "iv": sealed["iv"], "mac": sealed["mac"]}


def seal(key: bytes, name: str, secret: bytes) -> dict[str, str]:
    """A secret sealed under its name: `iv`, `ciphertext` and `mac`, each in base64."""
    return _sealed(key, name, secret, _new_iv())


def unseal(key: bytes, name: str, sealed: Mapping[str, Any]) -> bytes:
    """The secret again. Raises WrongRecoveryKey, and ValueError for what was never sealed."""
    try:
        iv, ciphertext, mac = (decoded(sealed[part]) for part in ("iv", "ciphertext", "mac"))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("it is not a sealed secret") from error
    aes, mac_key = _derived(key, name)
    if not hmac.compare_digest(hmac.digest(mac_key, ciphertext, sha256), mac):
        raise WrongRecoveryKey("it is sealed with another key")
    return _crypt(aes, iv, ciphertext)


def _sealed(key: bytes, name: str, secret: bytes, iv: bytes) -> dict[str, str]:
    aes, mac_key = _derived(key, name)
    ciphertext = _crypt(aes, iv, secret)
    mac = hmac.digest(mac_key, ciphertext, sha256)
    return {"iv": unpadded(iv), "ciphertext": unpadded(ciphertext), "mac": unpadded(mac)}


def _derived(key: bytes, name: str) -> tuple[bytes, bytes]:
    """The AES key and the MAC key of one secret."""
    both = HKDF(key, 64, bytes(32), SHA256, context=name.encode())
    assert isinstance(both, bytes)
    return both[:32], both[32:]


def _crypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(data)


def _new_iv() -> bytes:
    """Bit 63 of the counter stays clear: implementations differ in how they carry it."""
    iv = bytearray(secrets.token_bytes(_IV_BYTES))
    iv[8] &= 0x7F
    return bytes(iv)
