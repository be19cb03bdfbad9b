"""Checks that ask nobody: configuration, data directory, SQLite, public address."""

import asyncio
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlite_utils import Database

from bot.config import Settings, describe_secret, describe_source
from bot.config.values import is_loopback
from bot.doctor.asking import Case
from bot.doctor.finding import CONFIG, Finding, fail, ok, warn

MODES = "data.modes"
MIB = 1024 * 1024
TOO_LITTLE = 20 * MIB
LITTLE = 200 * MIB
OLDEST_SQLITE = (3, 35, 0)  # RETURNING
SOUND_SQLITE = (3, 51, 3)  # sqlite.org/wal.html#walresetbug


async def check_config(case: Case) -> AsyncIterator[Finding]:
    """The configuration was read; what it warned of; which secrets are set."""
    for warning in case.settings.warnings:
        yield warn(CONFIG, str(warning), "give the file the mode that is named there")
    secrets = ", ".join(_secrets_in_words(case.settings))
    yield ok(CONFIG, f"read and valid; {secrets}")


async def check_data(case: Case) -> AsyncIterator[Finding]:
    """The data directory can be written, has room, and is closed to others."""
    path = case.settings.data_dir
    yield await asyncio.to_thread(_look_at_data, path)
    if await asyncio.to_thread(path.exists):
        yield await asyncio.to_thread(_look_at_modes, path)


async def check_sqlite(case: Case) -> AsyncIterator[Finding]:
    """SQLite is new enough."""
    database = Database(memory=True, execute_plugins=False)  # it picks the driver the storage gets
    try:
        yield judge_sqlite(database.sqlite_version)
    finally:
        database.close()


async def check_public_url(case: Case) -> AsyncIterator[Finding]:
    """The public address is one that other people's browsers can reach."""
    if is_loopback(urlsplit(case.settings.public_url).hostname or ""):
        source = describe_source(case.settings, "public_url")
        text = "leads to this machine: nobody else can open a link"
        yield warn("public-url", text, f"set public_url ({source}) to an https address")
    else:
        yield ok("public-url", "is an https address")


def judge_sqlite(numbers: tuple[int, ...]) -> Finding:
    """What to think of this version of SQLite."""
    version = ".".join(map(str, numbers))
    if numbers < OLDEST_SQLITE:
        return fail("sqlite", f"{version} is too old", "use a Python with SQLite 3.35 or later")
    if numbers < SOUND_SQLITE:
        text = f"{version} may in rare cases damage a database (WAL-reset bug, fixed in 3.51.3)"
        return warn("sqlite", text, "pip install pysqlite3, or update SQLite; keep backups")
    return ok("sqlite", version)


def _secrets_in_words(settings: Settings) -> Iterator[str]:
    number = settings.bbb.servers.index(settings.bbb.server)
    secrets = {f"bbb.servers[{number}].secret": settings.bbb.server.secret}
    if settings.matrix:
        secrets["matrix.access_token"] = settings.matrix.access_token
    if settings.rocketchat:
        secrets["rocketchat.access_token"] = settings.rocketchat.access_token
    for key, secret in secrets.items():
        yield f"{key} {describe_secret(secret)}, from {describe_source(settings, key)}"


def _look_at_data(path: Path) -> Finding:
    remedy = f"give the bot's user a directory to write to: data_dir ({path})"
    there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not _can_write(there):
        return fail("data", f"{path} cannot be written by this user", remedy)
    free = shutil.disk_usage(there).free
    text = f"{free // MIB} MiB free at {path}"
    if free < TOO_LITTLE:
        return fail("data", text, "make room")
    if free < LITTLE:
        return warn("data", text, "make room")
    return ok("data", text if there == path else f"{text}, which the first start makes")


def _look_at_modes(path: Path) -> Finding:
    """Directory, keys and databases: for the bot's user alone."""
    try:
        inside = [path, *path.glob("*.key"), *path.glob("*.db*"), *path.glob("matrix/*")]
        open_ones = [one for one in inside if one.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
        # what lies in a closed directory is closed, whatever its own mode
        exposed = open_ones if path in open_ones else []
    except OSError as error:
        return warn(MODES, f"{path} cannot be looked into ({error.strerror})", "run as its user")
    if exposed:
        names = ", ".join(sorted(one.name for one in exposed)[:5])
        return warn(MODES, f"others may look into {names}", f"chmod -R go= {path}")
    return ok(MODES, "closed to other users")


def _can_write(directory: Path) -> bool:
    """Try it: modes alone do not tell of read-only mounts and full disks."""
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    return True
