"""What Rocket.Chat's answers mean to us: by status first, then by `errorType`, then by the text.

The bodies differ by generation (6.x, 7.x to 8.x, 9.0), and what stands before the server answers
in HTML; so nothing here asks for one exact text.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from bot.chat.rocketchat.times import EPOCH
from bot.chat.shapes import text
from commands.errors import ChatBusy, ChatFailed, ChatRefused, ChatTrouble, ChatUnavailable

_DEFAULT_WAIT = timedelta(seconds=5)
_SHORTEST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=5)

_WAIT_IN_TEXT = re.compile(r"wait (\d{1,6}) second", re.ASCII)
_CODE_IN_TEXT = re.compile(r"\[([A-Za-z][\w-]{1,60})\]\s*$", re.ASCII)
_ONE_WORD = re.compile(r"[A-Za-z][\w-]{1,60}", re.ASCII)
_JAVASCRIPT = re.compile(r"Cannot read propert|is not (?:a function|defined)|E11000")
_TOO_MANY = "error-too-many-requests"
_LONGEST_TEXT = 160


class RestError(ChatTrouble):
    """A call that did not succeed; each one raised is one of the subclasses below.

    `status` is that of HTTP, 0 where no answer came. `code` is the server's errorType, or the code
    its text ends in, or our own word where no server spoke (timeout, unreachable, tls, redirect,
    not-json, too-large, closed); "" where there is none. `text` is what it said, shortened.
    """

    def __init__(self, status: int, code: str = "", said: str = "") -> None:
        Exception.__init__(self, " ".join(filter(None, (str(status or ""), code or said))))
        self.status = status
        self.code = code
        self.text = said


class Refused(RestError, ChatRefused):
    """Rocket.Chat itself said no to this very request."""


class Failed(RestError, ChatFailed):
    """Rocket.Chat itself broke on this request; it may have been carried out all the same."""


class Unavailable(RestError, ChatUnavailable):
    """No answer, or one of whatever stands before the server; it may have been carried out."""


class Moved(Unavailable):
    """A redirect: followed, a POST might become a GET. `address` is what to configure."""

    def __init__(self, status: int, address: str) -> None:
        super().__init__(status, "redirect", f"the server is at {address}")
        self.address = address


class Busy(RestError, ChatBusy):
    """429: asked to wait for `retry_after`."""

    def __init__(self, retry_after: timedelta) -> None:
        RestError.__init__(self, 429, _TOO_MANY)
        self.retry_after = retry_after


class LoggedOut(RestError, ChatUnavailable):
    """401, and `me` answered 401 too: the token or the account is gone, trying again is useless."""

    def __init__(self) -> None:
        super().__init__(401, "logged-out")


def error_from(status: int, headers: Mapping[str, str], body: Any) -> RestError | None:
    """What is wrong with an answer, None where nothing is; `body` is its JSON, None without.

    A 401 is no LoggedOut yet: from 9.0 on it may be a permission that is missing.
    """
    found = body if isinstance(body, dict) else None
    if 200 <= status < 300:
        if found is None:
            return Unavailable(status, "not-json")
        if found.get("success") is not False and found.get("status") != "error":
            return None
    elif 300 <= status < 400:
        return Moved(status, _base_of(headers.get("Location", "")))
    code, said = _code_and_text(found or {})
    if status == 429 or code == _TOO_MANY:
        return Busy(waiting_time(headers, said))
    if status == 413:
        return Refused(status, code or "too-large", said)
    if found is None or status in {408, 502, 503, 504}:
        return Unavailable(status, code, said)
    if status >= 500 or _is_breakdown(code, said):
        return Failed(status, code, said)
    return Refused(status, code, said)


def is_unknown_call(error: RestError) -> bool:
    """Whether this server has no such call, as far as anybody can tell: versions differ in what
    they answer then, and a proxy that has lost the server may say the same.
    """
    return error.status in {404, 405}


def is_denied(error: RestError) -> bool:
    """Whether the server will not say: it refuses, or has no such call."""
    return isinstance(error, Refused) or is_unknown_call(error)


def waiting_time(headers: Mapping[str, str], said: str = "") -> timedelta:
    """How long a 429 asks us to wait: by its header, else its text, else 5 s; 5 minutes at most."""
    return left_until_reset(headers) or _from_text(said) or _DEFAULT_WAIT


def left_until_reset(headers: Mapping[str, str]) -> timedelta | None:
    """How long until the limit is lifted, by the server's own clock; None when past or missing.

    `X-RateLimit-Reset` is absolute, in milliseconds since 1970. Raises nothing.
    """
    reset = headers.get("X-RateLimit-Reset", "")
    if not (reset.isascii() and reset.isdigit()):
        return None
    left = timedelta(milliseconds=int(reset[:15])) - (_server_time(headers) - EPOCH)
    return min(max(left, _SHORTEST_WAIT), _LONGEST_WAIT) if left > timedelta(0) else None


def _server_time(headers: Mapping[str, str]) -> datetime:
    try:
        return parsedate_to_datetime(headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def _from_text(said: str) -> timedelta | None:
    found = _WAIT_IN_TEXT.search(said)
    if not found:
        return None
    return min(max(timedelta(seconds=int(found[1])), _SHORTEST_WAIT), _LONGEST_WAIT)


def _code_and_text(body: Mapping[str, Any]) -> tuple[str, str]:
    """The code and what was said; some codes stand at the end of the text, or are all of it."""
    said = text(body.get("error")) or text(body.get("message")) or ""
    said = " ".join(said.split())[:_LONGEST_TEXT]
    code = text(body.get("errorType"))
    if code is None:
        found = _CODE_IN_TEXT.search(said)
        code = found[1] if found else said if _ONE_WORD.fullmatch(said) else ""
    return code[:_LONGEST_TEXT], said


def _is_breakdown(code: str, said: str) -> bool:
    """Whether the text is JavaScript's, not Rocket.Chat's: those come as 400 too."""
    return not code and _JAVASCRIPT.search(said) is not None


def _base_of(address: str) -> str:
    """The server's part of an API address: without the call, its query, or a password."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "another address"
    if not parts.scheme or not parts.hostname:
        return "another path of the same host"
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.partition('/api/')[0].rstrip('/')}"
