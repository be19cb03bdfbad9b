"""The log beside a chat in a terminal: what an admin would hear, one line each."""

import logging
import sys

_QUIET = ("httpx", "httpcore", "nio", "uvicorn", "storage")


class OneLine(logging.Formatter):
    """A warning or an error in words. A demo shows what went wrong, not where in the code."""

    def format(self, record: logging.LogRecord) -> str:
        why = getattr(record, "error", "")
        return f"       log: {record.getMessage()}{f' ({why})' if why else ''}"


def log_in_single_lines() -> None:
    """Send every logger's warnings to standard error, replacing what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
