"""What can be wrong with a configuration, as lines a person can act on."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value was written: a file and its line (from 1), a variable, a secret file."""

    name: str
    line: int | None = None

    def __str__(self) -> str:
        return self.name if self.line is None else f"{self.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. `key` is empty where no single key is meant; never holds a value."""

    source: Source
    key: str
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.source), self.key, self.text) if part)


class ConfigError(Exception):
    """The bot cannot start with this configuration. The text names every problem, and no secret."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_reading_order))
        super().__init__("\n".join([_headline(len(self.problems)), *map(str, self.problems)]))


def _headline(count: int) -> str:
    things = "one problem" if count == 1 else f"{count} problems"
    return f"The configuration cannot be used ({things}):"


def _reading_order(problem: Problem) -> tuple[str, int]:
    return problem.source.name, problem.source.line or 0
