"""The lock files: every file by hash, no address of where it came from, and no other file taken."""

import hashlib
import re
import subprocess
import sys
import zipfile
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


# --- an installation by hash ---------------------------------------------------------


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package of one line."""
    path = tmp_path / "wheels" / "tiny-1.0-py3-none-any.whl"
    path.parent.mkdir()
    about = "tiny-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tiny.py", "ANSWER = 42\n")
        file.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", f"tiny.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n")
    return path


def install(wheel: Path, requirement: str) -> subprocess.CompletedProcess[str]:
    """As the Dockerfile and the documentation do it, from a directory instead of a registry."""
    lock = wheel.parents[1] / "requirements.lock"
    lock.write_text(requirement)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-index",
        "--no-cache-dir",
        "--find-links",
        wheel.parent,
        "--target",
        wheel.parents[1] / "in",
        "--require-hashes",
        "-r",
        lock,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_file_that_was_locked_is_installed_and_a_changed_one_is_refused(wheel: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    locked = f"tiny==1.0 \\\n    --hash=sha256:{digest}\n"
    said = install(wheel, locked)
    assert said.returncode == 0, said.stderr
    assert (wheel.parents[1] / "in" / "tiny.py").exists()

    content = wheel.read_bytes().replace(b"ANSWER = 42", b"ANSWER = 43")
    wheel.write_bytes(content)
    said = install(wheel, locked)
    assert said.returncode != 0
    assert "DO NOT MATCH THE HASHES" in said.stderr


def test_a_requirement_without_a_hash_is_refused(wheel: Path) -> None:
    said = install(wheel, "tiny==1.0\n")
    assert said.returncode != 0
    assert "require" in said.stderr and "hashes" in said.stderr
