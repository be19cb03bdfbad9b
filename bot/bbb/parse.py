"""Reads what a BBB server answered, or something that is not one: values or one typed error. Pure.

A status of 200 proves nothing: BBB refuses with it. What comes from outside never gets into an
error's text, save a message key of plain letters.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from commands.errors import (
    Garbled,
    NoSuchMeeting,
    NotBBB,
    ServerBroken,
    ServerBusy,
    ServerRefused,
    ServerTrouble,
    ServerUnreachable,
    WrongSecret,
)
from commands.ports import Attendee, CreatedMeeting, MeetingInfo


@dataclass(frozen=True, slots=True)
class Version:
    """What the API's root says. `bbb` is "" where the server does not reveal it (the default)."""

    api: str
    bbb: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked for what, to be named in errors: a server's name and a call's."""

    server: str
    call: str


# --- HTTP ------------------------------------------------------------------------------------

LONGEST_WAIT = timedelta(hours=1)


def refuse_by_status(status: int, headers: Mapping[str, str], asked: Asked) -> None:
    """Raise what the status alone decides, before a body is read: redirects, 401, 403, 429, 5xx."""
    if 300 <= status < 400:
        raise NotBBB(asked.server, asked.call, "redirect")
    if status in (401, 403):  # b3lb's way to say checksumError
        raise WrongSecret(asked.server, asked.call, f"HTTP {status}")
    if status == 429 or (status == 503 and "retry-after" in headers):
        wait = retry_after(headers)
        raise ServerBusy(asked.server, asked.call, f"HTTP {status}", retry_after=wait)
    if status == 503:  # a proxy that has not passed it on
        raise ServerUnreachable(asked.server, asked.call, f"HTTP {status}")
    if status >= 500:
        raise ServerBroken(asked.server, asked.call, f"HTTP {status}")
    if "," in headers.get("content-encoding", ""):  # gzip in gzip: 64 kB can become 64 GB
        raise Garbled(asked.server, asked.call, "encoded twice")


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """The wait that is asked for, at most an hour; a date counts from the answer's own Date."""
    value = headers.get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(timedelta(seconds=int(value)), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):  # TypeError: one has a zone, one has not
        return None
    return min(max(wait, timedelta()), LONGEST_WAIT)


# --- XML -------------------------------------------------------------------------------------


def response(status: int, content_type: str, body: bytes, asked: Asked) -> Element:
    """The `<response>` of a call that succeeded.

    Raises NotBBB (html, HTTP 4xx), Garbled (empty, truncated, entities, not XML ...), WrongSecret,
    NoSuchMeeting, ServerBusy, ServerRefused.
    """
    try:
        root = _document(content_type, body)
    except _Strange as strange:
        what = strange.what
    else:
        returncode = _text(root, "returncode")
        if root.tag == "response" and returncode == "FAILED":
            raise _refusal(root, asked)
        if root.tag == "response" and returncode == "SUCCESS" and status < 400:
            return root
        what = "not a BBB answer"
    if status >= 400:
        raise NotBBB(asked.server, asked.call, f"HTTP {status}")
    raise (NotBBB if what == _PAGE else Garbled)(asked.server, asked.call, what)


_PAGE = "html"
"""A page for people, such as a login: the call did not get to a BBB."""


_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+)?html\b", re.IGNORECASE
)


class _Strange(Exception):
    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def _document(content_type: str, body: bytes) -> Element:
    if not body.strip():
        raise _Strange("empty")
    if "html" in content_type.lower() or _HTML.match(body):
        raise _Strange(_PAGE)
    try:
        return _root(_slices(body))
    except ParseError as error:
        what = _what_is_wrong(error, body)
    if what == "truncated":
        raise _Strange(what)
    return _mended(body)


SLICE = 65_536
"""Bytes read at once. A longer text or tag is none of BBB's, and would hold up other threads."""
MOST_ELEMENTS = 25_000
"""In one answer; a meeting of a thousand people has half of that."""
DEEPEST = 50


class _Tree(TreeBuilder):
    """Builds no tree that takes long to read, or to throw away."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._elements += 1
        self._depth += 1
        if self._elements > MOST_ELEMENTS or self._depth > DEEPEST:
            raise _Strange("too large")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _slices(body: bytes) -> Iterator[bytes]:
    """The body in pieces of at most SLICE bytes, cut where markup begins. Raises _Strange."""
    at = 0
    while len(body) - at > SLICE:
        cut = body.rfind(b"<", at + 1, at + SLICE)
        if cut < 0:
            raise _Strange("too large")
        yield body[at:cut]
        at = cut
    yield body[at:]


def _root(slices: Iterable[bytes | str]) -> Element:
    """The root element. Raises ParseError; _Strange for entities, unknown encodings and too much.

    It is read in slices, so that in a thread it lets go of the others often enough.
    """
    parser = DefusedXMLParser(target=_Tree(), forbid_dtd=True)
    try:
        for piece in slices:
            parser.feed(piece)
        root: Element = parser.close()
    except DefusedXmlException:
        raise _Strange("entities") from None
    except (ValueError, LookupError):
        raise _Strange("unknown encoding") from None
    return root


# Not allowed in XML 1.0, and still seen: one such name must not blind us to the whole meeting.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
    "|&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]));",
    re.IGNORECASE,
)
_CUT_SHORT = {3, 5, 20}
"""expat: no element found, unclosed token, unclosed CDATA section."""


def _mended(body: bytes) -> Element:
    """The root of a document with characters that XML forbids, or bytes that are not UTF-8."""
    try:
        return _root(
            _FORBIDDEN.sub("", piece.decode("utf-8", "replace")) for piece in _slices(body)
        )
    except ParseError as error:
        raise _Strange(_what_is_wrong(error, body)) from None


def _what_is_wrong(error: ParseError, body: bytes) -> str:
    begins_well = body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    return "truncated" if begins_well and error.code in _CUT_SHORT else "not XML"


# --- refusals --------------------------------------------------------------------------------

# One violation is reported of several, whichever Java's hash order brings first, and balancers
# have words of their own: all of these mean that there is no such meeting.
_NO_SUCH_MEETING = {
    "notFound",
    "meetingNotFound",
    "invalidMeetingIdentifier",
    "meetingForciblyEnded",
    "missingParamMeetingID",
    "missingParameterMeetingID",
}
_TAKES_ONLY_AN_ID = {"getMeetingInfo", "isMeetingRunning", "end"}
_NO_CAPACITY = {"serverUnavailable", "serverTagUnavailable"}
_NO_CAPACITY_IN_WORDS = re.compile(r"no node available|limit reached", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z_ ]{1,48}")


def _refusal(root: Element, asked: Asked) -> ServerTrouble:
    key, message = _reason(root)
    if key == "checksumError":
        return WrongSecret(asked.server, asked.call, key)
    if _means_no_such_meeting(key, asked.call):
        return NoSuchMeeting(asked.server, asked.call, key)
    if key in _NO_CAPACITY or (not key and _NO_CAPACITY_IN_WORDS.search(message)):
        return ServerBusy(asked.server, asked.call, key or "no capacity")
    return ServerRefused(asked.server, asked.call, key)


def _reason(root: Element) -> tuple[str, str]:
    """Message key and message, from either form; "" for what is absent or not a key."""
    error = root.find("errors/error")
    if error is None:
        key, message = _text(root, "messageKey"), _text(root, "message")
    else:
        key = _text(error, "key") or error.get("key", "")
        message = _text(error, "message") or error.get("message", "")
    return key if _KEY.fullmatch(key) else "", message


def _means_no_such_meeting(key: str, call: str) -> bool:
    return key in _NO_SUCH_MEETING or (key == "validationError" and call in _TAKES_ONLY_AN_ID)


# --- values ----------------------------------------------------------------------------------


def created_meeting(root: Element, meeting_id: str, asked: Asked) -> CreatedMeeting:
    """What `create` made or found. `meeting_id` is ours: balancers answer with one of their own.

    Raises Garbled when the session's id or time is missing.
    """
    return CreatedMeeting(
        meeting_id=meeting_id,
        internal_id=_internal_id(root, asked),
        create_time=_create_time(root, asked),
        duplicate=_text(root, "messageKey") == "duplicateWarning",
        has_user_joined=_flag(root, "hasUserJoined"),
    )


def meeting_info(root: Element, meeting_id: str, asked: Asked) -> MeetingInfo:
    """What getMeetingInfo says; names as BBB has them, not cleaned. Raises Garbled as above."""
    attendees = tuple(map(_attendee, root.findall("attendees/attendee")))
    return MeetingInfo(
        meeting_id=meeting_id,
        internal_id=_internal_id(root, asked),
        create_time=_create_time(root, asked),
        name=_text(root, "meetingName"),
        running=_flag(root, "running"),
        has_user_joined=_flag(root, "hasUserJoined"),
        forcibly_ended=_flag(root, "hasBeenForciblyEnded"),
        recording=_flag(root, "recording"),
        participants=_number(root, "participantCount", len(attendees)),
        moderators=_number(root, "moderatorCount", sum(one.moderator for one in attendees)),
        attendees=attendees,
        started_at=_time(_number(root, "startTime", 0)),
    )


def version(root: Element) -> Version:
    """What the API's root says."""
    return Version(
        api=_text(root, "apiVersion") or _text(root, "version"), bbb=_text(root, "bbbVersion")
    )


def _attendee(element: Element) -> Attendee:
    return Attendee(
        user_id=_text(element, "userID"),
        name=_text(element, "fullName"),
        moderator=_text(element, "role").upper() == "MODERATOR",
    )


def _internal_id(root: Element, asked: Asked) -> str:
    return _text(root, "internalMeetingID") or _incomplete(asked)


def _create_time(root: Element, asked: Asked) -> int:
    return _number(root, "createTime", 0) or _incomplete(asked)


def _incomplete(asked: Asked) -> NoReturn:
    raise Garbled(asked.server, asked.call, "incomplete")


def _text(parent: Element, child: str) -> str:
    """The trimmed text of a direct child, the first of several; "" if it is absent or empty."""
    return (parent.findtext(child) or "").strip()


def _flag(parent: Element, child: str) -> bool:
    return _text(parent, child).lower() == "true"


def _number(parent: Element, child: str, default: int) -> int:
    text = _text(parent, child)
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else default


def _time(milliseconds: int) -> datetime | None:
    """A moment in UTC; None for 0, BBB's "not yet", and for what no calendar holds."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
    except (ValueError, OverflowError, OSError):
        return None
