"""The Dockerfile's promises that can be read off it; .ci/image builds it and looks inside."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(r"^USER 10001:10001$", id="it runs without root, under a fixed id"),
        pytest.param(r"--require-hashes -r /src/requirements\.lock", id="it installs by hash"),
        pytest.param(r"PYTHONSAFEPATH=1", id="a folder named bot is never imported by accident"),
        pytest.param(r"^STOPSIGNAL SIGTERM$", id="it is stopped by the signal that drains"),
        pytest.param(r"^VOLUME /data$", id="its data is one volume"),
        pytest.param(r'^HEALTHCHECK .*CMD \["bbb-bot", "healthcheck"\]$', id="it asks itself"),
        pytest.param(r'^ENTRYPOINT \["bbb-bot"\]$', id="it starts the console script"),
    ],
)
def test_the_dockerfile_says(line: str, dockerfile: str) -> None:
    assert re.search(line, dockerfile, re.MULTILINE)


def test_no_certificate_and_no_address_is_built_in(dockerfile: str) -> None:
    assert re.findall(r"://|CERT|index-url|trusted-host", dockerfile) == []


def test_the_label_has_the_version_of_the_project(dockerfile: str) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"ARG VERSION={version}\n" in dockerfile
