"""Checks whether the homeserver slows the bot down, without a word that anybody could see.

An account whose limits Synapse lifted (`override_ratelimit` with 0 messages a second) passes all
its limiters, not only that of messages (Synapse 1.163, api/ratelimiting.py, can_do_action; a test
measures it). The tightest is that of presence, one change in ten seconds, and it counts a request
before it looks into it. So two requests that say nothing tell: the second is refused with 429, or
like the first with 400.
"""

from collections.abc import AsyncIterator
from urllib.parse import quote

from bot.config import Matrix
from bot.doctor.asking import Case, NoAnswer, ask
from bot.doctor.finding import Finding, ok, warn

LIMITS = "matrix.limits"
_SLOW = (
    "the homeserver limits this account: after ten messages at once, about one in five seconds; "
    "nothing is lost, but answers wait"
)


async def check_limits(case: Case) -> AsyncIterator[Finding]:
    """Two empty changes of presence, which change nothing."""
    matrix = case.settings.matrix
    if matrix is None:
        return
    try:
        statuses = [await _say_nothing(case, matrix) for _ in range(2)]
    except NoAnswer as trouble:
        text = f"could not be measured: {trouble}"
        yield warn(LIMITS, text, "run this again once the homeserver answers")
        return
    if 429 in statuses:
        yield warn(LIMITS, _SLOW, remedy(matrix))
    elif statuses == [400, 400]:
        yield ok(LIMITS, "the homeserver does not slow this account down")
    else:
        text = f"could not be measured: the homeserver answers with HTTP {statuses[-1]}"
        yield warn(LIMITS, text, "put right what the checks of matrix name, then run this again")


def remedy(matrix: Matrix) -> str:
    """The command for an admin of the homeserver; the token in it is theirs to put there."""
    address = (
        f"{matrix.homeserver}/_synapse/admin/v1/users/{quote(matrix.user_id, safe='@:')}"
        "/override_ratelimit"
    )
    return (
        "on Synapse an admin lifts it, with an admin's token in $ADMIN_TOKEN: "
        'curl -X POST -H "Authorization: Bearer $ADMIN_TOKEN" '
        '-d \'{"messages_per_second": 0, "burst_count": 0}\' '
        f"'{address}'"
    )


async def _say_nothing(case: Case, matrix: Matrix) -> int:
    """The status of a change of presence that names none. Raises NoAnswer."""
    path = f"/_matrix/client/v3/presence/{quote(matrix.user_id, safe='')}/status"
    token = matrix.access_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"}
    answer = await ask(case, matrix.homeserver + path, method="PUT", headers=headers, json={})
    return answer.status
