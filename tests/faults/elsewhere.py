"""Directories that only one process sees: small ones, and ones nobody can write to. No root needed.

Linux lets everybody mount in a namespace of their own, where the system's owner allows it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_SMALL = 'mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"'
_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")


def require_namespaces() -> None:
    """Go on only where a process may have mounts of its own."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    tried = subprocess.run([*_NAMESPACE, "mount -t tmpfs tmpfs /mnt"], capture_output=True)
    if tried.returncode != 0:
        pytest.skip("this system lets nobody mount in a namespace of their own")


def with_small(directory: Path, size: str) -> list[str | Path]:
    """The words before a command that will find an empty disk of this size at `directory`."""
    return [*_NAMESPACE, _SMALL, size, directory]


def with_read_only(directory: Path) -> list[str | Path]:
    """The words before a command that cannot write to `directory`, whoever it is."""
    return [*_NAMESPACE, _READ_ONLY, directory]


def seen_by(pid: int, directory: Path) -> Path:
    """The directory as that process sees it."""
    return Path(f"/proc/{pid}/root{directory}")
