"""The lock files: every file by hash, no address of where it came from."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """Give name to version of every requirement in `lock`."""
    return {m["name"]: m["version"] for m in PIN.finditer((ROOT / lock).read_text())}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_index(lock: str) -> None:
    addresses = re.compile(r"://|index-url|find-links|trusted-host| @ ")
    assert addresses.findall((ROOT / lock).read_text()) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_has_a_hash(lock: str) -> None:
    blocks = re.split(r"^(?=\S)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    unhashed = [b for b in blocks if PIN.match(b) and "--hash=sha256:" not in b]
    assert pins(lock)
    assert unhashed == []


def test_developing_uses_the_very_versions_that_run() -> None:
    assert pins(LOCKS[0]).items() <= pins(LOCKS[1]).items()
