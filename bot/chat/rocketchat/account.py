"""Whose token the configuration holds. A wrong user id is refused like a wrong token."""

from dataclasses import dataclass

from bot.chat.base import ChatMisconfigured
from bot.chat.rocketchat.answers import LoggedOut
from bot.chat.rocketchat.rest import RestApi
from bot.chat.shapes import nested, text


@dataclass(frozen=True, slots=True)
class Owner:
    """The account that a token belongs to."""

    user_id: str
    username: str


async def owner_of(rest: RestApi, token: str) -> Owner | None:
    """As `login` tells, which takes a token too; None for one that is not valid.

    Raises RestError.
    """
    try:
        answer = await rest.post("login", resume=token)
    except LoggedOut:
        return None
    user_id = text(nested(answer, "data", "userId"))
    return Owner(user_id, text(nested(answer, "data", "me", "username")) or "") if user_id else None


async def check(rest: RestApi, user_id: str, token: str) -> None:
    """Whether the token is good, and that of this account.

    Raises ChatMisconfigured; RestError when the workspace cannot be asked, or does not tell.
    """
    try:
        await rest.get("me")
    except LoggedOut:
        owner = await owner_of(rest, token)
    else:
        return
    if owner is None:
        raise ChatMisconfigured(
            "Rocket.Chat does not know the access token (any more), or the account is deactivated. "
            "Make a new personal access token in the bot's account and put it into "
            "rocketchat.access_token."
        )
    raise ChatMisconfigured(
        f"The access token belongs to the user id {owner.user_id} ({owner.username}), the "
        f"configuration says {user_id}. Put the one that goes with the token into "
        "rocketchat.user_id."
    )
