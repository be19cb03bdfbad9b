"""Names that nobody was given by their parents: what breaks chats, pages, XML, logs and terminals.

The table is that of what Rocket.Chat, Matrix, HTML, XML and terminals make of text; the generator
puts its rows together, around, inside and behind each other.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

PINGS = [
    "@all",
    "@here",
    "\\@all",
    "(@all)",
    "@room",
    "@Room",
    "@everyone",
    "@bo:here.example",
    "<@U123>",
    "#general",
    "#ff0000",
    "color:#ff0000",
    "https://matrix.to/#/@bo:here.example",
    "[Bo](https://matrix.to/#/@bo:here.example)",
]
MARKUP = [
    "`@all`",
    "`",
    "```\n@all\n```",
    "[x](https://evil.example)",
    "\\[x\\](https://e.example)",
    "<https://evil.example|x>",
    "https://evil.example/x",
    "evil.example",
    "192.168.0.1",
    "a@evil.example",
    "![x](https://evil.example/x.png)",
    "*x*",
    "_x_",
    "~x~",
    "**x**",
    "# x",
    "> x",
    "- x",
    "1. x",
    "- [ ] x",
    "||x||",
    "<t:1700000000:R>",
    ":skull:",
    ":-)",
    "\\(x\\)",
    "$$y$$",
    "$y$",
    "color:#f00",
    "{topic}",
    "{prefix}",
    "%s",
    "{0.__class__}",
    "!bbb end sure",
    "/me x",
    "&lt;b&gt;",
    "&#64;room",
    "&amp;",
]
HTML = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title><h1>x",
    "</p></main></body>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?xml ?>",
    "<mx-reply>x</mx-reply>",
    "<a href='javascript:alert(1)'>x</a>",
    "javascript:alert(1)",
    '" autofocus onfocus="alert(1)',
    "<b",
    "<",
    ">",
    '"',
    "'",
    "&",
    "<plaintext>",
    "</textarea><script>",
    "<template>",
    "<math><mtext></math>",
]
HIDDEN = [
    "\u202e",
    "\u202a",
    "\u2066",
    "\u2069",
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u061c",
    "\u180e",
    "\u3164",
    "\u115f",
    "\u034f",
    "\U000e0041",
]
CONTROLS = [
    "\0",
    "\x07",
    "\x08",
    "\x0b",
    "\x0c",
    "\x1b[31m",
    "\x1b]0;x\x07",
    "\x7f",
    "\x80",
    "\x85",
    "\x9b31m",
    "\x9d0;x\x9c",
    "\ud800",
    "\udfff",
    "\ud83d",
    "\ufffe",
    "\uffff",
    "\U0001ffff",
    "\ue000",
]
LINES = ["\n", "\r", "\r\n", "\u2028", "\u2029", "\n# x", "\nERROR bot  forged line", "\t"]
SCRIPTS = [
    "עידו",
    "نور",
    "李小龙",
    "Åse",
    "A\u030asa",
    "e\u200b\u0301",
    "ﷺ" * 9,
    "Z" + "\u0300" * 40,
    "👨\u200d👩\u200d👧\u200d👦",
    "🏳\ufe0f\u200d🌈",
    "🇺🇳",
    "𝕬𝖓𝖆",
    "İ",
    "ﬀ",
    "²",
]
LONG = ["x" * 300, "👨\u200d👩\u200d👧" * 90, "@room " * 60, "<b>" * 100, "\u202e" * 200]

KEPT = ["👨\u200d👩\u200d👧\u200d👦", "🏳\ufe0f\u200d🌈", "עידו", "نور", "李小龙", "Ana (she/her)"]
"""What is a name, and stays."""

ROWS = [*PINGS, *MARKUP, *HTML, *HIDDEN, *CONTROLS, *LINES, *SCRIPTS, *LONG, "x" * 70_000, ""]


def names(seed: int, amount: int) -> Iterator[str]:
    """Every row, alone and inside a decent name, then combinations until there are `amount`."""
    chance = random.Random(seed)
    given = [*ROWS, *(f"Ana {row} Martin" for row in ROWS)]
    yield from given[:amount]
    short = [row for row in ROWS if len(row) < 1_000]
    for _ in range(amount - len(given)):
        yield "".join(_piece(chance, short) for _ in range(chance.randint(1, 6)))


def _piece(chance: random.Random, rows: list[str]) -> str:
    kind = chance.random()
    if kind < 0.7:
        return chance.choice(rows)
    if kind < 0.85:
        return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randint(1, 8)))
    return "".join(chance.choice("ab <>&\"'`@*_:/\\.") for _ in range(chance.randint(1, 12)))
