"""The bot's own account in each chat, and its admins there: by interview, or from a file."""

from collections.abc import Mapping

from bot.init.answers import Account, Admins, Chats, Matrix, Member, RocketChat
from bot.init.refusal import Holding, Refused
from bot.init.rocketchat import CodeWanted
from bot.init.terminal import Terminal
from bot.init.trials import Trials, words_of

MATRIX = (
    "\n3. The bot's own Matrix account. Paste its access token; or type its id, such as\n"
    "   @bbb:example.org, to log in with its password, which is not kept. It is not shown.\n   > "
)
ROCKETCHAT = (
    "\n3. The bot's own Rocket.Chat account. Paste a personal access token of it; or type its\n"
    "   name, such as @bbb, to make one with its password, which is not kept. It is not shown.\n"
    "   > "
)
PASSWORD = "   The password: "  # noqa: S105  (a question)
CODE = "   The code of its second factor: "


def account(terminal: Terminal, trials: Trials, homeserver: str, text: str) -> Account:
    """The one of this token, or of this id and the password asked for. Raises Refused."""
    if not text.startswith("@"):
        return trials.token(homeserver, text)
    return trials.login(homeserver, text, terminal.ask(PASSWORD, hidden=True))


def member(terminal: Terminal, trials: Trials, workspace: str, text: str) -> Member:
    """The one of this token, or of this name and what else is asked for. Raises Refused."""
    if not text.startswith("@"):
        return trials.workspace_token(workspace, text)
    password = terminal.ask(PASSWORD, hidden=True)
    try:
        return trials.workspace_login(workspace, text, password)
    except CodeWanted:
        return trials.workspace_login(workspace, text, password, terminal.ask(CODE))


def matrix_of(given: Mapping[str, str], trials: Trials, hold: Holding) -> Matrix | None:
    """What a file says of Matrix. Raises NotWritten."""
    if "homeserver" not in given:
        return None
    homeserver = hold("homeserver", lambda: trials.homeserver(given["homeserver"]))
    if token := given.get("access_token"):
        return Matrix(homeserver, hold("access_token", lambda: trials.token(homeserver, token)))
    user, password = given["user"], given["password"]
    login = hold("user, password", lambda: trials.login(homeserver, user, password))
    return Matrix(homeserver, login)


def rocketchat_of(given: Mapping[str, str], trials: Trials, hold: Holding) -> RocketChat | None:
    """What a file says of Rocket.Chat. Raises NotWritten."""
    if "rocketchat_url" not in given:
        return None
    url = hold("rocketchat_url", lambda: trials.workspace(given["rocketchat_url"]))
    if token := given.get("rocketchat_token"):
        found = hold("rocketchat_token", lambda: trials.workspace_token(url, token))
        return RocketChat(url, found)
    user, password = given["rocketchat_user"], given["rocketchat_password"]
    code = given.get("rocketchat_code", "")
    login = hold(
        "rocketchat_user, rocketchat_password, rocketchat_code",
        lambda: trials.workspace_login(url, user, password, code),
    )
    return RocketChat(url, login)


def whom(chats: Chats) -> str:
    """What an admin is named by."""
    kinds = {"Matrix ids": chats.homeserver, "Rocket.Chat user names": chats.workspace}
    return " or ".join(kind for kind, there in kinds.items() if there)


def admins(
    trials: Trials, matrix: Matrix | None, rocketchat: RocketChat | None, text: str
) -> Admins:
    """Of both chats in one list, in which a Matrix id is known by its colon. Raises Refused."""
    ids = [word for word in words_of(text) if not rocketchat or ":" in word]
    names = [word for word in words_of(text) if not matrix or ":" not in word]
    found: Mapping[str, str] = {}
    if rocketchat:
        found = trials.workspace_admins(rocketchat.url, rocketchat.account, " ".join(names))
    if not matrix:
        return Admins(rocketchat=found)
    try:
        known = trials.admins(matrix.homeserver, matrix.account.access_token, " ".join(ids))
    except Refused as refused:
        keep = Admins(tuple(ids), found) if refused.keep is not None else None
        raise Refused(str(refused), keep=keep) from None
    return Admins(known, found)
