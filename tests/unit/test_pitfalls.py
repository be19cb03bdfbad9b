"""The tables of pitfalls: every one has a test, and every test named there exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.matrix.pitfalls import PITFALLS, WANTED, Tests
from tests.rocketchat.pitfalls import GROUPS, TRAPS

ROOT = Path(__file__).parents[2]
ROWS = [
    pytest.param(tests, id=f"{chat}: {pitfall}")
    for chat, tables in {"Matrix": (PITFALLS, WANTED), "Rocket.Chat": (GROUPS, TRAPS)}.items()
    for table in tables
    for pitfall, tests in table.items()
]


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(each.name for each in tree.body if isinstance(each, functions))


@pytest.mark.parametrize("tests", ROWS)
def test_it_has_tests_that_exist(tests: Tests) -> None:
    assert tests
    assert [name for file, name in tests if name not in functions_of(file)] == []


def test_the_test_server_has_all_its_groups() -> None:
    assert [int(group.partition(".")[0]) for group in GROUPS] == list(range(1, 16))


def test_a_name_that_is_no_test_is_found() -> None:
    assert "test_of_nothing" not in functions_of("tests/unit/test_pitfalls.py")
    assert "test_it_has_tests_that_exist" in functions_of("tests/unit/test_pitfalls.py")
