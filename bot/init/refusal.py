"""An answer that will not do, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

Result = TypeVar("Result")


class Refused(Exception):
    """The answer will not do. The text says why; `keep` is what it means when kept all the same."""

    def __init__(self, why: str, *, keep: object = None) -> None:
        super().__init__(why)
        self.keep = keep


def valid(check: Callable[[str], str], text: str) -> str:
    """What `check` makes of the text. Raises Refused."""
    try:
        return check(text)
    except ValueError as error:
        raise Refused(f"this {error}") from None


class NotWritten(Exception):
    """An answer of the file will not do; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the answers of a file mean; `anyway` keeps what could not be reached."""

    anyway: bool

    def __call__(self, key: str, trial: Callable[[], Result]) -> Result:
        """What the trial of the answer `key` gives. Raises NotWritten."""
        try:
            return trial()
        except Refused as refused:
            if self.anyway and refused.keep is not None:
                return cast(Result, refused.keep)
            raise NotWritten(f"{key}: {refused}") from None
