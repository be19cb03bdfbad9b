"""Values on their way to the settings: each with the path of its key and where it was written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.config.errors import Problem, Source
from bot.config.keypath import KeyPath, text_of
from bot.config.shape import secret_named_by

Value = str | Path | Sequence[str] | Mapping[str, str]
"""A scalar as text; a list of scalars; the file that holds a secret; an empty section."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value as it was written; a `Path` is a secret file still to be read."""

    value: Value
    source: Source


Leaves = dict[KeyPath, Leaf]


def with_secret_files(leaves: Leaves, base: Path) -> tuple[Leaves, list[Problem]]:
    """Turn every `KEY_file` of a secret `KEY` into `KEY`; relative names start from `base`."""
    done: Leaves = {}
    problems = []
    for path, leaf in leaves.items():
        secret = secret_named_by(path)
        if secret is None or not isinstance(leaf.value, str):
            done[path] = leaf
        elif secret in leaves:
            text = f"give either this or {text_of(secret)}, not both"
            problems.append(Problem(leaf.source, text_of(path), text))
        else:
            done[secret] = Leaf(base / Path(leaf.value).expanduser(), leaf.source)
    return done, problems


def gaps(leaves: Leaves) -> list[Problem]:
    """One problem for each item of a list that has no item before it (`…__SERVERS__1__…` alone)."""
    items = {path[: at + 1]: leaf for path, leaf in leaves.items() for at in _item_steps(path)}
    return [
        Problem(leaf.source, text_of(path), f"needs {text_of(before)} before it")
        for path, leaf in items.items()
        if (before := _item_before(path)) and before not in items
    ]


def _item_steps(path: KeyPath) -> list[int]:
    return [at for at, step in enumerate(path) if isinstance(step, int)]


def _item_before(item: KeyPath) -> KeyPath | None:
    *parents, number = item
    return (*parents, number - 1) if isinstance(number, int) and number > 0 else None


def nested(leaves: Leaves) -> dict[str, object]:
    """The values as the settings classes take them: sections in sections, items in lists."""
    tree: dict[str | int, object] = {}
    for path in sorted(leaves, key=len):
        _put(tree, path, leaves[path].value)
    return {str(name): _with_lists(value) for name, value in tree.items()}


def _put(tree: dict[str | int, object], path: KeyPath, value: Value) -> None:
    """Set the value at `path`; a scalar in the way stays, and is complained about later."""
    here = tree
    for step in path[:-1]:
        below = here.setdefault(step, {})
        if not isinstance(below, dict):
            return
        here = below
    here[path[-1]] = dict(value) if isinstance(value, Mapping) else value


def _with_lists(value: object) -> object:
    if not isinstance(value, dict):
        return value
    inner = {step: _with_lists(below) for step, below in value.items()}
    if inner and all(isinstance(step, int) for step in inner):
        return [inner[step] for step in sorted(inner)]
    return inner
