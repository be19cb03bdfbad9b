"""Writes the answers into a copy of config.yaml.example, readable by its owner alone."""

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from bot.config import load
from bot.config.document import read_document
from bot.config.keypath import KeyPath
from bot.init.answers import Answers, Matrix, RocketChat


@dataclass(frozen=True, slots=True)
class Noted:
    """A list, and who its members are, for a comment behind it."""

    items: Sequence[str]
    note: str


Value = str | Sequence[str] | Noted | None
"""A scalar, a list, or None for a line, or a section with all its lines, to be switched off."""

_SWITCHED_OFF = re.compile(r"(?m)^(\s*)#(?=\w)")
_SETTING = re.compile(r"^(\s*)#?(\w+):.*$")
_PLAIN = re.compile(r"[A-Za-z0-9][\w./:+-]*(?<!:)")
_NOT_IN_A_NOTE = re.compile(r"[^\w ,.@-]")
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
            ("admins",): answers.admins.matrix,
            (*server, "url"): answers.video.url,
            (*server, "secret"): answers.video.secret,
            (*server, "secret_file"): None,
            (*server, "checksum"): answers.video.checksum,
            **_matrix(answers.matrix),
            **_rocketchat(answers.rocketchat, answers.admins.rocketchat),
        },
    )


def _matrix(chosen: Matrix | None) -> dict[KeyPath, Value]:
    if chosen is None:
        return {("matrix",): None}
    return {
        ("matrix", "homeserver"): chosen.homeserver,
        ("matrix", "user_id"): chosen.account.user_id,
        ("matrix", "device_id"): chosen.account.device_id,
        ("matrix", "access_token"): chosen.account.access_token,
        ("matrix", "access_token_file"): None,
    }


def _rocketchat(chosen: RocketChat | None, admins: Mapping[str, str]) -> dict[KeyPath, Value]:
    if chosen is None:
        return {("rocketchat",): None}
    return {
        ("rocketchat", "url"): chosen.url,
        ("rocketchat", "user_id"): chosen.account.user_id,
        ("rocketchat", "access_token"): chosen.account.access_token,
        ("rocketchat", "access_token_file"): None,
        ("rocketchat", "admins"): Noted(tuple(admins), ", ".join(admins.values())),
    }


def fill(example: str, settings: Mapping[KeyPath, Value]) -> str:
    """The example with these settings switched on and set, their sections too, or switched off;
    its comments stay.
    """
    whole = read_document(_SWITCHED_OFF.sub(r"\1", example), "config.yaml.example")
    at = {path: (source.line or 0) - 1 for path, source in whole.sources.items()}
    lines = example.splitlines()
    for path, value in settings.items():
        if value is None:
            for inside in (one for one in at if one[: len(path)] == path):
                lines[at[inside]] = _off(lines[at[inside]])
        else:
            lines[at[path[:1]]] = _on(lines[at[path[:1]]])
            lines[at[path]] = _setting(lines[at[path]], value)
    return "\n".join(lines) + "\n"


def _on(line: str) -> str:
    return _SWITCHED_OFF.sub(r"\1", line)


def _off(line: str) -> str:
    return re.sub(r"^(\s*)#?", r"\1#", line)


def _setting(line: str, value: str | Sequence[str] | Noted) -> str:
    match = _SETTING.match(line)
    assert match, "a line of the example holds one key"
    indent, key = match.groups()
    return f"{indent}{key}: {_written(value)}"


def _written(value: str | Sequence[str] | Noted) -> str:
    """As YAML reads it back: plain where that is safe, else in single quotes."""
    if isinstance(value, Noted):
        note = _NOT_IN_A_NOTE.sub("?", value.note)
        return f"{_written(value.items)}{f'  # {note}' if note else ''}"
    if not isinstance(value, str):
        return f"[{', '.join(_quoted(item) for item in value)}]"
    plain = _PLAIN.fullmatch(value) and value.lower() not in _NULLS
    return value if plain else _quoted(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
