"""README and docs say what the code says: commands, options, links, targets, metrics."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from prometheus_client.parser import text_string_to_metric_families

from bot import cli
from bot.doctor import CHECKS
from bot.metrics import Metrics
from commands.handlers.table import COMMANDS
from commands.options import KEYS
from commands.permissions import Right
from commands.spec import Spec

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_in(text: str) -> Iterator[str]:
    """Everything that stands between backticks or in a block, a line each."""
    without_blocks = re.sub(r"(?ms)^```.*?^```", "", text)
    yield from (found.replace("\n", " ") for found in re.findall(r"`([^`]+)`", without_blocks))
    for block in re.findall(r"(?ms)^```\n(.*?)^```", text):
        yield from block.splitlines()
    yield from re.findall(r"(?m)^ {4,}(.+)$", text)


def sections() -> dict[str, str]:
    """The part of the page about each command."""
    parts = re.split(r"(?m)^#{2,3} (.+)$", PAGE)[1:]
    titled = dict(zip(parts[::2], parts[1::2], strict=True))
    return {title.strip("`"): text for title, text in titled.items() if title.startswith("`")}


# --- commands ------------------------------------------------------------------------------------


def test_the_page_has_a_section_for_every_command_and_no_other() -> None:
    assert sorted(sections()) == sorted(spec.verb for spec in COMMANDS.specs)


@pytest.mark.parametrize("spec", COMMANDS.specs, ids=lambda spec: spec.verb)
def test_the_page_tells_how_to_type(spec: Spec) -> None:
    first = next(line.strip() for line in sections()[spec.verb].splitlines() if line.strip())
    assert first == f"!bbb {spec.usage}"


@pytest.mark.parametrize("spec", COMMANDS.specs, ids=lambda spec: spec.verb)
def test_the_page_tells_the_other_verbs_for(spec: Spec) -> None:
    also = re.search(r"(?s)Also: (.*?)\. Who: ", sections()[spec.verb])
    named = re.findall(r"`([^`]+)`", also[1]) if also else []
    assert [{"!bbb": ""}.get(verb, verb) for verb in named] == list(spec.aliases)


@pytest.mark.parametrize("spec", COMMANDS.specs, ids=lambda spec: spec.verb)
def test_the_page_tells_who_may(spec: Spec) -> None:
    who = re.search(r"Who: (.+)", sections()[spec.verb])
    assert who
    assert ("left the channel" in who[1]) == (spec.right is Right.ANYONE)


def test_the_table_has_every_option_and_no_other() -> None:
    table = PAGE.partition("## Options")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"(?m)^\| `([a-z]+)` \|", table)) == sorted(KEYS)


@pytest.mark.parametrize("spec", COMMANDS.specs, ids=lambda spec: spec.verb)
def test_the_page_shows_every_word_with_a_meaning_of(spec: Spec) -> None:
    text = sections()[spec.verb]
    typed = " ".join(code_in(text)).split()
    assert spec.takes.flags <= set(typed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_exists(page: Path) -> None:
    for code in code_in(text_of(page)):
        for line in re.findall(r"!bbb +([^\s`]+)", code):
            assert COMMANDS.find(line), f"!bbb {line}"


# --- links ---------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"(?m)^#+ (.+)$", text_of(page))
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    for goal in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" in goal:
            continue
        name, _, anchor = goal.partition("#")
        there = (page.parent / name) if name else page
        assert there.exists(), goal
        assert not anchor or anchor in anchors(there), goal


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_of_the_docs_is_reached_from_the_readme(page: Path) -> None:
    readme = text_of(ROOT / "README.md")
    assert page.name == "README.md" or f"({page.relative_to(ROOT)})" in readme


# --- make and bbb-bot ----------------------------------------------------------------------------


def subcommands() -> Mapping[str, set[str]]:
    """The subcommands of the program, each with its options."""
    program: Any = typer.main.get_command(cli.app)
    return {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in program.commands.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_named_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):", makefile))
    named = {
        target
        for code in code_in(text_of(page))
        for target in re.findall(r"^make (?!ARGS)([a-z-]+)", code)
    }
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_subcommand_and_option_of_the_program_exists(page: Path) -> None:
    commands = subcommands()
    for code in code_in(text_of(page)):
        for line in re.findall(r"(?:^|[/ ])bbb-bot ([a-z].*)", code):
            name, *rest = line.split()
            if name not in commands and not _is_a_command_line(code):
                continue
            assert name in commands, line
            typed = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
            assert typed <= commands[name] | {"--help"}, line


def _is_a_command_line(code: str) -> bool:
    """Rather than a path, an image or a service of the same name."""
    return re.match(r"(?:\S+/)?bbb-bot ", code) is not None


def test_the_operations_page_names_every_exit_code() -> None:
    table = dict(re.findall(r"(?m)^\| (\d+) \| (.+) \|$", OPERATIONS))
    told = {int(code) for code in re.findall(r"[;:] (\d+) ", _program_says())}
    assert {int(code) for code in table} == told


def _program_says() -> str:
    return (cli.__doc__ or "").partition("Exit codes")[2].replace("\n", " ")


def test_the_operations_page_names_every_check_and_no_other() -> None:
    table = OPERATIONS.partition("### The doctor")[2].partition("\n## ")[0]
    assert re.findall(r"(?m)^\| `([a-z.-]+)` \|", table) == list(CHECKS)


# --- metrics -------------------------------------------------------------------------------------


def test_the_operations_page_names_every_metric_and_no_other() -> None:
    families = text_string_to_metric_families(Metrics().page().decode())
    ours = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if family.name.startswith("bbb_bot_")
    }
    assert set(re.findall(r"(?m)^\| `(bbb_bot_\w+)` \|", OPERATIONS)) == ours


def test_every_action_named_as_an_example_is_logged_somewhere() -> None:
    row = next(line for line in OPERATIONS.splitlines() if line.startswith("| `action` |"))
    sources = "".join(
        path.read_text()
        for package in ("bot", "commands", "storage")
        for path in (ROOT / package).rglob("*.py")
    )
    for action in re.findall(r"`([a-z_]+)`", row)[1:]:
        assert f'"action": "{action}"' in sources, action
