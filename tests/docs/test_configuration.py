"""The example and the page about the configuration say what the code says, key by key."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.config import load
from bot.config.document import Document, read_document
from bot.config.keypath import text_of
from bot.config.shape import FILE, ITEM, Key, general, keys

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.yaml.example").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

KEYS = list(keys().values())
SECRETS = {
    "BBB_BOT_BBB__SERVERS__0__SECRET": "the-secret-of-the-server",
    "BBB_BOT_MATRIX__ACCESS_TOKEN": "the-token-of-the-bot",
}


def name_of(key: Key) -> str:
    return text_of(key.path).replace(f".{ITEM}", "[]")


def all_lines_active() -> Document:
    """The example with every setting that stands behind a `#` switched on."""
    return read_document(re.sub(r"(?m)^(\s*)#(?=\w)", r"\1", EXAMPLE), "config.yaml.example")


def words_for(default: Any) -> str:
    """A default as the page and the example write it; empty for nothing."""
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, timedelta):
        return f"{default // timedelta(hours=1)}h"
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, tuple):
        return ", ".join(default)
    return "" if default is None else str(default)


def rows() -> dict[str, str]:
    return dict(re.findall(r"(?m)^\| `([^`]+)` \| (.*?) \|", PAGE))


def test_the_example_loads_once_its_secrets_are_given(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")

    settings = load(path, env={"HOME": str(tmp_path), **SECRETS}, run_secrets=tmp_path)

    assert settings.public_url == "https://meet.example.org"
    assert settings.bbb.server.url == "https://bbb.example.org/bigbluebutton/api/"
    assert settings.warnings == ()


def test_the_example_shows_every_key_and_no_other() -> None:
    document = all_lines_active()
    files = {(*key.path[:-1], f"{key.path[-1]}{FILE}") for key in KEYS if key.is_secret}

    assert document.problems == []
    assert {general(path) for path in document.leaves} == {key.path for key in KEYS} | files


@pytest.mark.parametrize("key", [key for key in KEYS if words_for(key.default)], ids=name_of)
def test_the_example_shows_the_default_of(key: Key) -> None:
    leaves = {general(path): leaf for path, leaf in all_lines_active().leaves.items()}
    shown = leaves[key.path].value

    assert words_for(tuple(shown) if isinstance(shown, list) else shown) == words_for(key.default)


def test_the_page_describes_every_key_and_no_other() -> None:
    assert set(rows()) == {name_of(key) for key in KEYS}


@pytest.mark.parametrize("key", KEYS, ids=name_of)
def test_the_page_tells_the_default_of(key: Key) -> None:
    expected = "required" if key.required else words_for(key.default) or "–"

    assert rows()[name_of(key)] == ("see below" if key.path == ("data_dir",) else expected)
