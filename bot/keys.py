"""The data directory and the three secret keys in it: made once, readable by the bot alone."""

import hmac
import logging
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bot.config import ConfigError, Problem, Source

log = logging.getLogger(__name__)

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """32 random bytes each. They belong to the database: a backup holds both."""

    # Makes the ids of links: without it every posted link is dead.
    link: bytes = field(repr=False)
    # Seals the Matrix crypto store: without it encrypted rooms stay dark.
    pickle: bytes = field(repr=False)
    # Makes the ids that BBB sees instead of the chat's.
    pseudonym: bytes = field(repr=False)

    @property
    def message(self) -> bytes:
        """Makes the ids of the bot's own messages in Rocket.Chat, so that nobody can take one
        first: a key of its own, out of `pseudonym`.
        """
        return hmac.digest(self.pseudonym, b"ids of messages in rocketchat", "sha256")


def open_data_dir(path: Path) -> Path:
    """Make the directory if need be, and it and every file made from now on private.

    Sets the umask of the process: SQLite and the crypto store make their files themselves.
    Raises ConfigError when the directory cannot be had or is open to everybody.
    """
    os.umask(0o077)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close_to_others(path)
    except OSError as error:
        reason = f"cannot be used as data directory ({error.strerror})"
        raise _refusal(path, f"{reason}: name one that the bot may write to") from error
    return path


def open_keys(data_dir: Path) -> Keys:
    """Read the keys; a missing one is made. Raises ConfigError when one cannot be trusted."""
    return Keys(
        link=_open_key(data_dir / "link.key"),
        pickle=_open_key(data_dir / "pickle.key"),
        pseudonym=_open_key(data_dir / "pseudonym.key"),
    )


def _close_to_others(path: Path) -> None:
    """A volume may belong to somebody else (Kubernetes): then it must at least not be open."""
    state = path.stat()
    if state.st_uid == os.geteuid():
        path.chmod(0o700)
    elif state.st_mode & stat.S_IWOTH:
        raise _refusal(path, "can be written by everybody: chmod 700")


def _open_key(path: Path) -> bytes:
    try:
        if not path.exists():
            _make_key(path)
        _judge_mode(path)
        key = path.read_bytes()
    except OSError as error:
        raise _refusal(path, f"cannot be read or made ({error.strerror})") from error
    if len(key) != KEY_BYTES:
        raise _refusal(path, f"does not hold {KEY_BYTES} bytes: restore it from the backup")
    return key


def _make_key(path: Path) -> None:
    """Write a new key in full, then give it its name; a key made meanwhile by another stays."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
        _sync_directory(path.parent)
        log.info("key made", extra={"action": "key_made", "file": path.name})
    except FileExistsError:
        log.debug("key was made by another process", extra={"file": path.name})
    finally:
        os.unlink(name)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _judge_mode(path: Path) -> None:
    mode = path.stat().st_mode
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise _refusal(path, f"can be read or written by everybody: chmod 600 {path}")
    if mode & (stat.S_IRGRP | stat.S_IWGRP):
        log.warning("key can be read by its group", extra={"file": str(path)})


def _refusal(path: Path, text: str) -> ConfigError:
    return ConfigError([Problem(Source(str(path)), "", text)])
