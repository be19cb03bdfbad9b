"""Frames of the realtime protocol: those we send, and the reading of what comes. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.chat.rocketchat.ddp.events import Subscription
from bot.chat.shapes import Json, mapping

_LONGEST_CODE = 60
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Send:
    """A frame to send. Its text may hold the token, so it is never shown."""

    text: str = field(repr=False)


def connect() -> Send:
    """The first frame of a connection: anything else first, a pong too, closes it with 1002."""
    return _frame({"msg": "connect", "version": "1", "support": ["1"]})


def login(id: str, token: str) -> Send:
    """The only login that the streamer takes; personal access tokens are accepted as well."""
    return _frame({"msg": "method", "method": "login", "id": id, "params": [{"resume": token}]})


def sub(id: str, subscription: Subscription) -> Send:
    """Ask for an event of a stream."""
    params = [subscription.event, False]
    return _frame({"msg": "sub", "id": id, "name": subscription.stream, "params": params})


def unsub(id: str) -> Send:
    """Ask for no more of it."""
    return _frame({"msg": "unsub", "id": id})


def ping(id: str) -> Send:
    """Ask for a sign of life."""
    return _frame({"msg": "ping", "id": id})


def pong(id: object) -> Send:
    """The answer to a ping, which may come without an id."""
    return _frame({"msg": "pong", "id": id} if isinstance(id, str) else {"msg": "pong"})


def read(text: str | bytes) -> Mapping[str, Any]:
    """The frame, or an empty one for what is no JSON object (a binary frame never is)."""
    if isinstance(text, bytes):
        return {}
    try:
        return mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def code_of(error: object) -> str:
    """What went wrong, from `error.error`: a number in some answers and a word in others."""
    code = mapping(error).get("error")
    return str(code)[:_LONGEST_CODE] if isinstance(code, str | int) else ""


def reason_of(error: object) -> str:
    """What the server says about it, on one line."""
    reason = mapping(error).get("reason")
    return one_line(reason) if isinstance(reason, str) else ""


def one_line(text: str) -> str:
    """A stranger's text, short and without controls."""
    return "".join(c if c.isprintable() else " " for c in text[:_LONGEST_REASON])


def _frame(content: Json) -> Send:
    return Send(json.dumps(content))
