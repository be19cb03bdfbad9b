"""The path of a key, `bbb.servers[0].secret`, as a tuple and as text."""

import re
from collections.abc import Iterable

KeyPath = tuple[str | int, ...]

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def text_of(path: Iterable[str | int]) -> str:
    """`("bbb", "servers", 0)` -> `bbb.servers[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def path_of(text: str) -> KeyPath:
    """`bbb.servers[0]` -> `("bbb", "servers", 0)`."""
    found = _STEP.finditer(text)
    return tuple(int(match[1]) if match[1] else match[2] for match in found)


def variable_of(path: Iterable[str | int]) -> str:
    """`("bbb", "servers", 0)` -> `BBB_BOT_BBB__SERVERS__0`."""
    return "BBB_BOT_" + "__".join(str(step).upper() for step in path)
