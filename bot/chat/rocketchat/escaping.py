"""Text that Rocket.Chat shows as it is, whatever characters it holds. Pure.

Measured with npm `@rocket.chat/message-parser` 0.31.31 and 0.32.0, all options on:

- A backslash is honoured before `*`, `_`, `~`, `` ` `` and `.` and then not shown, except in bold.
  It does nothing before `[`, `$`, `@`, `:` and the rest; HTML entities are not decoded.
- Everything else falls apart when a WORD JOINER stands beside it: U+2060 is drawn as nothing,
  breaks no line, and is neither a space nor part of a name for the server's own search for
  mentions (`(^|\\s|> ?)@([0-9a-zA-Z-_.]+)`) and addresses (`[A-Za-z]{3,9}://`) in the raw text.
- What may be a domain is taken with all that touches it, and shown with its backslashes when it
  is none. A joiner does not prevent that, a backslash before the dot does.
- Nothing helps against `$...$`, which is a formula where a workspace has that switched on, even
  over several lines: a dollar sign is written as U+FF04, its full-width form.
"""

import re

JOINER = "\u2060"
SPACES = frozenset(" \t")
"""What parts words for the parser; an unbreakable space is a letter to it."""

_PAIRED = "*_~`"
_NEVER_BOLD = frozenset(_PAIRED + "<")
_SIGNS = _PAIRED + "\\$#)+-.:;<=>@|"
_MEANING = re.compile(f"[{re.escape(_SIGNS)}]|(?<=local)host")
_CALLING = re.compile(r"(?<=:)(?=//)|(?=[@#])|(?<=\])(?=\()")
_BROKEN_LINE = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_SURROGATES = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without halves of characters: alone they can be neither sent nor stored."""
    return _SURROGATES.sub("\ufffd", text)


def escaped(text: str) -> str:
    """The text as one line that means nothing: shown as it is, and nobody and nothing is called."""
    return _MEANING.sub(_harmless, _one_line(text))


def emboldened(text: str) -> str:
    """The text in bold; not bold where it holds what only a backslash can take apart."""
    if not text.strip() or _NEVER_BOLD.intersection(text):
        return escaped(text)
    return "*" + escaped(text).replace("\\.", f".{JOINER}") + "*"


def coded(text: str) -> str:
    """Something to type or to copy, as a code span; nobody and nothing is called in it either.

    A span cannot hold a backtick: one stands between two spans.
    """
    inside = _CALLING.sub(JOINER, _one_line(text))
    return "\\`".join(f"`{part}`" if part else "" for part in inside.split("`"))


def bare(text: str) -> str:
    """What somebody typed or copied from a message of ours, without what was put into it."""
    return text.replace(JOINER, "").replace("\uff04", "$")


def _one_line(text: str) -> str:
    return _BROKEN_LINE.sub(" ", storable(text))


def _harmless(match: re.Match[str]) -> str:
    sign = match[0]
    start, end = match.span()
    before, after = match.string[max(start - 1, 0) : start], match.string[end : end + 1]
    if sign == "$":
        return "\uff04"
    if sign in _PAIRED or (sign == "." and after and after not in SPACES):
        return f"\\{sign}"
    if sign == "." and not before.isdigit():
        return sign
    left = "" if before in SPACES else JOINER
    right = "" if after in SPACES else JOINER
    return f"{left}{sign}{right}"
