"""Accepts commands for ever and says which are kept; a test kills it."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from storage.open import open_store
from tests.contract.examples import command


async def main() -> None:
    store = await open_store(Path(sys.argv[1]))
    for number in itertools.count():
        each = command(f"{os.getpid()}-{number}")
        await store.accept("matrix", each.id, [each])
        sys.stdout.write(f"{each.id}\n")
        sys.stdout.flush()


asyncio.run(main())
