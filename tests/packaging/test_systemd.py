"""The systemd unit: what systemd itself says of it, and that it fits what `init` writes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import missing

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "contrib" / "systemd" / "bbb-bot.service"
MOST_EXPOSURE = 18
"""In tenths; 15 was measured with systemd 252. What is left is the network, which it needs."""


def systemd_analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing("systemd-analyze is not there: apt-get install systemd")
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60)


def test_systemd_accepts_every_line(tmp_path: Path) -> None:
    """With a program that exists, and without man pages: verify looks for both."""
    text = UNIT.read_text()
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("/opt/bbb-bot/bin/bbb-bot", sys.executable))
    said = systemd_analyze("verify", "--man=no", copy)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")

    copy.write_text(copy.read_text().replace("ProtectHome=yes", "ProtectHom=yes"))
    assert "ProtectHom" in systemd_analyze("verify", "--man=no", copy).stderr, "verify does look"


def test_systemd_finds_it_closed(tmp_path: Path) -> None:
    threshold = f"--threshold={MOST_EXPOSURE}"
    said = systemd_analyze("security", "--offline=true", "--no-pager", threshold, UNIT)
    assert said.returncode == 0, said.stdout

    open_one = tmp_path / UNIT.name
    open_one.write_text(re.sub(r"(?m)^(Protect|Restrict).*\n", "", UNIT.read_text()))
    said = systemd_analyze("security", "--offline=true", "--no-pager", threshold, open_one)
    assert said.returncode == 1, "the threshold is one"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(r"^RestartPreventExitStatus=78$", id="a wrong configuration is not retried"),
        pytest.param(r"^LoadCredential=config\.yaml:/etc/bbb-bot/config\.yaml$", id="root's file"),
        pytest.param(r"\$\{CREDENTIALS_DIRECTORY\}/config\.yaml$", id="and that is what it reads"),
        pytest.param(r"^StateDirectory=bbb-bot$", id="the data directory is made for it"),
        pytest.param(r"^DynamicUser=yes$", id="no user to make, none to share"),
    ],
)
def test_the_unit_says(line: str) -> None:
    assert re.search(line, UNIT.read_text(), re.MULTILINE)


def test_the_documentation_copies_the_unit_that_is_here() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"contrib/systemd/{UNIT.name}" in page
