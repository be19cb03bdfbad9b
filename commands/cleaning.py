"""Text from outside made fit to be shown: names, topics, room names. Pure.

One line, NFC, no controls, no characters that turn or hide text; rule 1 of names everywhere.
"""

import unicodedata

LONGEST_NAME = 64
"""Shown characters of a name or a topic."""

_ZWJ = "\u200d"
_EMOJI_STYLE = "\ufe0f"

# Drawn as nothing although Unicode calls them letters, marks or symbols: joiners and fillers.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")

# Controls, surrogates, unassigned, private; Cf are the characters that turn, hide and join text.
_UNWANTED = frozenset({"Cc", "Cs", "Cn", "Co", "Cf"})


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """The text as it may be shown and sent on; "" when nothing visible is left."""
    spaced = "".join(" " if char.isspace() else char for char in text)
    kept = "".join(char for char in spaced if char == _ZWJ or not _is_unwanted(char))
    normal = unicodedata.normalize("NFC", _joined_emoji_only(kept))
    one_line = " ".join(normal.split())
    return _cut(one_line, longest) if any(_is_visible(char) for char in one_line) else ""


def _is_unwanted(char: str) -> bool:
    return unicodedata.category(char) in _UNWANTED or char in _BLANK


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "CZM"


def _joined_emoji_only(text: str) -> str:
    """Keep the zero-width joiner between symbols (family emoji); elsewhere it only hides."""
    return "".join(
        char
        for i, char in enumerate(text)
        if char != _ZWJ or (_ends_emoji(text[i - 1 : i]) and _is_symbol(text[i + 1 : i + 2]))
    )


def _ends_emoji(char: str) -> bool:
    return char == _EMOJI_STYLE or _is_symbol(char)


def _is_symbol(char: str) -> bool:
    return bool(char) and unicodedata.category(char) in {"So", "Sk"}


def _cut(text: str, longest: int) -> str:
    """At most `longest` characters, the last of them "…" where some are missing."""
    if len(text) <= longest:
        return text
    return text[: longest - 1].rstrip(f" {_ZWJ}") + "…"


def local_part(person_id: str) -> str:
    """What stands for a name when there is none: `ana` of `@ana:example.org`."""
    return person_id.lstrip("@").split(":", 1)[0]
