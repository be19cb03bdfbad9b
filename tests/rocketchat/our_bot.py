"""A configuration of our bot for a Rocket.Chat, for when it runs as a process of its own."""

from __future__ import annotations

from pathlib import Path

from tests import canary
from tests.our_bot import write_settings


def write_config(
    directory: Path,
    *,
    url: str,
    user_id: str,
    token: str,
    bbb_port: int,
    bbb_secret: str,
) -> Path:
    """Write it with every limit lifted; give its file."""
    canary.plant(token, "the bot's access token")
    rocketchat = {"url": url, "user_id": user_id, "access_token": token}
    return write_settings(
        directory, {"rocketchat": rocketchat}, bbb_port=bbb_port, bbb_secret=bbb_secret
    )
