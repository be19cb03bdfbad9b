"""What the workspace says to the answers about it. Each raises NoAnswer where it says nothing.

A token alone tells whose it is: `login` takes it as `resume` (facts: Rocket.Chat 6.x to 9.0).
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from bot.chat.shapes import mapping, text
from bot.config import values
from bot.doctor.asking import Answer, Asker, NoAnswer, ask
from bot.init.answers import Member
from bot.init.refusal import Refused, valid

BY_HAND = "make one by hand: docs/setup-rocketchat.md shows where"


class CodeWanted(Refused):
    """The account has a second factor: the same again, with its code."""


async def find_workspace(asker: Asker, address: str) -> str:
    """The address itself, where a Rocket.Chat stands there."""
    answer = await ask(asker, f"{address}/api/info")
    if answer.status == 200 and isinstance(answer.fields.get("version"), str):
        return address
    raise NoAnswer("what answers is something else")


async def whose(asker: Asker, url: str, token: str) -> Member:
    """The account that the token belongs to."""
    answer = await _post(asker, url, "login", {"resume": token})
    if answer.status == 401:
        raise Refused("the workspace does not know this token (any more)")
    return _member(answer, token)


async def log_in(asker: Asker, url: str, name: str, password: str, code: str = "") -> Member:
    """With a new personal access token; the session of the login ends at once."""
    wish = {"user": name, "password": password} | ({"code": code} if code else {})
    answer = await _post(asker, url, "login", wish)
    if _wants_code(answer):
        raise CodeWanted("this code is not right" if code else "the account has a second factor")
    if answer.status == 401:
        raise Refused("the workspace refuses user name or password")
    session = _member(answer)
    try:
        token = await _personal_token(asker, url, session, password, code)
    finally:
        with suppress(NoAnswer):  # it ends by itself, in time
            await _post(asker, url, "logout", {}, _authorised(session))
    return Member(session.user_id, session.username, token)


async def _personal_token(asker: Asker, url: str, session: Member, password: str, code: str) -> str:
    """Made by the account itself, and good without a second factor, which a bot has not."""
    path, headers = "users.generatePersonalAccessToken", dict(_authorised(session))
    wish = {"tokenName": f"bbb-bot-{secrets.token_hex(3)}", "bypassTwoFactor": True}
    if code:
        headers |= {"x-2fa-code": code, "x-2fa-method": "totp"}
    answer = await _post(asker, url, path, wish, headers)
    if _wants_code(answer):
        method = _second_factor(answer)
        if method != "password" and not code:
            raise CodeWanted("the account has a second factor")
        proof = hashlib.sha256(password.encode()).hexdigest() if method == "password" else code
        headers |= {"x-2fa-code": proof, "x-2fa-method": method}
        answer = await _post(asker, url, path, wish, headers)
    token = answer.fields.get("token")
    if answer.status == 200 and isinstance(token, str):
        return token
    if answer.status in (400, 401, 403):
        why = "the account may not make a personal access token (the role `user` lets it)"
        raise Refused(f"{why}; give it that role, or {BY_HAND}")
    raise NoAnswer(f"it answers with HTTP {answer.status}")


def known_people(
    url: str, account: Member, names: tuple[str, ...]
) -> Callable[[Asker], Awaitable[Mapping[str, str]]]:
    """The names by the ids behind them."""

    async def trial(asker: Asker) -> Mapping[str, str]:
        return {await _id_of(asker, url, account, name): name for name in names}

    return trial


async def _id_of(asker: Asker, url: str, account: Member, name: str) -> str:
    address = f"{url}/api/v1/users.info?username={quote(name, safe='')}"
    answer = await ask(asker, address, headers=_authorised(account))
    if answer.status in (400, 404):
        raise Refused(f"the workspace knows nobody called {name}")
    user = mapping(answer.fields.get("user"))
    found = text(user.get("_id"))
    if answer.status != 200 or found is None:
        raise NoAnswer(f"it answers with HTTP {answer.status}")
    if user.get("active") is False:
        raise Refused(f"the account of {name} is deactivated")
    return valid(values.rocketchat_id, found)


def _member(answer: Answer, token: str = "") -> Member:
    """Whom `login` let in, with their own token or the one of the session."""
    data = mapping(answer.fields.get("data"))
    user_id, session = data.get("userId"), data.get("authToken")
    if answer.status != 200 or not isinstance(user_id, str) or not isinstance(session, str):
        raise NoAnswer(f"it answers with HTTP {answer.status}")
    username = mapping(data.get("me")).get("username")
    return Member(valid(values.rocketchat_id, user_id), str(username or user_id), token or session)


def _wants_code(answer: Answer) -> bool:
    said = answer.fields
    return "totp-required" in (said.get("error"), said.get("errorType"))


def _second_factor(answer: Answer) -> str:
    return str(mapping(answer.fields.get("details")).get("method") or "totp")


async def _post(
    asker: Asker,
    url: str,
    path: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Raises NoAnswer also where a proxy answers, or the workspace asks to slow down."""
    address = f"{url}/api/v1/{path}"
    answer = await ask(asker, address, method="POST", json=dict(body), headers=headers)
    if answer.status == 429:
        raise NoAnswer("it asks to wait a minute")
    return answer


def _authorised(account: Member) -> Mapping[str, str]:
    return {"X-User-Id": account.user_id, "X-Auth-Token": account.access_token}
