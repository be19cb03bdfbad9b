"""Writes the answers into a copy of config.yaml.example, readable by its owner alone."""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from bot.config import load
from bot.config.document import read_document
from bot.config.keypath import KeyPath
from bot.init.answers import Answers

Value = str | Sequence[str] | None
"""A scalar, a list, or None for a line to be switched off by a `#`."""

_SWITCHED_OFF = re.compile(r"(?m)^(\s*)#(?=\w)")
_SETTING = re.compile(r"^(\s*)#?(\w+):.*$")
_PLAIN = re.compile(r"[A-Za-z0-9][\w./:+-]*(?<!:)")
_NULLS = ("null", "~")


def write_config(answers: Answers, path: Path, *, overwrite: bool = False) -> None:
    """Make `path` in one piece, mode 0600. Raises FileExistsError unless `overwrite`, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(config_text(answers))
            file.flush()
            os.fsync(file.fileno())
        # what would not be read again must not take the place of anything
        load(Path(name), env={"HOME": str(path.parent)}, run_secrets=path.parent / ".none")
        if overwrite:
            os.replace(name, path)
        else:
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def config_text(answers: Answers) -> str:
    """The commented configuration."""
    server: KeyPath = ("bbb", "servers", 0)
    return fill(
        (files("bot.init") / "config.yaml.example").read_text(encoding="utf-8"),
        {
            ("public_url",): answers.public_url,
            ("language",): answers.language,
            ("time_zone",): answers.time_zone,
            ("admins",): answers.admins,
            (*server, "url"): answers.video.url,
            (*server, "secret"): answers.video.secret,
            (*server, "secret_file"): None,
            (*server, "checksum"): answers.video.checksum,
            ("matrix", "homeserver"): answers.homeserver,
            ("matrix", "user_id"): answers.account.user_id,
            ("matrix", "device_id"): answers.account.device_id,
            ("matrix", "access_token"): answers.account.access_token,
            ("matrix", "access_token_file"): None,
        },
    )


def fill(example: str, settings: Mapping[KeyPath, Value]) -> str:
    """The example with these settings switched on and set, or switched off; its comments stay."""
    whole = read_document(_SWITCHED_OFF.sub(r"\1", example), "config.yaml.example")
    lines = example.splitlines()
    for path, value in settings.items():
        at = (whole.sources[path].line or 0) - 1
        lines[at] = _setting(lines[at], value)
    return "\n".join(lines) + "\n"


def _setting(line: str, value: Value) -> str:
    match = _SETTING.match(line)
    assert match, "a line of the example holds one key"
    indent, key = match.groups()
    if value is None:
        return f"{indent}#{line.strip().removeprefix('#')}"
    return f"{indent}{key}: {_written(value)}"


def _written(value: str | Sequence[str]) -> str:
    """As YAML reads it back: plain where that is safe, else in single quotes."""
    if not isinstance(value, str):
        return f"[{', '.join(_quoted(item) for item in value)}]"
    plain = _PLAIN.fullmatch(value) and value.lower() not in _NULLS
    return value if plain else _quoted(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
