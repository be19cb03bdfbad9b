"""Names that nobody had before on the Synapse that all tests share."""

import itertools

_numbers = itertools.count(1)


def fresh(name: str) -> str:
    """`ada` becomes `ada-7`."""
    return f"{name}-{next(_numbers)}"
