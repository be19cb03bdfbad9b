"""What a migration step is, whatever the engine."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the schema: `name` begins with its number, `statements` hold placeholders.

    {bigint}   a whole number of 64 bits
    {serial}   a primary key that counts upwards by itself
    {strict}   stands behind a table: values of a wrong type are refused
    """

    name: str
    statements: tuple[str, ...]

    def sql(self, types: Mapping[str, str]) -> list[str]:
        """The statements in the words of one engine."""
        return [statement.format_map(types) for statement in self.statements]


def in_order(*steps: Step) -> tuple[Step, ...]:
    """The steps as given. Raises ValueError when a number is missing, doubled or out of order."""
    for number, step in enumerate(steps, start=1):
        if not step.name.startswith(f"{number:03} "):
            raise ValueError(f"step {number} is called {step.name!r}")
    return steps
