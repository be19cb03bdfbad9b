"""Hostile names where our messages put them, and the messages."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from bot.chat.rocketchat.rendering import body_of
from commands.messages import Address, Code, Document, Mention, Text
from storage.records import Person
from tests.security.hostile_names import ROWS, names

ANA = Person("rocketchat", "u1")
LINK = "https://calls.example.org/j/0123_-6789_bcdefghijk-"
LONGEST = 300
"""Characters; a name that people see has 64, and the parser's time grows faster than its text."""

EMOTICONS = r"""
*\0/* *\O/* \0/ \O/ -_- -__- -___- :'-) ':-) ':-D >:-) ':-( >:-( :'-( O:-) 0:-3 0:-) 0;^) O;-) 0;-)
O:-3 :-Þ </3 :') :-D ':) '=) ':D '=D >:) >;) >=) ;-) *-) ;-] ;^) ':( '=( :-* :^* >:P X-P >:[ :-( :-[
>:( :'( ;-( >.< #-) %-) X-) 0:3 0:) O:) O=) O:3 B-) 8-) B-D 8-D >:\ >:/ :-/ :-. :-P :Þ :-b :-O O_O
>:O :-X :-# :-) (y) <3 =D ;) *) ;] ;D :* =* :( :[ =( :@ ;( D: :$ =$ #) %) X) B) 8) :/ :\ =/ =\ :L =L
:P =P :b :O :X :# =X =# :) =] =) :] :D
""".split()
"""All that the parser takes for one."""

MORE = [
    *EMOTICONS,
    "localhost", "localhost:3000", "meet.intranet", "//evil.com", "evil.com_x_", "a.b.com/_x_",
    "ftp://a:b@evil.com", "mailto:a@evil.com", "a+b@evil.com", "http://[::1]/", "xn--p1ai.com",
    "+49 30 123456", "+4930123456", "+1-555-0100", "tel:+4930123456",
    "<t:1700000000>", "<t:2025-07-22T10:00:00.000Z:R>", "<t:10:00:t>", "<evil.com|click>",
    "[x]", "](", "](https://evil.com)", "[x] [y](https://evil.com)", "![](https://evil.com)",
    "||", "|x|", "| a | b |", "| - | - |", "---", "***", "___", "- - -", "+ x", "10. x", "* x",
    "$", "$$", "$x", "\\[x\\]", "\\$x\\$", "\\\\", "\\", "\\*", "\\_x\\_", "**", "__", "~~", "````",
    "_x_1", "é_a_b_1", "snake_case_name", "a_b", "#1", "##", "@@all", "@", "#", ":", "::", ":x",
    "x:y:z", ">", ">>x", "> @all", "é@all", "&#64;all", "\u00a0@all", "\ufeff@all", "\u3000@all",
    ".\u00a0_x_", "a.\u00a0*x*",
]  # fmt: skip
"""What only Rocket.Chat makes something of."""

SHORT = [row for row in [*MORE, *ROWS] if len(row) <= LONGEST]


def hostile(seed: int, amount: int) -> Iterator[str]:
    """The rows, alone and inside a decent name, and combinations of them."""
    chance = random.Random(seed)
    yield from MORE
    for name in names(seed, amount):
        if len(name) <= LONGEST:
            yield name
            yield "".join(chance.choice([*MORE, name]) for _ in range(chance.randint(1, 3)))


def around(name: str) -> Document:
    """Where our messages put names: in front, within, in bold, beside signs, after an `@`."""
    text = Text(name)
    return Document(
        (
            (text,),
            (Text("Hello "), text, Text(" there.")),
            (Text("📹 "), Text(name, bold=True), Text(" – opened by "), Mention(ANA, name)),
            (text, Text(", "), text, Text(" and "), text, Text(".")),
            (Text("No “"), text, Text("” ("), text, Text("): "), Address(LINK, ""), Text(" – ok")),
            (Text("@"), text),
            (Text("• "), Text(name, bold=True), Text(" – "), Address(LINK, "")),
            (Text("#"), text, Text("3 "), Code(name)),
            (Text("a"), text, Text("b ["), Code(name)),
            (text,),
        )
    )


def messages(documents: Sequence[Document]) -> list[str]:
    return [body_of(document, {}, max_size=1_000_000).msg for document in documents]
