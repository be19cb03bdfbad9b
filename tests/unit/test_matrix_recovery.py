"""Secret storage: recovery keys and sealed secrets, with vectors from other implementations."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.matrix.recovery import (
    NotARecoveryKey,
    WrongRecoveryKey,
    description_of,
    fits,
    key_of,
    seal,
    spelled,
    unseal,
)
from bot.chat.matrix.signatures import decoded

# the vector that the clients' own tests share
SPELLED = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d"
KEY = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
OTHER = bytes(32)


def test_a_recovery_key_as_element_spells_it() -> None:
    assert key_of(SPELLED) == KEY
    assert spelled(KEY) == SPELLED


@given(st.binary(min_size=32, max_size=32))
def test_a_key_comes_back_from_its_spelling(key: bytes) -> None:
    assert key_of(spelled(key)) == key
    assert key_of(spelled(key).replace(" ", "\n\t")) == key


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SPELLED.replace("d", "e"), "mistyped"),
        (SPELLED.replace("W2K", "W2J"), "mistyped"),
        (SPELLED[:-4], "not whole"),
        (SPELLED + "1", "too long"),
        (SPELLED + "z" * 5000, "too long"),
        (SPELLED.replace("W", "0"), "a sign"),
        (SPELLED.replace("W", "é"), "a sign"),
        ("", "not whole"),
        ("my passphrase", "not whole"),
    ],
)
def test_what_is_no_recovery_key_is_refused_without_repeating_it(text: str, reason: str) -> None:
    with pytest.raises(NotARecoveryKey, match=reason) as refusal:
        key_of(text)

    assert not text or text not in str(refusal.value)


@given(st.binary(max_size=100), st.text(max_size=30))
def test_a_secret_comes_back_from_its_seal(secret: bytes, name: str) -> None:
    assert unseal(KEY, name, seal(KEY, name, secret)) == secret


def test_padding_makes_no_difference() -> None:
    sealed = seal(KEY, "m.cross_signing.master", b"a seed")
    padded = {part: text + "=" * (-len(text) % 4) for part, text in sealed.items()}

    assert padded != sealed
    assert unseal(KEY, "m.cross_signing.master", padded) == b"a seed"


def test_another_key_another_name_and_a_changed_secret_are_refused() -> None:
    sealed = seal(KEY, "name", b"a seed")
    changed = {**sealed, "ciphertext": seal(KEY, "name", b"a seex")["ciphertext"]}

    for key, name, secret in (
        (OTHER, "name", sealed),
        (KEY, "eman", sealed),
        (KEY, "name", changed),
    ):
        with pytest.raises(WrongRecoveryKey):
            unseal(key, name, secret)


@pytest.mark.parametrize(
    "sealed", [{}, {"iv": "", "mac": ""}, {"iv": 7, "ciphertext": "", "mac": ""}, None, "text"]
)
def test_what_was_never_sealed_is_refused(sealed: Any) -> None:
    with pytest.raises(ValueError):
        unseal(KEY, "name", sealed)


def test_the_stored_description_knows_its_key() -> None:
    description = description_of(KEY)

    assert fits(KEY, description)
    assert not fits(OTHER, description)
    assert fits(OTHER, {"algorithm": description["algorithm"]}), "nothing to compare with"


def test_no_iv_has_the_bit_that_implementations_carry_differently() -> None:
    assert not any(decoded(seal(KEY, "n", b"")["iv"])[8] & 0x80 for _ in range(100))


def test_each_seal_has_its_own_iv() -> None:
    seals = {sha256(seal(KEY, "n", b"same")["ciphertext"].encode()).digest() for _ in range(50)}

    assert len(seals) == 50
