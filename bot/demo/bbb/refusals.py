"""A refusal, and which of several violations BBB reports: Java's hash order decides. Pure."""

from collections.abc import Mapping


class Refusal(Exception):
    """BBB says FAILED. `listed` takes the second form, `<errors>` with one `<error>` in it."""

    def __init__(self, key: str, message: str, *, listed: bool = False) -> None:
        super().__init__(key)
        self.key = key
        self.message = message
        self.listed = listed


def bucket(key: str) -> int:
    """Where a HashMap of 16 buckets puts `key`: String.hashCode, upper half folded in."""
    code = 0
    for character in key:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    return (code ^ (code >> 16)) & 15


def first_of(violations: Mapping[str, str]) -> Refusal:
    """The one violation (message by key) that BBB would report."""
    key = min(violations, key=bucket)
    return Refusal(key, violations[key])


def refuse_first(violations: Mapping[str, str]) -> None:
    """Raise the first violation; none is fine."""
    if violations:
        raise first_of(violations)
