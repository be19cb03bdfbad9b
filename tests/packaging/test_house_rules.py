"""Rules about the tree itself: the import arrow, the demo that can go, no trace of one machine."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("bot", "commands", "storage")


def run(command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `command` in `cwd` with the modules found there, before those of the checkout."""
    env = {**os.environ, "PYTHONPATH": str(cwd)}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the three packages and their settings, to break."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in OURS:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.pyc"))
    return tmp_path


@pytest.mark.parametrize(
    ("module", "wrong"),
    [
        pytest.param("storage/records.py", "import commands.errors", id="storage knows commands"),
        pytest.param("commands/errors.py", "import bot.config", id="commands know the bot"),
        pytest.param("commands/errors.py", "import httpx", id="commands do their own network"),
        pytest.param("bot/web/__init__.py", "import bot.chat.base", id="the web knows a chat"),
        pytest.param("bot/app.py", "import bot.demo", id="the bot needs its demo"),
    ],
)
def test_the_import_rules_catch_that(module: str, wrong: str, copy: Path) -> None:
    with (copy / module).open("a") as file:
        file.write(f"\n{wrong}\n")
    said = run([Path(sys.executable).with_name("lint-imports"), "--no-cache"], copy)
    assert said.returncode == 1, said.stdout + said.stderr
    assert "BROKEN" in said.stdout


@pytest.mark.parametrize("package", OURS)
def test_every_folder_with_modules_is_a_package(package: str) -> None:
    """Else the import rules do not see into it."""
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert [str(f) for f in folders if not (f / "__init__.py").exists()] == []


def test_without_the_demo_everything_else_still_imports(copy: Path) -> None:
    shutil.rmtree(copy / "bot" / "demo")
    script = Path(__file__).with_name("import_everything.py")
    said = run([sys.executable, script], copy)
    assert said.returncode == 0, said.stderr
    gone = run([sys.executable, "-c", "import bot.demo"], copy)
    assert "No module named 'bot.demo'" in gone.stderr


def test_no_file_names_a_path_of_one_machine_or_a_package_registry() -> None:
    traces = re.compile(
        r"/(?:root|work)/|(?:pypi|npmjs|pythonhosted)\.(?:org|com)|deb\.debian\.org|-{2}index-url"
    )
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    found = {
        str(path.relative_to(ROOT)): match.group()
        for path in files
        if path.is_file() and (match := traces.search(path.read_text(errors="replace")))
    }
    assert len(files) > 20
    assert found == {}


def test_make_says_in_words_that_python_is_too_old(tmp_path: Path) -> None:
    said = run(["make", "-C", ROOT, "PYTHON=false", f"VENV={tmp_path / 'none'}", "demo"], tmp_path)
    assert said.returncode != 0
    assert "bbb-bot needs Python 3.11 or newer" in said.stderr
    assert not (tmp_path / "none").exists()
