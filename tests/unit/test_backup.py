"""A backup holds everything, is taken while the bot writes, and can be started from."""

import asyncio
import tarfile
from pathlib import Path

import pytest

from bot.backup import BackupError, back_up
from bot.keys import open_data_dir, open_keys
from storage.open import open_store
from storage.records import Person, PersonRow

ANA = Person("matrix", "@ana:example.org")


async def test_a_restored_backup_is_the_bot_of_that_moment(tmp_path: Path) -> None:
    data = open_data_dir(tmp_path / "data")
    keys = open_keys(data)
    store = await open_store(data)
    await store.put_person(PersonRow(ANA, language="fr"))
    names = await asyncio.to_thread(back_up, data, tmp_path / "backup.tar.gz")
    await store.put_person(PersonRow(ANA, language="de"))
    await store.close()

    restored = tmp_path / "restored"
    with tarfile.open(tmp_path / "backup.tar.gz") as archive:
        archive.extractall(restored, filter="data")
    assert {"bbb-bot.db", "link.key", "pickle.key", "pseudonym.key"} <= set(names)
    assert open_keys(restored) == keys
    again = await open_store(restored)
    assert await again.person(ANA) == PersonRow(ANA, language="fr")
    await again.close()


async def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "backup.tar.gz"
    target.write_text("last year's backup")
    with pytest.raises(BackupError, match="exists"):
        back_up(tmp_path, target)
    assert target.read_text() == "last year's backup"


async def test_a_backup_never_holds_backups(tmp_path: Path) -> None:
    data = open_data_dir(tmp_path / "data")
    with pytest.raises(BackupError, match="inside the data directory"):
        back_up(data, data / "backup.tar.gz")


async def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    data = open_data_dir(tmp_path / "data")
    open_keys(data)
    back_up(data, tmp_path / "b.tar.gz")
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o777 == 0o600


def test_without_data_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="not there"):
        back_up(tmp_path / "nowhere", tmp_path / "b.tar.gz")
