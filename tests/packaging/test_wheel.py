"""The wheel as somebody else gets it: installed outside the checkout (.ci/wheel sets the stage)."""

import importlib.util
import os
import zipfile
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

OURS = ("bot", "commands", "storage")


@pytest.fixture(scope="module")
def names() -> list[str]:
    """The names of the files in the wheel, which WHEEL_UNDER_TEST points to."""
    return zipfile.ZipFile(os.environ["WHEEL_UNDER_TEST"]).namelist()


@pytest.mark.parametrize("package", OURS)
def test_no_other_distribution_installs_our_import_name(package: str) -> None:
    assert packages_distributions()[package] == ["bbb-bot"]


@pytest.mark.parametrize("package", OURS)
def test_the_installed_package_is_imported_not_a_checkout(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    assert Path(spec.origin).parent.parent.name == "site-packages"


def test_the_wheel_holds_our_packages_and_nothing_else(names: list[str]) -> None:
    assert {name.split("/")[0] for name in names} == {
        *OURS,
        f"bbb_bot-{version('bbb-bot')}.dist-info",
    }


@pytest.mark.parametrize("package", OURS)
def test_each_package_says_that_it_is_typed(package: str, names: list[str]) -> None:
    assert f"{package}/py.typed" in names


@pytest.mark.parametrize("kind", [".po", ".html", ".css", ".js", "bot/init/config.yaml.example"])
def test_what_is_not_python_is_in_the_wheel_too(kind: str, names: list[str]) -> None:
    assert [name for name in names if name.endswith(kind)]


def test_the_licence_is_in_the_wheel(names: list[str]) -> None:
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)
