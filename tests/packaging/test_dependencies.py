"""What the three packages import is what pyproject.toml declares, no less and no more."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("bot", "commands", "storage")
# Needed at run time although no line of ours imports them.
NOT_IMPORTED = {
    "tzdata": "zoneinfo reads it where the system has no zones",
    "python-multipart": "starlette's form parser",
    "pysqlite3": "sqlite-utils takes it instead of the system's SQLite",
}


def canonical(name: str) -> str:
    """Give a distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    """Give the distributions that pyproject.toml wants at run time."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {canonical(re.split(r"[\[<>=~ ]", entry)[0]) for entry in project["dependencies"]}


def imported_modules(source: str) -> set[str]:
    """Give the full names of the modules that `source` imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def imported_distributions() -> set[str]:
    """Give the distributions that our code imports."""
    files = [path for package in OURS for path in (ROOT / package).rglob("*.py")]
    modules = set[str]().union(*(imported_modules(path.read_text()) for path in files))
    top = {name.split(".")[0] for name in modules} - set(sys.stdlib_module_names) - set(OURS)
    distributions = packages_distributions()
    # ruamel is a namespace that several distributions share; only its yaml is ours.
    return {canonical("ruamel.yaml" if t == "ruamel" else distributions[t][0]) for t in top}


def test_everything_imported_is_declared() -> None:
    assert imported_distributions() - declared() == set()


def test_everything_declared_is_imported() -> None:
    assert declared() - imported_distributions() == set(NOT_IMPORTED)
