"""The mention of the bot that a message begins with, taken off. Pure."""

from collections.abc import Iterable


def without_leading(text: str, names: Iterable[str]) -> str | None:
    """What follows a mention at the start of a text ("bot: help" is "help"); None without one."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        head, rest = text[: len(name)], text[len(name) :]
        if head.lower() == name.lower() and (not rest or rest[0] in ":," or rest[0].isspace()):
            return rest.lstrip(" \t").removeprefix(":").removeprefix(",").lstrip(" \t")
    return None
