"""The command line itself: what it says of itself, and of words it cannot take."""

from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from bot.cli import app


def test_it_says_its_version() -> None:
    result = CliRunner().invoke(app, ["--version"])

    assert (result.exit_code, result.output) == (0, f"bbb-bot {version('bbb-bot')}\n")


@pytest.mark.parametrize("command", ["demo", "simulate-bbb --secret canary"])
def test_a_port_that_cannot_be_is_wrong_usage(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--port", "70000"])

    assert result.exit_code == 2
    assert "65535" in result.output
