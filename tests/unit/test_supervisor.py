"""What systemd hears of the bot."""

import socket
from pathlib import Path

import pytest

from bot.supervisor import READY, Supervisor


@pytest.mark.parametrize("abstract", [False, True], ids=["a file", "an abstract name"])
def test_a_message_arrives_whole(abstract: bool, tmp_path: Path) -> None:
    name = f"@bbb-bot-test-{tmp_path.name}-{id(tmp_path)}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name[1:]}" if abstract else name)
        systemd.settimeout(10)
        Supervisor({"NOTIFY_SOCKET": name}).tell(READY, "STATUS=well")
        assert systemd.recv(100) == b"READY=1\nSTATUS=well"


def test_without_systemd_nothing_happens() -> None:
    Supervisor({}).tell(READY)


def test_a_systemd_that_went_away_is_no_trouble(tmp_path: Path) -> None:
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell(READY)
