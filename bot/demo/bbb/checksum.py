"""Verifies a call's checksum over the bytes of the query as they came. Pure.

Source: BBB's GetChecksumValidator and ParamsUtil.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from enum import Enum

from bot.demo.bbb.parameters import pairs, sorted_form
from bot.demo.bbb.rules import Rules

ALGORITHM_BY_LENGTH = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}


class Verdict(Enum):
    """What is to be said of a checksum."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"


def verify(
    call: str, query: bytes, form: Mapping[str, str], *, secret: str, rules: Rules
) -> Verdict:
    """Judge the checksum of `call`. `query` is raw, `form` holds the fields of a form body."""
    found = [value for name, value in pairs(query) if name == "checksum"]
    found += [form["checksum"]] if "checksum" in form else []
    if not found or not found[0]:
        return Verdict.MISSING
    if len(found) > 1 and rules.refuses_two_checksums:
        return Verdict.WRONG
    algorithm = ALGORITHM_BY_LENGTH.get(len(found[0]), "")
    signed = signed_text(query, form, checksum=found[0], rules=rules)
    if algorithm not in rules.algorithms or signed is None:
        return Verdict.WRONG
    expected = hashlib.new(algorithm, call.encode() + signed + secret.encode()).hexdigest()
    same = hmac.compare_digest(expected.encode(), found[0].lower().encode())
    return Verdict.RIGHT if same else Verdict.WRONG


def signed_text(
    query: bytes, form: Mapping[str, str], *, checksum: str, rules: Rules
) -> bytes | None:
    """What stands between call name and secret; None when query and form both hold parameters."""
    plain = without_checksum(query, checksum)
    fields = {name: value for name, value in form.items() if name != "checksum"}
    if plain and fields:
        return None
    return sorted_form(fields).encode() if rules.signs_sorted_body and not plain else plain


def without_checksum(query: bytes, checksum: str) -> bytes:
    """The query with the checksum cut out by literal replacement, in BBB's order."""
    mark = b"checksum=" + checksum.encode()
    for part in (b"&" + mark, mark + b"&", mark):
        query = query.replace(part, b"")
    return re.sub(rb"[\x00-\x1f\x7f]", b"", query).strip()
