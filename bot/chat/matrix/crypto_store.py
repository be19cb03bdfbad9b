"""The crypto store of one device: nio's own, and whether its files are an older copy.

An older copy is dangerous in silence: the sessions in it are behind those of everybody else, so
nobody could read the bot any more, nor the bot them. A small file beside the store says that it is
no copy; backups leave that file out.
"""

import logging
from pathlib import Path

from nio.store import SqliteStore

log = logging.getLogger(__name__)


class Store(SqliteStore):  # type: ignore[misc]  # nio has no type information
    """nio's store without work for nothing: no write without news, no look at marks of trust.

    Nobody is marked as trusted or shut out here; the room's key goes to every device in it.
    """

    def save_encrypted_rooms(self, rooms: set[str]) -> None:
        if rooms:
            super().save_encrypted_rooms(rooms)

    def is_device_verified(self, device: object) -> bool:
        return False


class StoreFiles:
    """Where the store of one device lies. `is_copy` is known from `open` on."""

    def __init__(self, directory: Path, user: str, device: str) -> None:
        self._directory = directory
        self._database = directory / f"{user}_{device}.db"
        self._original = directory / f"{user}_{device}.original"
        self._is_noted = False
        self.is_copy = False

    def open(self) -> None:
        """Make the directory if need be, and see what is in it. Raises OSError."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.is_copy = self._database.exists() and not self._original.exists()

    def vouch(self) -> None:
        """From now on this store is the one that is used; if that cannot be noted, it is later."""
        if self._is_noted:
            return
        try:
            self._original.touch(mode=0o600)
        except OSError as error:
            log.warning("store not noted: %s", error, extra={"action": "store_not_noted"})
        else:
            self.is_copy, self._is_noted = False, True
