"""A real Synapse fetches our links for its previews: neutral words, and nothing happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.demo.synapse import Account, Synapse
from bot.web.gateway import Gateway
from tests.requirements import require_module, require_synapse
from tests.web.house import House
from tests.web.world import UNKNOWN

pytestmark = pytest.mark.synapse

NEUTRAL = ("Join a call", "Open the link and press the button to join.")


async def preview(synapse: Synapse, account: Account, address: str) -> dict[str, Any]:
    """What Synapse shows of an address, as it would to the readers of a message with it."""
    async with httpx.AsyncClient(base_url=synapse.url, timeout=30, trust_env=False) as http:
        answer = await http.get(
            "/_matrix/client/v1/media/preview_url",
            params={"url": address},
            headers={"Authorization": f"Bearer {account.access_token}"},
        )
    shown: dict[str, Any] = answer.json()
    return shown


async def test_a_preview_repeats_nothing_and_changes_nothing(house: House, tmp_path: Path) -> None:
    require_synapse()
    require_module("bs4", "pip install beautifulsoup4")
    house.world.public_url = "http://127.0.0.1"
    links = {**await house.live_links(), "nowhere": UNKNOWN}
    before = house.rows()
    house.begin_counting()
    gateway = Gateway(house.app(), host="127.0.0.1", port=0, stop=house.world.stop)
    await gateway.start()
    try:
        async with Synapse(tmp_path / "synapse", previews=True) as synapse:
            account = await synapse.register("ana")
            for name, link in links.items():
                address = f"http://127.0.0.1:{gateway.port}/j/{link}"
                shown = await preview(synapse, account, address)
                told = " ".join(map(str, shown.values()))
                for hidden in ("Team", "Bob", "Alice", "checksum", link):
                    assert hidden not in told, (name, shown)
                if name != "nowhere":
                    assert (shown["og:title"], shown["og:description"]) == NEUTRAL, shown
    finally:
        await gateway.stop()
    assert house.store.asked["link"] >= len(links)  # it came and looked
    assert (house.bbb_calls, house.store.writes) == (0, {})
    assert house.rows() == before
