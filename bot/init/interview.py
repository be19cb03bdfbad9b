"""The five questions, in order: asked in a terminal, or answered by a file."""

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from bot.init import accounts
from bot.init.answers import Answers, Matrix, RocketChat
from bot.init.paste import is_rest_of_paste, read_paste
from bot.init.refusal import Holding, Refused
from bot.init.surroundings import language_of, zone_here
from bot.init.terminal import Terminal
from bot.init.trials import Trials

Result = TypeVar("Result")

WELCOME = (
    "Five questions; each answer is tried at once. Secrets are not shown while you type.\n"
    "Ctrl-C ends it, and nothing is written before the end."
)
VIDEO = (
    "\n1. BigBlueButton. Run `sudo bbb-conf --secret` on its server and paste all that it prints\n"
    "   (or type the URL, Enter, the secret, Enter). It is not shown.\n   > "
)
SECRET = "   The secret that belongs to it: "  # noqa: S105  (a question)
URL = "   The URL that belongs to it: "
CHATS = (
    "\n2. The chat: a Rocket.Chat workspace, such as https://chat.example.org; a Matrix\n"
    "   homeserver, such as example.org; or both, with a space between. Of a homeserver the name,\n"
    "   or the address of its API.\n   > "
)
PUBLIC_URL = (
    "\n4. The public address of the join pages, as people's browsers will reach the bot,\n"
    "   such as https://meet.example.org.\n   > "
)
ADMINS = (
    "\n5. Who may use `!bbb admin` and hears of trouble: {whom}, with commas between.\n"
    "   Enter for nobody.\n   > "
)


KEEP = "   Another answer, or Enter to keep this one."
AGAIN = "   Please try again."


def interview(terminal: Terminal, trials: Trials, env: Mapping[str, str]) -> Answers:
    """Ask until each answer holds. Raises NoMoreAnswers."""
    terminal.say(WELCOME)
    video = _ask(terminal, _ask_for_video, lambda text: trials.video(*_url_and_secret(text)))
    terminal.say(f"   {video.url}, with a secret of {len(video.secret)} characters.")
    chats = _ask(terminal, _ask_for_chats, trials.chats)
    matrix = rocketchat = None
    if homeserver := chats.homeserver:
        terminal.say(f"   Matrix: {homeserver}")
        account = _ask(
            terminal,
            lambda one, _: one.ask(accounts.MATRIX, hidden=True),
            lambda text: accounts.account(terminal, trials, homeserver, text),
        )
        terminal.say(f"   {account.user_id} on its device {account.device_id}.")
        matrix = Matrix(homeserver, account)
    if workspace := chats.workspace:
        terminal.say(f"   Rocket.Chat: {workspace}")
        member = _ask(
            terminal,
            lambda one, _: one.ask(accounts.ROCKETCHAT, hidden=True),
            lambda text: accounts.member(terminal, trials, workspace, text),
        )
        terminal.say(f"   {member.username}, whose id is {member.user_id}.")
        rocketchat = RocketChat(workspace, member)
    public_url = _ask(terminal, lambda one, _: one.ask(PUBLIC_URL), trials.public_url)
    terminal.say(f"   {public_url}")
    admins = _ask(
        terminal,
        lambda one, _: one.ask(ADMINS.format(whom=accounts.whom(chats))),
        lambda text: accounts.admins(trials, matrix, rocketchat, text),
    )
    names = ", ".join([*admins.matrix, *admins.rocketchat.values()])
    language, zone = language_of(env), zone_here()
    terminal.say(f"   {names or 'Nobody.'}")
    terminal.say(f"\nTaken from this machine: language {language}, time zone {zone}.")
    return Answers(video, matrix, rocketchat, public_url, admins, language, zone)


def settle(
    given: Mapping[str, str], trials: Trials, env: Mapping[str, str], *, anyway: bool
) -> Answers:
    """The same from a file; `anyway` keeps what could not be reached. Raises NotWritten."""
    hold = Holding(anyway)
    video = hold("bbb_url, bbb_secret", lambda: trials.video(given["bbb_url"], given["bbb_secret"]))
    matrix = accounts.matrix_of(given, trials, hold)
    rocketchat = accounts.rocketchat_of(given, trials, hold)
    public_url = hold("public_url", lambda: trials.public_url(given["public_url"]))
    people = given.get("admins", "")
    admins = hold("admins", lambda: accounts.admins(trials, matrix, rocketchat, people))
    return Answers(video, matrix, rocketchat, public_url, admins, language_of(env), zone_here())


def _ask(
    terminal: Terminal, ask: Callable[[Terminal, bool], str], trial: Callable[[str], Result]
) -> Result:
    """Until an answer holds; `ask` is told whether an empty one is, since it means to keep."""
    kept: object = None
    while True:
        text = ask(terminal, kept is not None)
        if not text.strip() and kept is not None:
            return cast(Result, kept)
        try:
            return trial(text)
        except Refused as refused:
            kept = refused.keep
            terminal.say(f"   That will not do: {refused}.")
            terminal.say(AGAIN if kept is None else KEEP)


def _ask_for_video(terminal: Terminal, may_be_empty: bool) -> str:
    def lacking(text: str) -> str:
        found = read_paste(text)
        if found.whole or (may_be_empty and not text.strip()):
            return ""
        if found.url:
            return SECRET
        return URL if found.secret else "   > "

    return terminal.ask_for_paste(VIDEO, lacking)


def _url_and_secret(text: str) -> tuple[str, str]:
    found = read_paste(text)
    return found.url, found.secret


def _ask_for_chats(terminal: Terminal, _: bool) -> str:
    """Along a pipe, what `bbb-conf` printed after the secret comes before the answer."""
    text = terminal.ask(CHATS)
    while is_rest_of_paste(text):
        text = terminal.ask("")
    return text
