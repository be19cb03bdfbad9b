"""An answer that will not do, and why."""

from collections.abc import Callable


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
