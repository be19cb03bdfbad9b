"""The server's refusals, and the bodies that each generation wraps them in (facts 10.2)."""

from __future__ import annotations

from typing import Any

from tests.fakes.rocketchat.profiles import Profile
from tests.fakes.rocketchat.wire import Json

LOGGED_OUT = "You must be logged in to do this."


class Refusal(Exception):
    """The server says no."""


class Refused(Refusal):
    """A Meteor.Error: a code, a reason, details. REST answers 400 with an errorType."""

    def __init__(self, code: str, reason: str = "", details: Json | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.details = details

    @property
    def message(self) -> str:
        return f"{self.reason} [{self.code}]" if self.reason else f"[{self.code}]"


class Failed(Refusal):
    """A plain Error, or an endpoint's own failure: 400 with a text only, or without one."""

    def __init__(self, said: str | None = None, error_type: str | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.error_type = error_type


class Forbidden(Refusal):
    """403: the caller lacks a permission, or with `own` the endpoint itself says no."""

    def __init__(self, *, own: bool = False) -> None:
        super().__init__("forbidden")
        self.own = own


class NotFound(Refusal):
    """Said by an endpoint: 404."""

    def __init__(self, said: str = "Resource not found") -> None:
        super().__init__(said)
        self.said = said


class NotLoggedIn(Refusal):
    """401."""


class BadLogin(Refusal):
    """401 of POST login; `totp` when the second factor is missing, `reason` for a known user."""

    def __init__(self, *, totp: Json | None = None, reason: str | None = None) -> None:
        super().__init__("bad login")
        self.totp = totp
        self.reason = reason


class TooMany(Refusal):
    """429."""

    def __init__(self, seconds: int, headers: dict[str, str]) -> None:
        super().__init__("too many")
        self.seconds = seconds
        self.headers = headers


def answer_of(refusal: Refusal, profile: Profile) -> tuple[int, Json]:
    """Status and body."""
    match refusal:
        case Refused():
            return _meteor_error(refusal, profile)
        case Failed():
            body: Json = {"success": False, "error": refusal.said, "errorType": refusal.error_type}
            return 400, {key: value for key, value in body.items() if value is not None}
        case Forbidden():
            return 403, {"success": False, "error": _forbidden(refusal, profile)}
        case NotFound():
            return 404, {"success": False, "error": refusal.said}
        case NotLoggedIn():
            return 401, _unauthorised(profile, None, LOGGED_OUT)
        case BadLogin():
            return 401, _bad_login(refusal, profile)
        case TooMany():
            return 429, {"success": False, "error": _too_many(refusal.seconds)}
    raise TypeError(refusal)


def _meteor_error(refusal: Refused, profile: Profile) -> tuple[int, Json]:
    newest = profile.error_bodies == "9"
    if refusal.code in ("error-unauthorized", "unauthorized"):
        return 401 if newest else 403, {"success": False, "error": refusal.message}
    if newest and refusal.code in ("error-forbidden", "forbidden"):
        return 403, {"success": False, "error": refusal.message}
    body: dict[str, Any] = {
        "success": False,
        "error": refusal.message,
        "errorType": refusal.code,
    }
    if refusal.details is not None:
        body["details"] = refusal.details
    return 400, body


def _forbidden(refusal: Forbidden, profile: Profile) -> str:
    newest = profile.error_bodies == "9"
    if refusal.own:
        return "forbidden" if newest else "unauthorized"
    code = "error-forbidden" if newest else "error-unauthorized"
    return f"User does not have the permissions required for this action [{code}]"


def _unauthorised(profile: Profile, error: str | None, message: str) -> Json:
    if profile.error_bodies == "9":
        return {"success": False, "error": error or message}
    if profile.error_bodies == "7":
        head: Json = {"success": False, "status": "error", "error": error or message}
        return {**head, "message": message}
    return {"status": "error", **({"error": error} if error else {}), "message": message}


def _bad_login(refusal: BadLogin, profile: Profile) -> Json:
    if refusal.reason and profile.error_bodies != "9":
        return {**_unauthorised(profile, "403", refusal.reason), "error": 403}
    if refusal.totp is None:
        word = "unauthorized" if profile.error_bodies == "9" else "Unauthorized"
        return _unauthorised(profile, word, word)
    old = profile.error_bodies == "6"
    message = "TOTP Required" if old else "TOTP Required [totp-required]"
    return {**_unauthorised(profile, "totp-required", message), "details": refusal.totp}


def _too_many(seconds: int) -> str:
    return (
        "Error, too many requests. Please slow down. "
        f"You must wait {seconds} seconds before trying this endpoint again. "
        "[error-too-many-requests]"
    )
