"""The demo on a Synapse that it starts itself."""

import importlib.util
import io
import tomllib
from pathlib import Path

import pytest
from rich.console import Console

from bot.demo.matrix import play
from bot.demo.synapse import PACKAGE
from commands.i18n import texts
from tests.requirements import require_synapse


async def toured() -> tuple[int, str]:
    """The tour's exit code on Matrix, and all it printed."""
    printed = io.StringIO()
    code = await play(Console(file=printed, width=80), texts("en"), tour=True, port=0)
    return code, printed.getvalue()


@pytest.mark.synapse
async def test_the_same_story_ends_well_on_matrix() -> None:
    require_synapse()
    code, printed = await toured()
    assert code == 0, printed
    assert "team  bbb-bot (edited): 📹 team – 2 people in the call" in printed
    assert "Alice Martin, direct  bbb-bot: Your personal link to team: http://" in printed
    assert "Tour complete: 11 steps" in printed


async def test_without_synapse_one_sentence_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    code, printed = await toured()
    assert code == 1
    said = "".join(printed.split())
    assert "Synapseisnotinstalled:" in said
    assert said.endswith("-mpipinstall'matrix-synapse>=1.163'")


def test_the_hint_names_what_the_extra_installs() -> None:
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert pyproject["project"]["optional-dependencies"]["demo-matrix"] == [PACKAGE]
