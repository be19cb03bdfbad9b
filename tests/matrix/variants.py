"""Starts the bot with one promise broken on purpose, so that the harness can show it would notice.

python -m tests.matrix.variants "another id" run --config FILE
"""

from __future__ import annotations

import sys

from bot.chat.matrix.adapter import MatrixAdapter
from bot.cli import main
from tests.faults.broken import BROKEN

if __name__ == "__main__":
    BROKEN[sys.argv.pop(1)](MatrixAdapter)
    main()
