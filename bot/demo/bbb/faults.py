"""What can be broken on purpose: set for one call or all of them, once or until it is cleared."""

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml.ElementTree import fromstring
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from bot.demo.bbb import answers
from bot.demo.bbb.refusals import Refusal

ALL = "*"
"""Every call, and the API's root."""
ROOT = ""
"""The name of the API's root among the calls."""


class Fault(StrEnum):
    """All of them. The value is what the page shows."""

    # the call does nothing
    BAD_GATEWAY = "502 from nginx, HTML"
    UNAVAILABLE = "503 from nginx, HTML"
    URI_TOO_LONG = "414 from nginx, HTML"
    LOGIN_PAGE = "200 with an HTML login page"
    FOUND = "302 to a login page"
    MOVED = "307 to a login page"
    UNAUTHORIZED = "401 plain text"
    FORBIDDEN = "403 plain text"
    BAD_REQUEST = "400 plain text"
    XML_500 = "500 with XML"
    NO_MESSAGE_KEY = "FAILED without a messageKey"
    WRONG_CHECKSUM = "FAILED, the checksum is wrong"
    XML_BOMB = "XML whose entities grow without end"
    GZIP_BOMB = "20 kB that unpack to 20 MB"
    HANG = "accept and never answer"
    # the call does its work, and the answer suffers
    EMPTY = "200 with an empty body"
    TRUNCATED = "XML cut in the middle"
    WRONG_CHARSET = "bytes that are not the charset they claim"
    BARE = "SUCCESS without optional elements"
    STRANGE_ELEMENTS = "unknown elements added"
    RESET = "connection reset in the middle of the body"
    LOST_REPLY = "connection closed without an answer"
    NEVER_TOLD = "the call done, and never answered"
    DRIP = "the answer a byte at a time"


@dataclass(slots=True)
class _Set:
    fault: Fault
    left: int | None


class Faults:
    """Which faults are set. One for a call goes before one for all."""

    def __init__(self) -> None:
        self._set: dict[str, _Set] = {}

    def set(self, fault: Fault, *, call: str = ALL, times: int | None = None) -> None:
        """Break `call` (or ALL, or ROOT) the next `times` times, or until cleared; replaces what
        was set for it.
        """
        self._set[call] = _Set(fault, times)

    def clear(self) -> None:
        """Be well again."""
        self._set.clear()

    def listed(self) -> list[tuple[str, Fault, int | None]]:
        """Call, fault, and how many times still (None: until cleared)."""
        return [(call, one.fault, one.left) for call, one in self._set.items()]

    def take(self, call: str) -> Fault | None:
        """The fault that this call meets now."""
        where = call if call in self._set else ALL
        found = self._set.get(where)
        if found is None:
            return None
        if found.left is not None:
            found.left -= 1
            if found.left <= 0:
                del self._set[where]
        return found.fault


# --- answers instead of the call -----------------------------------------------------------------


def nginx_page(status: int, words: str) -> Response:
    """An error page in nginx's manner."""
    title = f"{status} {words}"
    return HTMLResponse(
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>"
        "</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        status,
    )


def too_long() -> Response:
    """What an address over 8 KiB gets, fault or not."""
    return nginx_page(414, "Request-URI Too Large")


def _xml_500() -> Response:
    response = answers.failure(Refusal("internalError", "Something went wrong."))
    response.status_code = 500
    return response


_ENTITIES = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
_BOMB = f'<!DOCTYPE response [<!ENTITY a0 "ha">{_ENTITIES}]><response>&a9;</response>'


@cache
def _packed() -> bytes:
    return gzip.compress(b"<response>" + b" " * 20_000_000, 1)


def _gzip_bomb() -> Response:
    return Response(_packed(), media_type="text/xml", headers={"content-encoding": "gzip"})


_LOGIN = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
)

INSTEAD: dict[Fault, Callable[[], Response]] = {
    Fault.BAD_GATEWAY: lambda: nginx_page(502, "Bad Gateway"),
    Fault.UNAVAILABLE: lambda: nginx_page(503, "Service Temporarily Unavailable"),
    Fault.URI_TOO_LONG: too_long,
    Fault.LOGIN_PAGE: lambda: HTMLResponse(_LOGIN),
    Fault.FOUND: lambda: RedirectResponse("/login", 302),
    Fault.MOVED: lambda: RedirectResponse("/login", 307),
    Fault.UNAUTHORIZED: lambda: PlainTextResponse("Unauthorized", 401),
    Fault.FORBIDDEN: lambda: PlainTextResponse("Forbidden", 403),
    Fault.BAD_REQUEST: lambda: PlainTextResponse("Bad Request", 400),
    Fault.XML_500: _xml_500,
    Fault.NO_MESSAGE_KEY: lambda: answers.failure(Refusal("", "No Node available.")),
    Fault.WRONG_CHECKSUM: lambda: answers.failure(
        Refusal("checksumError", "Checksums do not match")
    ),
    Fault.XML_BOMB: lambda: Response(_BOMB, media_type="text/xml"),
    Fault.GZIP_BOMB: _gzip_bomb,
}

# --- answers that suffer -------------------------------------------------------------------------

_NEEDED = {"returncode", "meetingID", "internalMeetingID", "createTime", "running", "url"}
_NEEDED |= {"meetings", "attendees", "recordings", "session_token"}


def _bare(body: bytes) -> bytes:
    root = _xml(body)
    if root is None or root.findtext("returncode") != "SUCCESS":
        return body
    for child in list(root):
        if child.tag not in _NEEDED:
            root.remove(child)
    return tostring(root)


def _strange(body: bytes) -> bytes:
    root = _xml(body)
    if root is None:
        return body
    for element in list(root.iter()):
        if len(element):
            stranger = Element("somethingNew")
            for name in ("meetingID", "returncode", "url"):
                SubElement(stranger, name).text = "not the one you look for"
            element.insert(0, stranger)
    return tostring(root)


def _wrong_charset(body: bytes) -> bytes:
    text = re.sub(r"^<response>", "<response><!-- déjà vu -->", body.decode())
    return text.encode("iso-8859-1", "xmlcharrefreplace")


def _xml(body: bytes) -> Element | None:
    """The answer's root; None for what is not XML, such as a redirect."""
    try:
        return fromstring(body)
    except ParseError:
        return None


DAMAGED: dict[Fault, Callable[[bytes], bytes]] = {
    Fault.EMPTY: lambda body: b"",
    Fault.TRUNCATED: lambda body: body[: len(body) // 2],
    Fault.WRONG_CHARSET: _wrong_charset,
    Fault.BARE: _bare,
    Fault.STRANGE_ELEMENTS: _strange,
}
