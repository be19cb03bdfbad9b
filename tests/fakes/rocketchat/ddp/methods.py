"""The DDP methods: login, logout, and a few of the deprecated ones, which 9.0 no longer has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.fakes.rocketchat import posting
from tests.fakes.rocketchat.ddp.frames import EXPIRED, LOGGED_OUT
from tests.fakes.rocketchat.records import Token, User
from tests.fakes.rocketchat.refusals import Failed, Refused
from tests.fakes.rocketchat.rest.accounts import is_password
from tests.fakes.rocketchat.rest.direct import open_direct
from tests.fakes.rocketchat.wire import Json, ddp_text, milliseconds

if TYPE_CHECKING:
    from tests.fakes.rocketchat.ddp.session import Session


class MethodError(Exception):
    """What stands in the `error` of a result."""

    def __init__(self, code: str | int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def _login(session: Session, params: list[Any]) -> Json:
    """By `resume`; by a password on the monolith only."""
    given = params[0] if params and isinstance(params[0], dict) else {}
    if "resume" in given:
        user, token = _resumed(session, str(given["resume"]))
        kind = "resume"
    elif session.profile.streamer:
        raise MethodError(403, LOGGED_OUT)
    else:
        user = _claimed(session, given)
        token, kind = session.state.log_in(user), "password"
    session.user, session.token = user, token
    if not session.profile.streamer:
        session.send(_added(user))
    result: Json = {"id": user.id, "token": token.text, "type": kind}
    if token.expires is not None or session.profile.token_expires == "null":
        result["tokenExpires"] = token.expires
    return result


def _resumed(session: Session, text: str) -> tuple[User, Token]:
    found = session.state.bearer(text)
    if found is None:
        raise MethodError(403, LOGGED_OUT)
    if session.state.has_expired(found[1]):
        raise MethodError(403, EXPIRED)
    return found


def _claimed(session: Session, given: Json) -> User:
    claim = given.get("user") or {}
    user = (
        session.state.named(str(claim.get("username") or "")) if isinstance(claim, dict) else None
    )
    if user is None:
        raise MethodError(403, "User not found")
    if not user.active or not is_password(user, given.get("password")):
        raise MethodError(403, "Incorrect password")
    if user.totp:
        raise MethodError("totp-required", "TOTP Required")
    return user


def _added(user: User) -> str:
    """The account itself, which the monolith sends unasked."""
    fields = {"username": user.username, "emails": [{"address": user.email, "verified": True}]}
    return ddp_text({"msg": "added", "collection": "users", "id": user.id, "fields": fields})


def _logout(session: Session, params: list[Any]) -> Json:
    """The streamer's 500 is as recorded, without a complete server behind it."""
    if session.profile.streamer:
        raise MethodError(500, "Internal server error")
    user, token = session.user, session.token
    session.user = session.token = None
    if user and token:
        session.state.drop_tokens(user, [token.text])
    return {}


def _user(session: Session) -> User:
    if session.user is None:
        raise MethodError("error-invalid-user", "Invalid user")
    return session.user


def _send_message(session: Session, params: list[Any]) -> Json | None:
    message = params[0] if params and isinstance(params[0], dict) else {}
    return posting.send(session.state, _user(session), message)


def _rooms_get(session: Session, params: list[Any]) -> Any:
    """A list; with a date what changed since, and what is gone, which nothing is here."""
    rooms = [room.document for room in session.state.rooms_of(_user(session))]
    return _changed_since(rooms, params)


def _subscriptions_get(session: Session, params: list[Any]) -> Any:
    user = _user(session)
    mine = [room.subscription(user) for room in session.state.rooms_of(user)]
    return _changed_since(mine, params)


def _changed_since(documents: list[Json], params: list[Any]) -> Any:
    if not params or not isinstance(params[0], dict):
        return documents
    since = int(params[0].get("$date", 0))
    newer = [doc for doc in documents if milliseconds(doc["_updatedAt"]) > since]
    return {"update": newer, "remove": []}


def _create_direct_message(session: Session, params: list[Any]) -> Json:
    room = open_direct(session.state, _user(session), [str(name) for name in params])
    return {"t": "d", "rid": room.id}


_DEPRECATED: dict[str, Callable[[Session, list[Any]], Any]] = {
    "sendMessage": _send_message,
    "rooms/get": _rooms_get,
    "subscriptions/get": _subscriptions_get,
    "createDirectMessage": _create_direct_message,
}
"""Flagged for 9.0; which of them it dropped is not known, so here it has none."""

_LASTING: dict[str, Callable[[Session, list[Any]], Any]] = {"login": _login, "logout": _logout}


def called(session: Session, name: str, params: list[Any]) -> Any:
    """The result of a method. Raises MethodError."""
    method = _LASTING.get(name)
    if method is None and session.profile.version < (9, 0):
        method = _DEPRECATED.get(name)
    if method is None:
        raise MethodError(404, f"Method '{name}' not found")
    try:
        return method(session, params)
    except Refused as refused:
        raise MethodError(refused.code, refused.reason) from refused
    except Failed:
        raise MethodError(500, "Internal server error") from None
