"""What a text of the catalogue looks like once it is said, whatever its arguments. Pure."""

import re
from dataclasses import dataclass

from commands.i18n import Texts

_ARGUMENT = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Expected:
    """A line that is waited for: `shape` for people, `pattern` for the whole first line of it."""

    shape: str
    pattern: re.Pattern[str]

    def matches(self, text: str) -> bool:
        """Whether a message begins with this line."""
        return self.pattern.fullmatch(text.split("\n", 1)[0]) is not None


def expected(texts: Texts, key: str, n: int | None = None) -> Expected:
    """The first line of a text in its language; of its arguments only `n`, the count, is known."""
    line = texts.template(key, n).split("\n", 1)[0].replace("**", "")
    known = {} if n is None else {"n": str(n)}
    names = _ARGUMENT.findall(line)
    literals = _ARGUMENT.sub("\0", line).split("\0")
    shape, pattern = literals[0], re.escape(literals[0])
    for name, literal in zip(names, literals[1:], strict=True):
        shape += known.get(name, "…") + literal
        pattern += (re.escape(known[name]) if name in known else ".+") + re.escape(literal)
    return Expected(shape, re.compile(pattern))
