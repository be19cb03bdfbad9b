"""The log: text on a terminal, JSON elsewhere; `ref` ties lines together; secrets are hidden."""

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, TextIO
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"

# Libraries that tell every request, some with its address.
_QUIET = ("httpx", "httpcore", "nio", "uvicorn", "uvicorn.access", "aiohttp.access", "apscheduler")

_TELLING = (
    re.compile(
        r"""(?i)((?:checksum|access_token|sessionToken|password)(?:=|%3D|["']\s*:\s*["']))"""
        r"""[^\s&"',;)}\]]+"""
    ),
    re.compile(r"(?i)(authorization\W{1,4}bearer\s+|\bbearer\s+)[^\s\"',;]+"),
    re.compile(r"(/j/)[\w%-]+"),
)
# Controls of both kinds, line ends, what turns text round, half characters: in a terminal they act.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_ref: ContextVar[str | None] = ContextVar("ref", default=None)


@contextmanager
def about(ref: str | None) -> Iterator[None]:
    """Lines logged inside, tasks started there included, carry `ref`, the short id of a command or
    a click. None: they carry none, whatever is around.
    """
    token = _ref.set(ref)
    try:
        yield
    finally:
        _ref.reset(token)


class Redaction:
    """Hides known secrets, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _written_forms(secret)}
        # the longest first: one secret may contain another
        words = sorted(map(re.escape, forms), key=len, reverse=True)
        self._known = re.compile("|".join(words)) if words else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for telling in _TELLING:
            text = telling.sub(rf"\g<1>{HIDDEN}", text)
        return text


class TextFormatter(logging.Formatter):
    """One line a record for a person to read, then the traceback."""

    def __init__(self, redact: Redaction) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """A record as text; control characters from outside cannot start a line of their own."""
        fields = "".join(f"  {name}={value}" for name, value in _fields(record).items())
        line = f"{record.levelname:<8}{record.name}  {record.getMessage()}{fields}"
        text = f"{_time(record):%H:%M:%S} {_CONTROL.sub(_escaped, line)}"
        return self._redact("\n".join([text, *_trouble(self, record)]))


class JsonFormatter(logging.Formatter):
    """One JSON object a record, for machines."""

    def __init__(self, redact: Redaction) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """A record as JSON; each text is redacted before JSON escapes hide what it holds."""
        entry = {
            **_fields(record),
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trouble := _trouble(self, record):
            entry["exception"] = "\n".join(trouble)
        redacted = {name: self._redacted(value) for name, value in entry.items()}
        return _CONTROL.sub(_json_escaped, json.dumps(redacted, ensure_ascii=False))

    def _redacted(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._redact(str(value))


def set_up(
    *,
    form: Literal["auto", "text", "json"] = "auto",
    level: Literal["debug", "info", "warning", "error"] = "info",
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Send every logger to `stream` (standard error), replacing what was set up before."""
    stream = stream or sys.stderr
    as_text = form == "text" or (form == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter((TextFormatter if as_text else JsonFormatter)(Redaction(secrets)))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    """What was given as `extra=`, and `ref`."""
    fields = {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}
    ref = _ref.get()
    return fields if ref is None else {"ref": ref, **fields}


def _trouble(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    """Traceback and stack, where the record has them; formatted anew, never taken from a cache."""
    error = formatter.formatException(record.exc_info) if record.exc_info else ""
    stack = formatter.formatStack(record.stack_info) if record.stack_info else ""
    return [part for part in (error, stack) if part]


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _json_escaped(match: re.Match[str]) -> str:
    """JSON itself escapes only the first 32."""
    return f"\\u{ord(match[0]):04x}"


def _written_forms(secret: str) -> set[str]:
    """The ways a secret is written in addresses, JSON and reprs."""
    as_json = json.dumps(secret)[1:-1]
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        as_json,
        repr(secret)[1:-1],
    }
