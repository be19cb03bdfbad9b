"""One file with everything a bot is: database, keys, Matrix crypto store; taken while it runs.

Databases are copied by SQLite's own online backup, never as files. They belong together: an older
crypto store beside a newer database would make the bot unreadable to others.
"""

import os
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from storage.sqlite.backup import backup
from storage.store import StoreError

_SQLITE = b"SQLite format 3\0"
_BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")
_OF_THE_ORIGINAL = (".lock", ".original")
"""Says of the data directory what is not so of a copy."""
_PATIENCE = timedelta(seconds=5)


class BackupError(Exception):
    """No backup was made; the text says why and what to do."""


def back_up(data_dir: Path, target: Path) -> list[str]:
    """Write a tar.gz with everything in `data_dir` to the new file `target`, readable by its owner.

    Gives the names of the files in it. Raises BackupError; a half-written target is not left.
    """
    if target.exists():
        raise BackupError(f"{target} exists. Nothing was changed. Name a file that does not exist.")
    if data_dir.resolve() in target.resolve().parents:
        raise BackupError(
            f"{target} is inside the data directory and would hold itself next time."
            " Nothing was changed. Name a file outside of it."
        )
    if not data_dir.is_dir():
        raise BackupError(f"{data_dir} is not there: nothing to back up. Has the bot run already?")
    part = target.with_name(f"{target.name}.part")
    try:
        names = _pack(data_dir, part)
        os.replace(part, target)
    except (OSError, StoreError) as error:
        raise BackupError(f"No backup was made: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return names


def _pack(data_dir: Path, part: Path) -> list[str]:
    names = []
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, 0o600)
    with (
        os.fdopen(handle, "wb") as file,
        tarfile.open(fileobj=file, mode="w:gz", dereference=True) as archive,
        tempfile.TemporaryDirectory(dir=part.parent) as copies,
    ):
        for path in _worth_keeping(data_dir):
            name = str(path.relative_to(data_dir))
            archive.add(_still(path, Path(copies)), arcname=name)
            names.append(name)
        file.flush()
        os.fsync(file.fileno())
    return names


def _worth_keeping(data_dir: Path) -> Iterator[Path]:
    for path in sorted(data_dir.rglob("*")):
        if path.is_file() and not path.name.endswith(_BESIDE_A_DATABASE + _OF_THE_ORIGINAL):
            yield path


def _still(path: Path, copies: Path) -> Path:
    """The file itself, or of a database a copy of one moment."""
    if not _is_database(path):
        return path
    copy = copies / f"{len(list(copies.iterdir()))}.db"
    backup(path, copy, _PATIENCE)
    return copy


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE
