"""Command lines for the fuzzers, and what must hold for each of them.

Lines are made of the grammar's own words, of any text, and of valid lines with damage done.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from hypothesis import strategies as st

from commands.arguments import arguments
from commands.errors import UserError
from commands.grammar import Unclosed, addressed, parse
from commands.handlers.table import COMMANDS
from commands.options import GUESTS, KEYS, MODERATORS, RECORD, read, span
from commands.ports import Policy
from tests.security.permission_table import ROWS

PREFIXES = ("!bbb", "!call")
POLICY = Policy(public_url="https://calls.example.org", prefixes=PREFIXES)
MOST_SECONDS = 0.05
"""CPU for one line."""

VERBS = sorted({verb for spec in COMMANDS.specs for verb in (spec.verb, *spec.aliases)})
FLAGS = sorted({flag for spec in COMMANDS.specs for flag in spec.takes.flags})
VALUES = sorted(
    {*MODERATORS, *GUESTS, *RECORD, "90m", "2h", "1h30", "-1", "999999999999", "٣", "²"}
)
QUOTES = ['"', "“", "”", "„", "«", "»", "'", "`", "‚", "\\"]
TRIGGERS = [*PREFIXES, "/bbb", "//bbb", "!BBB", "@bbb-bot", ""]
SIGNS = [
    "--",
    "—",
    "-",
    ":",
    "=",
    "@",
    "#",
    "!",
    "…",
    ",",
    ";",
    "|",
    "{",
    "}",
    "{topic}",
    "**",
    "$",
]
SPACES = [" ", "\t", "\u00a0", "\u2003", "\n", "\r\n", "\u2028", "\x0b", "\x85", "\u200b", ""]
PEOPLE = ["@bo:here.example", "@bo", "@", "@:", "@bo:", "@@bo", "@bo:here.example,", "@room"]
NAMES = [
    "Team",
    "Plan",
    "my",
    "MY",
    "Board",
    "İ",
    "ß",
    "ﬀ",
    "👨\u200d👩\u200d👧",
    "\u202e",
    "\ud800",
]
WORDS = [*VERBS, *FLAGS, *KEYS, *VALUES, *QUOTES, *SIGNS, *PEOPLE, *NAMES]
VALID = sorted({f"!bbb {row.typed}" for row in ROWS.values()})

_any_text = st.text(st.characters(exclude_categories=()), max_size=80)
_word = st.sampled_from(WORDS) | _any_text
_spaced = st.tuples(_word, st.sampled_from(SPACES)).map("".join)
_option = st.builds(
    lambda dash, key, sign, value: f"{dash}{key}{sign}{value}",
    st.sampled_from(["", "--", "—"]),
    st.sampled_from(sorted(KEYS)) | _any_text,
    st.sampled_from([":", "=", "", ": ", ":“", ':"']),
    st.sampled_from(VALUES) | _any_text,
)
_assembled = st.builds(
    lambda trigger, verb, rest: f"{trigger} {verb} {' '.join(rest)}",
    st.sampled_from(TRIGGERS),
    st.sampled_from(VERBS) | _any_text,
    st.lists(_spaced | _option, max_size=12),
)


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    """A valid line with pieces cut out, put in, and repeated."""
    line = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, len(line)))
        piece = draw(_spaced | st.just(line[start:end] * 3))
        line = line[:start] + piece + line[end:]
    return line


lines = st.one_of(_assembled, _damaged(), _any_text, _any_text.map(lambda text: f"!bbb {text}"))


def examine(text: str, *, direct: bool = False) -> float:
    """Take one message apart as dispatch does; the seconds of CPU that took.

    Raises whatever is no answer to the person who typed it, and OverflowError for a line that
    costs too much.
    """
    seconds = _seconds(text, direct)
    if seconds > MOST_SECONDS:  # a pause of the collector does not come three times
        seconds = min(_seconds(text, direct) for _ in range(3))
    if seconds > MOST_SECONDS:
        raise OverflowError(f"{seconds:.3f} s for one line")
    return seconds


def _seconds(text: str, direct: bool) -> float:
    began = time.thread_time()
    _take_apart(text, direct)
    return time.thread_time() - began


def _take_apart(text: str, direct: bool) -> None:
    line = addressed(text, prefixes=PREFIXES, direct=direct, mentioned=False)
    if line is None:
        return
    span(line)
    with suppress(Unclosed, UserError):
        parsed = parse(line)
        spec = COMMANDS.find(parsed.verb) or COMMANDS.nearest(parsed.verb)
        if spec is not None:
            options = arguments(parsed, spec).options
            read({key: value for key, value in options.items() if key in KEYS}, POLICY)


def dictionary() -> Sequence[str]:
    """Every word of the grammar, for a fuzzer that learns words."""
    return sorted({*WORDS, *TRIGGERS, *SPACES} - {""})
