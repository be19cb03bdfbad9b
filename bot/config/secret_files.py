"""Reads files that hold one secret, and judges who else may read a file."""

import stat
from collections.abc import Sequence
from pathlib import Path


class SecretFileProblem(Exception):
    """The file cannot be used; the text says why and never what is in it."""


def read_secret(path: Path, *, managed: Sequence[Path]) -> tuple[str, str | None]:
    """The secret in the file and what to warn of, or None.

    `managed` are directories filled by systemd or a container engine (see `warning_for`).
    Raises SecretFileProblem.
    """
    try:
        text = path.read_text(encoding="utf-8")
        warning = warning_for(path, managed=managed)
    except UnicodeDecodeError as error:
        raise SecretFileProblem("is not a text file") from error
    except OSError as error:
        raise SecretFileProblem(f"cannot be read ({error.strerror})") from error
    return _only_line(text), warning


def warning_for(path: Path, *, managed: Sequence[Path] = ()) -> str | None:
    """What to warn of because of the file's mode, or None. Raises SecretFileProblem, OSError.

    A file that everybody may read is refused. In a managed directory the admin does not choose
    the mode: systemd grants access by ACL, which shows as group-readable; Docker's default is 0444.
    """
    mode = path.stat().st_mode
    open_to_all = bool(mode & (stat.S_IROTH | stat.S_IWOTH))
    if any(path.is_relative_to(directory) for directory in managed):
        return f"can be read by everybody {_in_container(path)}" if open_to_all else None
    if open_to_all:
        raise SecretFileProblem(f"can be read or written by everybody: chmod 600 {path}")
    if mode & (stat.S_IRGRP | stat.S_IWGRP):
        return f"can be read or written by its group: chmod 600 {path}"
    return None


def _in_container(path: Path) -> str:
    return f"in the container: give the secret {path.name} the mode 0400 and the bot's uid"


def _only_line(text: str) -> str:
    lines = text.strip().splitlines()
    if len(lines) != 1:
        raise SecretFileProblem("must hold one line, the secret")
    return lines[0]
