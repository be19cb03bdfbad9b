"""One's own account: login, logout, me, personal access tokens, status."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.fakes.rocketchat.records import Token, User
from tests.fakes.rocketchat.refusals import BadLogin, Failed, Refused
from tests.fakes.rocketchat.rest.endpoints import Call, endpoint
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.wire import Json, new_id


@endpoint("POST", "login", login=False, plain=True)
def login(call: Call) -> Json:
    """With a password, or a token as `resume`."""
    resume = call.params.get("resume")
    user, token = _resumed(call.state, resume) if resume else _entered(call)
    data = {"userId": user.id, "authToken": token.text, "me": own_document(user)}
    return {"status": "success", "data": data}


def _resumed(state: State, resume: Any) -> tuple[User, Token]:
    found = state.bearer(str(resume))
    if found is None or state.has_expired(found[1]):
        raise BadLogin
    return found


def _entered(call: Call) -> tuple[User, Token]:
    user = _claimed(call)
    if user is None or not user.active:
        raise BadLogin
    if not is_password(user, call.params.get("password")):
        raise BadLogin(reason="Incorrect password")
    code = call.params.get("code") or call.headers.get("x-2fa-code")
    if user.totp and code != user.totp:
        raise BadLogin(totp=second_factor(user))
    return user, call.state.log_in(user)


def _claimed(call: Call) -> User | None:
    """Who somebody says they are: `user` is a name or an address, or an object with either."""
    claim = call.params.get("user") or call.params.get("username") or call.params.get("email")
    if isinstance(claim, dict):
        claim = claim.get("username") or claim.get("email") or claim.get("id")
    name = str(claim or "")
    by_email = (user for user in call.state.users.values() if user.email == name)
    return call.state.named(name) or next(by_email, None)


def is_password(user: User, given: Any) -> bool:
    """In clear, or as `{digest, algorithm: "sha-256"}`."""
    if isinstance(given, dict):
        return bool(given.get("digest") == hashlib.sha256(user.password.encode()).hexdigest())
    return bool(given == user.password)


def second_factor(user: User) -> Json:
    method = "totp" if user.totp else "password"
    methods = ["totp"] if user.totp else []
    return {"method": method, "codeGenerated": False, "availableMethods": methods}


@endpoint("GET", "logout", plain=True)
@endpoint("POST", "logout", plain=True)
def logout(call: Call) -> Json:
    if call.token:
        call.state.drop_tokens(call.me, [call.token.text])
    return {"status": "success", "data": {"message": "You've been logged out!"}}


def own_document(user: User) -> Json:
    return {
        **user.document,
        "emails": [{"address": user.email, "verified": True}],
        "settings": {"profile": {}, "preferences": {}, "calendar": {}},
        "isOAuthUser": False,
        "avatarUrl": f"/avatar/{user.username}",
    }


@endpoint("GET", "me")
def me(call: Call) -> Json:
    return own_document(call.me)


@endpoint("POST", "users.generatePersonalAccessToken")
def generate_personal_access_token(call: Call) -> Json:
    name = call.text("tokenName")
    _check_token_rights(call)
    if any(token.name == name for token in call.me.tokens.values() if token.expires is None):
        raise Refused("error-token-already-exists", "A token with this name already exists")
    return {"token": _new_token(call, name)}


@endpoint("POST", "users.regeneratePersonalAccessToken")
def regenerate_personal_access_token(call: Call) -> Json:
    name = call.text("tokenName")
    _check_token_rights(call)
    _drop_token(call, name)
    return {"token": _new_token(call, name)}


@endpoint("POST", "users.removePersonalAccessToken")
def remove_personal_access_token(call: Call) -> Json:
    name = call.text("tokenName")
    _check_token_rights(call)
    _drop_token(call, name)
    return {}


@endpoint("GET", "users.getPersonalAccessTokens")
def get_personal_access_tokens(call: Call) -> Json:
    call.refuse_without("create-personal-access-tokens")
    return {
        "tokens": [
            {
                "name": token.name,
                "createdAt": token.made,
                "lastTokenPart": token.text[-6:],
                "bypassTwoFactor": token.without_2fa,
            }
            for token in call.me.tokens.values()
            if token.expires is None
        ]
    }


def _check_token_rights(call: Call) -> None:
    """The permission, and the second factor: by default the password's SHA-256."""
    user = call.me
    if not call.state.may(user, "create-personal-access-tokens"):
        raise Refused("not-authorized", "Not Authorized")
    enforced = "Accounts_TwoFactorAuthentication_Enforce_Password_Fallback"
    if call.token and call.token.without_2fa:
        return
    if user.totp is None and not call.state.settings[enforced]:
        return
    wanted = user.totp or hashlib.sha256(user.password.encode()).hexdigest()
    if call.headers.get("x-2fa-code") != wanted:
        raise Refused("totp-required", "TOTP Required", second_factor(user))


def _new_token(call: Call, name: str) -> str:
    bypass = bool(call.flag("bypassTwoFactor"))
    token = Token(new_id(43), name=name, made=call.state.now(), without_2fa=bypass)
    call.me.tokens[token.text] = token
    return token.text


def _drop_token(call: Call, name: str) -> None:
    named = [
        token.text
        for token in call.me.tokens.values()
        if token.expires is None and token.name == name
    ]
    if not named:
        raise Refused("error-token-does-not-exists", "Token does not exist")
    call.state.drop_tokens(call.me, named)


@endpoint("POST", "users.setStatus")
def set_status(call: Call) -> Json:
    user, status, message = call.me, call.optional("status"), call.optional("message")
    if status is None and message is None:
        raise Failed("Match error: Match.OneOf failed")
    if status is not None:
        if status not in ("online", "away", "busy", "offline"):
            reason = "Valid status types include online, away, offline, and busy."
            raise Refused("error-invalid-status", reason)
        user.status = status
    if message is not None:
        user.status_text = message
    user.updated = call.state.now()
    return {}
