"""A store on every engine; a second engine is one more entry in `ENGINES`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.open import open_store
from storage.sqlite.driver import sqlite
from storage.store import Store
from tests.contract.examples import room

ENGINES = ["sqlite"]


@pytest.fixture(params=ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(tmp_path / "data")
    yield opened
    await opened.close()


Damage = Callable[[str], None]


@pytest.fixture
def damage(tmp_path: Path) -> Damage:
    """Changes the database of `store` as nobody should."""

    def change(sql: str) -> None:
        with closing(sqlite.connect(tmp_path / "data" / "bbb-bot.db")) as raw, raw:
            raw.execute(sql)

    return change


@pytest.fixture
async def with_room(store: Store) -> Store:
    """A store with the room `room-1`, for what must belong to one."""
    await store.put_room(room("1"))
    return store
