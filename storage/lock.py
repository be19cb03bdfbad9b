"""One process per data directory: a lock that the kernel drops when its process dies."""

import fcntl
import os
from pathlib import Path

from storage.store import StoreError


class DirectoryLock:
    """Held from its making until `release`. Raises StoreError at once when another holds it."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / "bbb-bot.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise _refusal(directory, error) from error

    def release(self) -> None:
        """Again does nothing. The file stays: to take it away would be a race."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _refusal(directory: Path, error: OSError) -> StoreError:
    if isinstance(error, BlockingIOError):
        return StoreError(
            f"Another bbb-bot is running on {directory}. Nothing was changed."
            " Stop it first, or give this one a data directory of its own."
        )
    return StoreError(
        f"{directory} cannot be locked ({error.strerror}). Nothing was changed."
        " Put the data directory on a local disk."
    )
