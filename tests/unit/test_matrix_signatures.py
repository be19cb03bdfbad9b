"""Canonical JSON and signatures, against examples of the Matrix specification's appendices."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.chat.matrix.identity import USAGES, Identity
from bot.chat.matrix.signatures import (
    SigningKey,
    canonical,
    decoded,
    is_signed,
    nested,
    with_signature,
)

SPEC_SEED = decoded("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1")
USER = "@bot:example.org"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ({"b": "2", "a": "1"}, '{"a":"1","b":"2"}'),
        ({"one": 1, "two": "Two"}, '{"one":1,"two":"Two"}'),
        ({"本": 2, "日": 1}, '{"日":1,"本":2}'),
        ({"a": "日本語"}, '{"a":"日本語"}'),
        ({"a": None, "c": {"e": [True, -0], "d": "\n"}}, '{"a":null,"c":{"d":"\\n","e":[true,0]}}'),
        ({"a": 1, "signatures": {"x": {}}, "unsigned": {"age": 1}}, '{"a":1}'),
    ],
)
def test_canonical_json(value: dict[str, Any], text: str) -> None:
    assert canonical(value) == text.encode()


@pytest.mark.parametrize(
    ("value", "signature"),
    [
        (
            {},
            "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ",
        ),
        (
            {"one": 1, "two": "Two"},
            "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw",
        ),
    ],
)
def test_the_specification_s_own_signatures(value: dict[str, Any], signature: str) -> None:
    assert SigningKey(SPEC_SEED).sign(value) == signature


def test_a_signature_is_added_to_those_there_already() -> None:
    key = SigningKey(SPEC_SEED)
    device = {
        "keys": {"a": "b"},
        "signatures": {USER: {"ed25519:DEV": "x"}, "@other:x": {"k": "y"}},
    }

    signed = with_signature(device, USER, key.public, key.sign(device))

    assert signed["signatures"][USER]["ed25519:DEV"] == "x"
    assert signed["signatures"]["@other:x"] == {"k": "y"}
    assert is_signed(signed, USER, key.public, key.public)


@pytest.mark.parametrize(
    "change",
    [
        {"keys": {"a": "other"}},
        {"signatures": {}},
        {"signatures": {USER: {}}},
        {"signatures": {USER: 7}},
        {"signatures": {USER: {"ed25519:" + SigningKey(SPEC_SEED).public: "not base64!"}}},
        {"signatures": {USER: {"ed25519:" + SigningKey(SPEC_SEED).public: "aGFsbG8"}}},
        {"signatures": {USER: {"ed25519:" + SigningKey(SPEC_SEED).public: None}}},
    ],
)
def test_whatever_is_not_what_was_signed_is_not_signed(change: dict[str, Any]) -> None:
    key = SigningKey(SPEC_SEED)
    signed = with_signature({"keys": {"a": "b"}}, USER, key.public, key.sign({"keys": {"a": "b"}}))

    assert is_signed(signed, USER, key.public, key.public)
    assert not is_signed({**signed, **change}, USER, key.public, key.public)
    assert not is_signed(signed, USER, key.public, "no key")


def test_an_account_s_keys_form_a_chain() -> None:
    identity = Identity.new(USER)
    master = identity.public("master")

    assert [identity.public(usage)["usage"] for usage in USAGES] == [[usage] for usage in USAGES]
    assert "signatures" not in master
    for usage in ("self_signing", "user_signing"):
        public = identity.key("master").public
        assert is_signed(identity.public(usage), USER, public, public)


def test_seeds_are_not_shown() -> None:
    identity = Identity.new(USER)

    assert not any(seed.hex() in repr(identity) for seed in identity.seeds.values())
    assert "seeds" not in repr(identity)


@pytest.mark.parametrize("value", [None, [], "a", {"a": None}, {"a": []}, {"a": {"c": 1}}])
def test_what_is_not_there_is_none(value: Any) -> None:
    assert nested(json.loads(json.dumps(value)), "a", "b") is None
