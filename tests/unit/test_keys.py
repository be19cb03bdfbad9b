"""The data directory and its keys: private, whole, and the same at every start."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import ConfigError
from bot.keys import KEY_BYTES, Keys, open_data_dir, open_keys

NAMES = ["link.key", "pickle.key", "pseudonym.key"]


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """Give the umask of the test run back."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return open_data_dir(tmp_path / "state" / "bbb-bot")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_and_what_is_made_in_it_are_private(data_dir: Path) -> None:
    (data_dir / "bot.db").touch()

    assert mode_of(data_dir) == 0o700
    assert mode_of(data_dir / "bot.db") == 0o600


def test_a_directory_that_was_open_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_data_dir(tmp_path)

    assert mode_of(tmp_path) == 0o700


def test_a_directory_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="cannot be used as data directory"):
        open_data_dir(tmp_path / "file" / "data")


def test_keys_are_random_private_and_the_same_at_the_next_start(data_dir: Path) -> None:
    keys = open_keys(data_dir)

    assert open_keys(data_dir) == keys
    assert {len(keys.link), len(keys.pickle), len(keys.pseudonym)} == {KEY_BYTES}
    assert len({keys.link, keys.pickle, keys.pseudonym}) == 3
    assert [mode_of(data_dir / name) for name in NAMES] == [0o600] * 3
    assert sorted(path.name for path in data_dir.iterdir()) == NAMES


def test_the_key_of_message_ids_comes_out_of_another_so_that_every_backup_has_it(
    data_dir: Path,
) -> None:
    keys = open_keys(data_dir)
    other = Keys(link=keys.link, pickle=keys.pickle, pseudonym=b"o" * KEY_BYTES)

    assert len(keys.message) == KEY_BYTES
    assert open_keys(data_dir).message == keys.message
    assert keys.message not in (keys.link, keys.pickle, keys.pseudonym, other.message)


def test_a_key_made_meanwhile_by_another_process_stays(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = b"t" * KEY_BYTES
    real_link = os.link

    def lose_the_race(source: str, target: Path) -> None:
        target.write_bytes(theirs)
        target.chmod(0o600)
        real_link(source, target)

    monkeypatch.setattr(os, "link", lose_the_race)

    assert open_keys(data_dir) == Keys(link=theirs, pickle=theirs, pseudonym=theirs)
    assert sorted(path.name for path in data_dir.iterdir()) == NAMES


@pytest.mark.parametrize("mode", [0o604, 0o602])
def test_a_key_open_to_everybody_is_refused(mode: int, data_dir: Path) -> None:
    open_keys(data_dir)
    (data_dir / "link.key").chmod(mode)

    with pytest.raises(ConfigError, match=r"link\.key: can be read or written by everybody"):
        open_keys(data_dir)


def test_a_key_that_its_group_can_read_is_warned_of(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_keys(data_dir)
    (data_dir / "pickle.key").chmod(0o640)
    open_keys(data_dir)

    assert caplog.messages == ["key can be read by its group"]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * (KEY_BYTES + 1)])
def test_a_damaged_key_is_never_replaced(content: bytes, data_dir: Path) -> None:
    open_keys(data_dir)
    (data_dir / "link.key").write_bytes(content)

    with pytest.raises(ConfigError, match="restore it from the backup"):
        open_keys(data_dir)
    assert (data_dir / "link.key").read_bytes() == content


def test_keys_do_not_show_themselves(data_dir: Path) -> None:
    assert repr(open_keys(data_dir)) == "Keys()"
