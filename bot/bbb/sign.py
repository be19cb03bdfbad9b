"""Signs BBB calls: the query is written once, and the very bytes that are signed are sent. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, urlencode

Algorithm = Literal["sha256", "sha384", "sha512", "sha1"]
Parameters = Mapping[str, str]

_HASHES = {
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}


def query(parameters: Parameters) -> str:
    """The parameters, everything percent-encoded: no proxy has a reason to write them anew."""
    return urlencode(parameters, quote_via=quote, safe="")


def checksum(call: str, text: str, secret: str, algorithm: Algorithm) -> str:
    """BBB's plain hash over call name, query as sent, and secret; BBB knows it by its length."""
    return _HASHES[algorithm](f"{call}{text}{secret}".encode()).hexdigest()


def signed_query(call: str, parameters: Parameters, secret: str, algorithm: Algorithm) -> str:
    """A whole query for `call`: a bearer credential."""
    text = query(parameters)
    return "&".join(filter(None, [text, f"checksum={checksum(call, text, secret, algorithm)}"]))


def checksum_length(algorithm: Algorithm) -> int:
    """Hexadecimal digits of a checksum."""
    return _HASHES[algorithm]().digest_size * 2
