"""Text that Rocket.Chat shows as it is, whatever characters it holds. Pure.

Measured with npm `@rocket.chat/message-parser` 0.31.31 and 0.32.0, all options on:

- A backslash is honoured before `*`, `_`, `~` and `` ` `` and not shown. It does nothing before
  `[`, `$`, `@`, `:` and the rest, and HTML entities are not decoded.
- Everything else falls apart when a WORD JOINER stands inside it: U+2060 is drawn as nothing,
  breaks no line, and is neither a space nor a letter for the server's own search for mentions
  (`(^|\\s|> ?)@([0-9a-zA-Z-_.]+...)`) and addresses (`([A-Za-z]{3,9})://...`) in the raw text.
- Nothing helps against `$...$`, which is a formula where a workspace has that switched on, even
  over several lines: a dollar sign is written as U+FF04, its full-width form.
"""

import re

JOINER = "\u2060"

_CALLING = re.compile(r"(?<=:)(?=//)|(?=[@#])")
_PAIRED = re.compile(r"[*_~`]")
_MEANING = re.compile(r"localhost|[\\*_~`$!#()+\-./:;<=>@\[\]|]")
_BROKEN_LINE = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_SURROGATES = re.compile("[\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without halves of characters: alone they can be neither sent nor stored."""
    return _SURROGATES.sub("\ufffd", text)


def escaped(text: str) -> str:
    """The text as one line that means nothing: shown as it is, and nobody and nothing is called."""
    return _MEANING.sub(_harmless, _BROKEN_LINE.sub(" ", storable(text)))


def _harmless(match: re.Match[str]) -> str:
    sign = match[0]
    if sign == "$":
        return "\uff04"
    if sign == "localhost":
        return f"local{JOINER}host"
    if _PAIRED.match(sign):
        return f"\\{sign}"
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    left = "" if before.isspace() else JOINER
    right = "" if after.isspace() else JOINER
    return f"{left}{sign}{right}"


def coded(text: str) -> str:
    """Something to type or to copy, as a code span; nobody and nothing is called in it either.

    A span cannot hold a backtick: one stands between two spans.
    """
    inside = _CALLING.sub(JOINER, _BROKEN_LINE.sub(" ", storable(text)))
    return "\\`".join(f"`{part}`" if part else "" for part in inside.split("`"))


def bare(text: str) -> str:
    """What somebody typed or copied from a message of ours, without what was put into it."""
    return text.replace(JOINER, "").replace("\uff04", "$")
