"""Language and time zone of this machine: what channels begin with."""

from collections.abc import Mapping

import tzlocal

from bot.config import values

LANGUAGES = ("en", "fr", "de")


def language_of(env: Mapping[str, str]) -> str:
    """As the shell has it, where the bot speaks that, else English."""
    named = (env.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    language = next(filter(None, named), "")[:2].lower()
    return language if language in LANGUAGES else LANGUAGES[0]


def zone_here() -> str:
    """The time zone the machine is set to, UTC where it tells none."""
    try:
        return values.zone(tzlocal.get_localzone_name() or "UTC")
    except (LookupError, ValueError):
        return "UTC"
