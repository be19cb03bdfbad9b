"""Checks of what the settings of a Rocket.Chat workspace do to what the bot says and hears."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.chat.rocketchat.answers import RestError, is_unknown_call
from bot.chat.rocketchat.rest import RestApi
from bot.chat.rocketchat.workspace import public_settings
from bot.config import describe_source, values
from bot.doctor.asking import Case
from bot.doctor.finding import Finding, fail, ok, warn
from bot.doctor.rocketchat import asking, cleaned

WORKSPACE = "rocketchat.workspace"
ADDRESS = "rocketchat.address"
THREADS = "rocketchat.threads"
SIZE = "rocketchat.size"
CARDS = "rocketchat.cards"
SLASH = "rocketchat.slash"
ENCRYPTION = "rocketchat.encryption"
FINDS = (ADDRESS, THREADS, SIZE, CARDS, SLASH, ENCRYPTION)

SHORT, TOO_SHORT = 1000, 300
"""Below, help loses lines; a card does not fit."""
_MESSAGES = "Administration > Workspace > Settings > Message"
_SETTINGS = (
    "E2E_Allow_Unencrypted_Messages",
    "E2E_Enable",
    "Message_AllowEditing",
    "Message_AllowUnrecognizedSlashCommand",
    "Message_MaxAllowedSize",
    "Site_Url",
    "Threads_enabled",
)

Told = Mapping[str, Any]
"""Public settings by name; those that this version does not have are missing."""


async def check_workspace(case: Case) -> AsyncIterator[Finding]:
    """One look at the settings, and whether somebody else has our slash commands."""
    rocketchat = case.settings.rocketchat
    if rocketchat is None:
        return
    async with asking(rocketchat) as rest:
        try:
            told = await public_settings(rest, _SETTINGS)
            taken = [
                word for word in slash_words(case.settings.prefixes) if await _taken(rest, word)
            ]
        except RestError as error:
            what = f"its settings could not be asked for: {cleaned(str(error))}"
            yield warn(WORKSPACE, what, "put right what the other checks of rocketchat name")
            return
    yield _judge_address(case, str(told.get("Site_Url") or ""), rocketchat.url)
    yield judge_threads(told)
    yield judge_size(told)
    yield judge_cards(told)
    yield judge_slash(told, case.settings.prefixes, taken)
    yield judge_encryption(told)


def judge_threads(told: Told) -> Finding:
    """Where answers stand."""
    if told.get("Threads_enabled") is False:
        return ok(THREADS, "are off here: answers stand in the channel itself")
    return ok(THREADS, "are on: answers stand in the thread of the question")


def judge_size(told: Told) -> Finding:
    """How long a message may be, in UTF-16 units."""
    size = told.get("Message_MaxAllowedSize", 5000)
    if not isinstance(size, int) or size <= 0:
        return ok(SIZE, "the workspace does not tell how long a message may be")
    what = f"a message may have {size} characters"
    remedy = f"{_MESSAGES}: Maximum Allowed Characters, 5000 by default"
    if size < TOO_SHORT:
        return fail(SIZE, f"{what}: cards do not fit", remedy)
    if size < SHORT:
        return warn(SIZE, f"{what}: long answers lose lines", remedy)
    return ok(SIZE, what)


def judge_cards(told: Told) -> Finding:
    """Whether a card can follow its call: it is edited."""
    if told.get("Message_AllowEditing") is False:
        what = "messages cannot be edited here: a card stays as it was posted"
        return warn(CARDS, what, f"{_MESSAGES}: Allow Message Editing")
    return ok(CARDS, "messages can be edited: cards follow their calls")


def slash_words(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """The slash commands people may try: `bbb` of `!bbb` and of `/bbb`."""
    words = (prefix[1:].lower() for prefix in prefixes if prefix[0] in "!/")
    return tuple(dict.fromkeys(filter(None, words)))


def judge_slash(told: Told, prefixes: tuple[str, ...], taken: list[str]) -> Finding:
    """What becomes of a typed `/bbb`. On mobile it is always sent as a message."""
    words = [f"/{word}" for word in slash_words(prefixes)]
    if not words:
        return ok(SLASH, "no prefix of the configuration has one")
    names, wanted = " and ".join(words), any(prefix.startswith("/") for prefix in prefixes)
    if taken:
        owned = " and ".join(f"/{cleaned(word)}" for word in taken)
        what = f"{owned} belongs to an app of this workspace: here people type {prefixes[0]}"
        remedy = "choose another prefix, or remove that app's command"
    elif told.get("Message_AllowUnrecognizedSlashCommand") is True:
        return ok(SLASH, f"a typed {names} reaches the bot")
    else:
        what = f"a typed {names} does not reach the bot from web and desktop: type {prefixes[0]}"
        remedy = f"{_MESSAGES}: Allow Unrecognized Slash Commands"
    return warn(SLASH, what, remedy) if wanted else ok(SLASH, what)


def judge_encryption(told: Told) -> Finding:
    """What the bot can do in encrypted rooms: it has no keys there."""
    if told.get("E2E_Enable") is not True:
        return ok(ENCRYPTION, "there are no encrypted rooms here")
    if told.get("E2E_Allow_Unencrypted_Messages") is True:
        return ok(ENCRYPTION, "in encrypted rooms the bot reads only what is not encrypted")
    return ok(ENCRYPTION, "the bot can neither read nor write in encrypted rooms")


def _judge_address(case: Case, site: str, ours: str) -> Finding:
    """Links into the chat lead to the workspace's own idea of its address."""
    try:
        theirs = values.web_address(site)
    except ValueError:
        return ok(ADDRESS, "the workspace does not tell its own address")
    if theirs == ours:
        return ok(ADDRESS, "is the one the workspace knows itself by")
    source = describe_source(case.settings, "rocketchat.url")
    what = f"the workspace calls itself {cleaned(theirs)}, the configuration says {ours}"
    remedy = f"set rocketchat.url ({source}) to that, or Site URL under Administration > General"
    return warn(ADDRESS, what, remedy)


async def _taken(rest: RestApi, word: str) -> bool:
    """Whether an app, or Rocket.Chat, has this slash command; 400 is said of an unknown one."""
    try:
        return bool((await rest.get("commands.get", command=word)).get("command"))
    except RestError as error:
        if error.status == 400 or is_unknown_call(error):
            return False
        raise
