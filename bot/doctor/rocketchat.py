"""Checks of the Rocket.Chat account: its token, its roles, how often and what it may ask."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bot.chat.rocketchat import trust
from bot.chat.rocketchat.account import owner_of
from bot.chat.rocketchat.answers import Busy, LoggedOut, Moved, RestError, is_denied
from bot.chat.rocketchat.rest import Rest
from bot.chat.shapes import mapping, objects, text
from bot.config import RocketChat, describe_source
from bot.doctor.asking import Case
from bot.doctor.finding import Finding, fail, ok, warn
from bot.doctor.granted import PERMISSIONS, judge_permissions, roles_of
from commands.errors import ChatRefused

REACHABLE = "rocketchat.reachable"
VERSION = "rocketchat.version"
TOKEN = "rocketchat.token"  # noqa: S105  (a name)
USER = "rocketchat.user"
ROLES = "rocketchat.roles"
LIMITS = "rocketchat.limits"
ADMINS = "rocketchat.admins"
ACCOUNT = (REACHABLE, VERSION, TOKEN, USER, ROLES, LIMITS, PERMISSIONS, ADMINS)

CHECKED = "6.x to 9.0, checked against frames recorded from 6.14 and the published schemas of 8.8.1"
_SECONDS = 4.0
_NOT_A_WORD = re.compile(r"[^\w@:.,()'+/ -]")
_ROLES = "under Administration > Workspace > Users give the account the roles `bot` and `user`"
_ANOTHER = (
    "in the bot's account make one under My Account > Personal Access Tokens, with Ignore Two "
    "Factor Authentication; put it into rocketchat.access_token ({source})"
)
_BY_CODE = {
    "tls": "its TLS certificate is not accepted",
    "timeout": "it does not answer in time",
    "unreachable": "no connection (no such host, or nothing listens there)",
}


@asynccontextmanager
async def asking(rocketchat: RocketChat) -> AsyncIterator[Rest]:
    """What the bot itself asks with."""
    rest = Rest(
        rocketchat.url,
        rocketchat.user_id,
        rocketchat.access_token.get_secret_value(),
        verify=trust.bundle(rocketchat.ca_file),
        workers=2,
        timeout=_SECONDS,
    )
    try:
        yield rest
    finally:
        await rest.close()


async def check_account(case: Case) -> AsyncIterator[Finding]:
    """Reachable, then the version, then all about the account."""
    rocketchat = case.settings.rocketchat
    if rocketchat is None:
        return
    async with asking(rocketchat) as rest:
        try:
            async for finding in _account(case, rocketchat, rest):
                yield finding
        except LoggedOut:
            yield await _whose(case, rocketchat, rest)
        except Busy:
            yield judge_limits(counted=True)
        except RestError as error:
            yield _unreachable(case, error)


async def _account(case: Case, rocketchat: RocketChat, rest: Rest) -> AsyncIterator[Finding]:
    """Raises RestError."""
    version = await _version(rest)
    me = await rest.get("me")
    yield ok(REACHABLE, "answers and knows the token")
    yield judge_version(version)
    yield ok(USER, f"{cleaned(str(me.get('username')))}, {rocketchat.user_id}")
    yield judge_limits(counted=rest.is_counted)
    roles = roles_of(me)
    yield judge_roles(roles)
    yield await _token_kind(case, rocketchat, rest)
    yield await _permissions(rest, roles)
    if rocketchat.admins:
        yield await _admins(case, rocketchat, rest)


async def _version(rest: Rest) -> str:
    """As everybody is told it: so the question counts against a limit, whoever asks."""
    try:
        return text((await rest.info()).get("version")) or ""
    except RestError as error:
        if isinstance(error, Busy) or is_denied(error):
            return ""
        raise


def judge_version(version: str) -> Finding:
    """What to think of the "major.minor" that everybody is told."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if not numbers:
        return ok(VERSION, "the workspace does not tell its version")
    if numbers < (6, 0):
        return fail(VERSION, f"{cleaned(version)} is too old", "update Rocket.Chat to 6.0 or later")
    if numbers > (9, 0):
        what = f"{cleaned(version)} is newer than what the bot was made for ({CHECKED})"
        return warn(VERSION, what, "watch the log; look for a newer bbb-bot")
    return ok(VERSION, cleaned(version))


def judge_limits(*, counted: bool) -> Finding:
    """`counted`: whether the answer to the bot told of a limit; whoever may pass it sees none."""
    if not counted:
        return ok(LIMITS, "the workspace does not slow this account down")
    what = "the workspace takes ten calls a minute of a kind from this account: answers would wait"
    remedy = f"{_ROLES}, or another one with the permission api-bypass-rate-limit"
    return fail(LIMITS, what, remedy)


def judge_roles(roles: list[str]) -> Finding:
    """Both are needed: only `bot` passes the limits, only `user` makes its own tokens."""
    found = ", ".join(cleaned(role) for role in roles) or "none"
    missing = [role for role in ("bot", "user") if role not in roles]
    if missing:
        return warn(ROLES, f"{found}; {' and '.join(missing)} missing", _ROLES)
    return ok(ROLES, found)


async def _whose(case: Case, rocketchat: RocketChat, rest: Rest) -> Finding:
    """The token, or the user id, is wrong."""
    try:
        owner = await owner_of(rest, rocketchat.access_token.get_secret_value())
    except RestError as error:
        return _unreachable(case, error)
    if owner is None:
        source = describe_source(case.settings, "rocketchat.access_token")
        what = "the token is not valid, or not any more; or the account is deactivated"
        return fail(TOKEN, what, _ANOTHER.format(source=source))
    source = describe_source(case.settings, "rocketchat.user_id")
    whose = cleaned(f"{owner.user_id} ({owner.username})")
    what = f"the token belongs to {whose}, the configuration says {rocketchat.user_id}"
    return fail(USER, what, f"set rocketchat.user_id ({source}), or use the other one's token")


async def _token_kind(case: Case, rocketchat: RocketChat, rest: Rest) -> Finding:
    """Of each personal access token the account is shown the last six letters."""
    token = rocketchat.access_token.get_secret_value()
    try:
        answer = await rest.get("users.getPersonalAccessTokens")
    except RestError as error:
        if not is_denied(error):
            raise
        return ok(TOKEN, "valid; whether it ends the account may not see")
    if token[-6:] in [one.get("lastTokenPart") for one in objects(answer.get("tokens"))]:
        return ok(TOKEN, "a personal access token, which does not end")
    source = describe_source(case.settings, "rocketchat.access_token")
    what = "the token of a login: it ends, after 90 days as a rule"
    return warn(TOKEN, what, _ANOTHER.format(source=source))


async def _permissions(rest: Rest, roles: list[str]) -> Finding:
    """What the roles are granted here; a workspace may have changed that. Raises RestError."""
    try:
        answer = await rest.get("permissions.listAll")
    except RestError as error:
        if not is_denied(error):
            raise
        return ok(PERMISSIONS, "the workspace does not tell them")
    return judge_permissions(answer, roles, remedy=_ROLES)


async def _admins(case: Case, rocketchat: RocketChat, rest: Rest) -> Finding:
    """Whether each is the id of somebody: a name would be nobody. Raises RestError."""
    found = [await _wrong_with(rest, person) for person in rocketchat.admins]
    if wrong := "; ".join(filter(None, found)):
        source = describe_source(case.settings, "rocketchat.admins")
        return warn(ADMINS, wrong, f"put ids of people into rocketchat.admins ({source})")
    return ok(ADMINS, f"{len(found)}, each the id of somebody here")


async def _wrong_with(rest: Rest, person: str) -> str:
    user = await _user(rest, userId=person) or await _user(rest, username=person)
    if not user:
        return f"{person} is nobody here"
    if user.get("_id") != person:
        return f"{person} is a name, of the id {cleaned(str(user.get('_id')))}"
    return f"{person} is deactivated" if user.get("active") is False else ""


async def _user(rest: Rest, **which: str) -> Mapping[str, Any]:
    try:
        return mapping((await rest.get("users.info", **which)).get("user"))
    except ChatRefused:
        return {}


def _unreachable(case: Case, error: RestError) -> Finding:
    source = describe_source(case.settings, "rocketchat.url")
    what = f"the workspace cannot be asked: {_reason(error)}"
    if isinstance(error, Moved):
        return fail(REACHABLE, what, f"set rocketchat.url ({source}) to that address")
    remedy = (
        f"rocketchat.url ({source}) must be the address that browsers use, with its path; check "
        "network and firewall"
    )
    if error.code == "tls":
        remedy = "renew the certificate, or name its authority in rocketchat.ca_file"
    return fail(REACHABLE, what, remedy)


def _reason(error: RestError) -> str:
    if isinstance(error, Moved):
        return f"it leads elsewhere, to {cleaned(error.address)}"
    if error.code == "not-json" or (error.status and not error.text):
        return f"what answers there is no Rocket.Chat (HTTP {error.status})"
    return _BY_CODE.get(error.code) or f"HTTP {error.status} {cleaned(error.text)}".strip()


def cleaned(said: str) -> str:
    """What came from outside, fit for a terminal."""
    return _NOT_A_WORD.sub("?", said)[:120]
