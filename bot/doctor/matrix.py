"""Checks of the Matrix account: the token is good and belongs to the user and device configured."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping

from bot.config import Matrix, describe_source
from bot.doctor.asking import Answer, Case, NoAnswer, ask
from bot.doctor.finding import Finding, fail, ok, warn

WHOAMI = "/_matrix/client/v3/account/whoami"
_NOT_AN_ID = re.compile(r"[^\w@:.=/+-]")
_ANOTHER = (
    "get a new token for this account and device, put it into matrix.access_token ({source}); "
    "the device id that comes with it into matrix.device_id"
)


async def check_matrix(case: Case) -> AsyncIterator[Finding]:
    """`whoami` answers with the user and the device of the configuration."""
    matrix = case.settings.matrix
    if matrix is None:
        return
    token = matrix.access_token.get_secret_value()
    try:
        answer = await ask(
            case, matrix.homeserver + WHOAMI, headers={"Authorization": f"Bearer {token}"}
        )
    except NoAnswer as trouble:
        yield _unreachable(case, str(trouble))
        return
    for finding in _judge(case, matrix, answer):
        yield finding


def _judge(case: Case, matrix: Matrix, answer: Answer) -> Iterator[Finding]:
    said = answer.fields
    code = said.get("errcode")
    if answer.status == 200 and "user_id" in said:
        yield ok("matrix.reachable", "answers and knows the token")
        yield _same(case, "user_id", matrix.user_id, said)
        yield _same(case, "device_id", matrix.device_id, said)
    elif code in ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"):
        remedy = _ANOTHER.format(source=describe_source(case.settings, "matrix.access_token"))
        yield fail("matrix.token", "the token is not valid, or not any more", remedy)
    elif code == "M_LIMIT_EXCEEDED":
        yield warn("matrix.token", "the homeserver asks to slow down", "try again in a minute")
    elif isinstance(code, str):
        text = f"the homeserver refuses the account ({_cleaned(code)})"
        yield fail("matrix.token", text, "ask the homeserver's admin about the bot's account")
    elif answer.status >= 500:
        yield _unreachable(case, f"it answers with HTTP {answer.status}")
    else:
        yield _unreachable(case, "what answers there is no homeserver")


def _same(case: Case, name: str, configured: str, said: Mapping[str, object]) -> Finding:
    """Compare one of the two ids; the wrong device breaks encryption much later and silently."""
    if name not in said:
        text = "the token has no device: encrypted rooms cannot work"
        return warn("matrix.device", text, "log in for a token with a device, or encryption: off")
    actual = _cleaned(str(said[name]))
    check = f"matrix.{name.removesuffix('_id')}"
    if said[name] == configured:
        return ok(check, actual)
    source = describe_source(case.settings, f"matrix.{name}")
    text = f"the token belongs to {actual}, the configuration says {configured}"
    return fail(check, text, f"set matrix.{name} ({source}), or use the other one's token")


def _unreachable(case: Case, reason: str) -> Finding:
    source = describe_source(case.settings, "matrix.homeserver")
    remedy = (
        f"matrix.homeserver ({source}) must be the address of the API, as base_url in "
        "https://SERVER/.well-known/matrix/client; check network and firewall"
    )
    return fail("matrix.reachable", f"the homeserver cannot be asked: {reason}", remedy)


def _cleaned(text: str) -> str:
    """What came from outside, fit for a terminal."""
    return _NOT_AN_ID.sub("?", text)[:255]
