"""What a homeserver's refusals mean to us."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from commands.errors import ChatBusy, ChatFailed, ChatRefused, ChatTrouble, ChatUnavailable

_DEFAULT_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=5)
_FOR_GOOD = {400, 403, 404, 413}
_NOT_FOR_GOOD = {"", "M_RESOURCE_LIMIT_EXCEEDED", "M_UNRECOGNIZED", "M_CONSENT_NOT_GIVEN"}


class MatrixError(Exception):
    """An HTTP answer that is not a success. The text holds status and error code, no more.

    `errcode` is "" where the body was not a Matrix error, for example a proxy's page.
    """

    def __init__(self, status: int, errcode: str = "", retry_after: timedelta | None = None):
        super().__init__(f"{status} {errcode}".strip())
        self.status = status
        self.errcode = errcode
        self.retry_after = retry_after

    @property
    def is_limit(self) -> bool:
        return self.status == 429 or self.errcode == "M_LIMIT_EXCEEDED"

    @property
    def is_end_of_account(self) -> bool:
        """The token or the account is gone: trying again is useless."""
        return self.errcode in {"M_UNKNOWN_TOKEN", "M_USER_DEACTIVATED", "M_MISSING_TOKEN"}

    @property
    def is_for_good(self) -> bool:
        """The homeserver itself, not something before it, said no to this very request."""
        return self.status in _FOR_GOOD and self.errcode not in _NOT_FOR_GOOD

    @property
    def is_breakdown(self) -> bool:
        """The homeserver itself, not something before it, broke on this request."""
        return self.status == 500 and self.errcode != ""


def error_from(status: int, headers: Mapping[str, str], body: Any) -> MatrixError:
    """Read an error answer; `body` is the decoded JSON, or anything else when it was none."""
    found = body if isinstance(body, dict) else {}
    errcode = found.get("errcode")
    return MatrixError(
        status,
        errcode if isinstance(errcode, str) else "",
        _from_body(found.get("retry_after_ms")) or _from_header(headers.get("Retry-After")),
    )


def _from_body(milliseconds: Any) -> timedelta | None:
    if isinstance(milliseconds, int) and not isinstance(milliseconds, bool) and milliseconds > 0:
        return min(timedelta(milliseconds=min(milliseconds, 10**9)), _LONGEST_WAIT)
    return None


def _from_header(seconds: str | None) -> timedelta | None:
    if seconds and seconds.isascii() and seconds.isdigit():
        return min(timedelta(seconds=int(seconds[:9])), _LONGEST_WAIT)
    return None  # absent, or the form with a date


def waiting_time(error: MatrixError) -> timedelta:
    """How long a 429 asks us to wait; 5 seconds when it does not say, 5 minutes at most."""
    return error.retry_after or _DEFAULT_WAIT


def trouble(error: MatrixError) -> ChatTrouble:
    """The refusal in the core's words."""
    if error.is_limit:
        return ChatBusy(waiting_time(error))
    if error.is_for_good:
        return ChatRefused(str(error))
    if error.is_breakdown:
        return ChatFailed(str(error))
    return ChatUnavailable(str(error))


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn every MatrixError raised inside into the ChatTrouble family."""
    try:
        yield
    except MatrixError as error:
        raise trouble(error) from error
