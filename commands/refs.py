"""The short id that ties a command to its answer, the log, and what was asked of BBB for it."""

import hashlib

from storage.records import Letter

INSTEAD = "/instead"
"""At the end of the id of a letter that takes the place of another."""


def ref_of(command_id: str) -> str:
    """Eight letters and digits, the same for the same command."""
    return hashlib.sha256(command_id.encode()).hexdigest()[:8]


def ref_of_letter(letter: Letter) -> str | None:
    """The command that a letter answers; None for what is said unasked.

    A card is a reply to the message that asked for it; other answers have the command in their id.
    """
    if letter.card is not None:
        return ref_of(f"{letter.platform}:{letter.reply_to}") if letter.reply_to else None
    command_id, _, number = letter.id.removesuffix(INSTEAD).rpartition("/")
    return ref_of(command_id) if number.isdecimal() else None
