"""The three bots: how each is made ready to run in a process of its own."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.demo.synapse import Account
from tests.matrix.our_bot import write_config
from tests.our_bot import BOT, Process, free_port

NAMES = ("floor", "textbook", "bbb-bot")
OURS = "bbb-bot"


def processes(
    name: str, directory: Path, account: Account, *, homeserver: str, text: str
) -> Sequence[Process]:
    """The processes of one bot in the order to start them; the last one is the bot."""
    directory.mkdir()
    if name == OURS:
        return _ours(directory, account, homeserver)
    settings = {
        "homeserver": homeserver,
        "user_id": account.user_id,
        "access_token": account.access_token,
        "text": text,
    }
    file = directory / "settings.json"
    file.write_text(json.dumps(settings))
    return [Process((sys.executable, "-m", f"bench.{name}", file), directory / "output.txt")]


def _ours(directory: Path, account: Account, homeserver: str) -> Sequence[Process]:
    """`bbb-bot run` beside a simulated BBB server."""
    port, secret = free_port(), secrets.token_hex(16)
    simulate = (*BOT, "simulate-bbb", "--port", str(port), "--secret", secret)
    config = write_config(
        directory, account, homeserver=homeserver, bbb_port=port, bbb_secret=secret
    )
    return [
        Process(simulate, directory / "bbb.txt"),
        Process((*BOT, "run", "--config", config), directory / "output.txt"),
    ]
