"""The DDP methods: login, logout, and the few old ones that clients still call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.fakes.rocketchat.ddp.frames import EXPIRED, LOGGED_OUT
from tests.fakes.rocketchat.records import Token, User
from tests.fakes.rocketchat.rest.accounts import is_password
from tests.fakes.rocketchat.wire import Json, ddp_text

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


METHODS: dict[str, Callable[[Session, list[Any]], Any]] = {"login": _login, "logout": _logout}
