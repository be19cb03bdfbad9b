"""Tools that some suites need: found, or the test skips saying why; in CI a missing tool fails."""

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import Never

import pytest

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def missing(reason: str) -> Never:
    """Skip the test with `reason`; with BBB_BOT_REQUIRE_TOOLS=1 in the environment fail it."""
    if os.environ.get("BBB_BOT_REQUIRE_TOOLS") == "1":
        pytest.fail(f"required here, but {reason}", pytrace=False)
    pytest.skip(reason)


def require_module(name: str, remedy: str) -> None:
    """Go on only when the module `name` can be imported."""
    if importlib.util.find_spec(name) is None:
        missing(f"the Python module {name} is not installed: {remedy}")


def require_synapse() -> None:
    """Go on only when Synapse can be started from its Python package."""
    require_module("synapse", "make .venv/.stamp-dev")


def require_chromium() -> str:
    """Give the path of a Chromium for Playwright; BBB_BOT_CHROMIUM may name another one."""
    require_module("playwright", "make .venv/.stamp-dev")
    names = (os.environ.get("BBB_BOT_CHROMIUM", ""), *CHROMIUM_NAMES)
    found = (shutil.which(name) for name in names if name)
    return next((path for path in found if path), None) or missing(
        "no Chromium is on the PATH: apt-get install chromium"
    )


def require_element() -> None:
    """Go on only when Element's crypto engine is installed as tests/matrix/element locks it."""
    _require_npm("matrix/element", "Element's crypto engine is")


def require_rocketchat_node() -> None:
    """Go on only when Rocket.Chat's own parser and client are installed as locked."""
    _require_npm("rocketchat/node", "Rocket.Chat's message parser and realtime client are")


def _require_npm(folder: str, what: str) -> None:
    here = Path(__file__).parent / folder
    installed = _locked(here / "node_modules" / ".package-lock.json")
    if installed != _locked(here / "package-lock.json"):
        missing(f"{what} not installed as locked: make npm (needs npm)")


def _locked(file: Path) -> dict[str, str]:
    """Versions by package of a lock file; {} when there is none."""
    packages = json.loads(file.read_text())["packages"] if file.exists() else {}
    return {name: package["version"] for name, package in packages.items() if name}
