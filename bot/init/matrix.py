"""What the homeserver says to the answers about it. Each raises NoAnswer where it says nothing."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from bot.config import values
from bot.doctor.asking import Asker, NoAnswer, ask
from bot.doctor.matrix import WHOAMI
from bot.init.answers import Account
from bot.init.refusal import Refused, valid

_LOGIN = "/_matrix/client/v3/login"


async def find_homeserver(asker: Asker, address: str) -> str:
    """The address itself, or the one its `.well-known` names."""
    trouble = NoAnswer("what answers is something else")
    for find in (_itself, _named_by_well_known):
        try:
            found = await find(asker, address)
            said = (await ask(asker, f"{found}/_matrix/client/versions")).fields
            if isinstance(said.get("versions"), list):
                return found
        except NoAnswer as error:
            trouble = error
    raise trouble


async def _itself(_: Asker, address: str) -> str:
    return address


async def _named_by_well_known(asker: Asker, address: str) -> str:
    """See spec.matrix.org, client-server API, server discovery."""
    said = (await ask(asker, f"{address}/.well-known/matrix/client")).fields
    homeserver = said.get("m.homeserver")
    base_url = homeserver.get("base_url") if isinstance(homeserver, dict) else None
    try:
        return values.web_address(str(base_url))
    except ValueError:
        raise NoAnswer("what answers is something else") from None


async def whoami(asker: Asker, homeserver: str, token: str) -> Account:
    answer = await ask(asker, homeserver + WHOAMI, headers=_authorised(token))
    said = answer.fields
    user, device = said.get("user_id"), said.get("device_id")
    if answer.status == 401:
        raise Refused("the homeserver does not know this access token (any more)")
    if answer.status != 200 or not isinstance(user, str):
        raise NoAnswer(f"it answers with HTTP {answer.status}")
    if not isinstance(device, str):
        raise Refused("this token has no device, and encrypted rooms need one: log in for another")
    return Account(valid(values.matrix_id, user), device, token)


async def log_in(asker: Asker, homeserver: str, user_id: str, password: str) -> Account:
    """As a device of its own: to take over one that exists would break its encryption."""
    wish = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user_id},
        "password": password,
        "device_id": f"BBBBOT{secrets.token_hex(3).upper()}",
        "initial_device_display_name": "bbb-bot",
    }
    answer = await ask(asker, homeserver + _LOGIN, method="POST", json=wish)
    said = answer.fields
    token = said.get("access_token")
    if answer.status == 200 and isinstance(token, str):
        return await whoami(asker, homeserver, token)
    match said.get("errcode"):
        case "M_FORBIDDEN":
            raise Refused("the homeserver refuses user or password")
        case "M_LIMIT_EXCEEDED":
            raise Refused("the homeserver saw too many logins: wait a few minutes")
        case "M_UNKNOWN" | "M_UNRECOGNIZED" | "M_INVALID_PARAM":
            why = "the homeserver offers no login with a password: give an access token"
            raise Refused(f"{why} (docs/setup-matrix.md)")
    raise NoAnswer(f"it answers with HTTP {answer.status}")


def known_people(
    homeserver: str, token: str, people: tuple[str, ...]
) -> Callable[[Asker], Awaitable[tuple[str, ...]]]:
    async def trial(asker: Asker) -> tuple[str, ...]:
        for person in people:
            address = f"{homeserver}/_matrix/client/v3/profile/{quote(person, safe='')}"
            answer = await ask(asker, address, headers=_authorised(token))
            if answer.status == 404:
                raise Refused(f"the homeserver knows nobody called {person}", keep=people)
        return people

    return trial


def _authorised(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
