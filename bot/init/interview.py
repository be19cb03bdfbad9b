"""The five questions, in order: asked in a terminal, or answered by a file."""

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from bot.init.answers import Account, Answers
from bot.init.paste import is_rest_of_paste, read_paste
from bot.init.refusal import Refused
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
HOMESERVER = (
    "\n2. The Matrix homeserver: its name, such as example.org, or the address of its API.\n   > "
)
ACCOUNT = (
    "\n3. The bot's own Matrix account. Paste its access token; or type its id, such as\n"
    "   @bbb:example.org, to log in with its password, which is not kept. It is not shown.\n   > "
)
PASSWORD = "   The password: "  # noqa: S105  (a question)
PUBLIC_URL = (
    "\n4. The public address of the join pages, as people's browsers will reach the bot,\n"
    "   such as https://meet.example.org.\n   > "
)
ADMINS = (
    "\n5. Who may use `!bbb admin` and hears of trouble: Matrix ids, with commas between.\n"
    "   Enter for nobody.\n   > "
)


KEEP = "   Another answer, or Enter to keep this one."
AGAIN = "   Please try again."


class NotWritten(Exception):
    """An answer of the file will not do; the text says which and why."""


def interview(terminal: Terminal, trials: Trials, env: Mapping[str, str]) -> Answers:
    """Ask until each answer holds. Raises NoMoreAnswers."""
    terminal.say(WELCOME)
    video = _ask(terminal, _ask_for_video, lambda text: trials.video(*_url_and_secret(text)))
    terminal.say(f"   {video.url}, with a secret of {len(video.secret)} characters.")
    homeserver = _ask(terminal, _ask_for_homeserver, trials.homeserver)
    terminal.say(f"   {homeserver}")
    account = _ask(
        terminal,
        lambda one, _: one.ask(ACCOUNT, hidden=True),
        lambda text: _account(terminal, trials, homeserver, text),
    )
    terminal.say(f"   {account.user_id} on its device {account.device_id}.")
    public_url = _ask(terminal, lambda one, _: one.ask(PUBLIC_URL), trials.public_url)
    terminal.say(f"   {public_url}")
    admins = _ask(
        terminal,
        lambda one, _: one.ask(ADMINS),
        lambda text: trials.admins(homeserver, account.access_token, text),
    )
    language, zone = language_of(env), zone_here()
    terminal.say(f"   {', '.join(admins) or 'Nobody.'}")
    terminal.say(f"\nTaken from this machine: language {language}, time zone {zone}.")
    return Answers(video, homeserver, account, public_url, admins, language, zone)


def settle(
    given: Mapping[str, str], trials: Trials, env: Mapping[str, str], *, anyway: bool
) -> Answers:
    """The same from a file; `anyway` keeps what could not be reached. Raises NotWritten."""

    def hold(key: str, trial: Callable[[], Result]) -> Result:
        try:
            return trial()
        except Refused as refused:
            if anyway and refused.keep is not None:
                return cast(Result, refused.keep)
            raise NotWritten(f"{key}: {refused}") from None

    video = hold("bbb_url, bbb_secret", lambda: trials.video(given["bbb_url"], given["bbb_secret"]))
    homeserver = hold("homeserver", lambda: trials.homeserver(given["homeserver"]))
    if "access_token" in given:
        account = hold("access_token", lambda: trials.token(homeserver, given["access_token"]))
    else:
        user, password = given["user"], given["password"]
        account = hold("user, password", lambda: trials.login(homeserver, user, password))
    public_url = hold("public_url", lambda: trials.public_url(given["public_url"]))
    token, people = account.access_token, given.get("admins", "")
    admins = hold("admins", lambda: trials.admins(homeserver, token, people))
    return Answers(video, homeserver, account, public_url, admins, language_of(env), zone_here())


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


def _ask_for_homeserver(terminal: Terminal, _: bool) -> str:
    """Along a pipe, what `bbb-conf` printed after the secret comes before the answer."""
    text = terminal.ask(HOMESERVER)
    while is_rest_of_paste(text):
        text = terminal.ask("")
    return text


def _account(terminal: Terminal, trials: Trials, homeserver: str, text: str) -> Account:
    if not text.startswith("@"):
        return trials.token(homeserver, text)
    return trials.login(homeserver, text, terminal.ask(PASSWORD, hidden=True))
