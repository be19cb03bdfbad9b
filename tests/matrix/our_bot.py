"""A configuration of our bot for a homeserver, for when it runs as a process of its own."""

from __future__ import annotations

from pathlib import Path

from bot.demo.synapse import Account
from tests import canary
from tests.our_bot import write_settings


def write_config(
    directory: Path,
    account: Account,
    *,
    homeserver: str,
    bbb_port: int,
    bbb_secret: str,
    encryption: bool = True,
) -> Path:
    """Write it with every limit lifted; give its file."""
    canary.plant(account.access_token, "the bot's access token")
    matrix = {
        "homeserver": homeserver,
        "user_id": account.user_id,
        "device_id": account.device_id,
        "access_token": account.access_token,
        "encryption": encryption,
        "send_rate": 0,
    }
    return write_settings(directory, {"matrix": matrix}, bbb_port=bbb_port, bbb_secret=bbb_secret)
