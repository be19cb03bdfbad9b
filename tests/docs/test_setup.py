"""The set-up pages: ten steps at most, and what they say the doctor prints, it can print."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.doctor.examination import names

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MATRIX, ROCKETCHAT = DOCS / "setup-matrix.md", DOCS / "setup-rocketchat.md"
PAGES = [MATRIX, ROCKETCHAT, DOCS / "getting-started.md"]

LINE = re.compile(r"(?m)^ +ok    (\S+) +(.+)$")
ONLY_VALUES = {"sqlite", "matrix.user", "matrix.device"} | {
    f"rocketchat.{name}" for name in ("user", "version", "roles")
}
"""What the doctor says nothing of but a name or a number."""

SAID_OF_TROUBLE_ONLY = {"rocketchat.workspace"}

CLAIM = "6.x to 9.0, checked against frames recorded from 6.14 and the published schemas of 8.8.1"


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def lines() -> list[tuple[str, str, str]]:
    return [(page.name, *line) for page in PAGES for line in LINE.findall(text_of(page))]


@cache
def sentences() -> list[re.Pattern[str]]:
    """All that the doctor's code can say, with `.+` where something is put in."""
    trees = [ast.parse(text_of(source)) for source in (ROOT / "bot" / "doctor").glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return [re.compile(pattern) for pattern in _patterns(nodes) if re.search("[a-z]{4}", pattern)]


def _patterns(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.escape(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                re.escape(part.value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
                else ".+"
                for part in node.values
            )


@pytest.mark.parametrize(("page", "check", "said"), lines())
def test_the_doctor_says(page: str, check: str, said: str) -> None:
    assert check in names()
    assert check in ONLY_VALUES or any(one.fullmatch(said) for one in sentences())


@pytest.mark.parametrize(("page", "platform"), [(MATRIX, "matrix"), (ROCKETCHAT, "rocketchat")])
def test_all_that_the_doctor_says_of_a_chat_stands_on_its_page(page: Path, platform: str) -> None:
    told = {check for check, _ in LINE.findall(text_of(page))}
    found = {name for name in names() if name.startswith(f"{platform}.")}
    assert found - told <= SAID_OF_TROUBLE_ONLY | {"matrix.token"}


@pytest.mark.parametrize("page", [MATRIX, ROCKETCHAT], ids=lambda page: page.stem)
def test_a_set_up_has_ten_steps_at_most(page: Path) -> None:
    steps = [int(number) for number in re.findall(r"(?m)^(\d+)\. ", text_of(page))]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) <= 10


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")])
def test_versions_are_claimed_with_what_they_were_checked_against(page: Path) -> None:
    text = " ".join(text_of(page).replace("(", " ").replace(")", " ").split())
    assert text.count("6.x to 9.0") == text.count(CLAIM)
