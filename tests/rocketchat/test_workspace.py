"""What a workspace tells of itself, in each version, and when it tells nothing."""

from __future__ import annotations

import pytest

from bot.chat.rocketchat.answers import RestError
from tests.fakes.rocketchat import PROFILES
from tests.fakes.rocketchat.refusals import Forbidden
from tests.rocketchat.desk import desk_in, on_every_version


@on_every_version
async def test_what_it_tells(profile: str) -> None:
    """6.x ignores the filter and gives all settings, page by page."""
    async with desk_in(profile) as desk:
        desk.server.settings.update({f"A_filler_{n}": n for n in range(250)})
        desk.server.settings["Site_Url"] = "https://chat.example.org/"
        desk.server.settings["Message_MaxAllowedSize"] = 321
        desk.server.settings["Threads_enabled"] = False
        await desk.workspace.load()
        found = desk.workspace
        assert found.version == PROFILES[profile].version[:2]
        assert found.site_url == "https://chat.example.org"
        assert (found.max_size, found.threads) == (321, False)


async def test_missing_or_odd_settings_are_the_defaults() -> None:
    async with desk_in("8.x") as desk:
        url = desk.workspace.site_url
        desk.server.settings["Site_Url"] = "javascript:alert(1)"
        desk.server.settings["Message_MaxAllowedSize"] = "many"
        del desk.server.settings["Threads_enabled"]
        await desk.workspace.load()
        assert desk.workspace.site_url == url
        assert desk.workspace.max_size == 5000
        assert desk.workspace.threads


async def test_settings_that_are_not_told_and_a_server_that_is_down() -> None:
    async with desk_in("8.x") as desk:
        desk.server.faults.rest.refuse("settings.public", Forbidden(), times=None)
        await desk.workspace.load()
        assert desk.workspace.version == (8, 8)
        desk.server.faults.rest.fail(status=503, times=None)
        with pytest.raises(RestError):
            await desk.workspace.load()
        await desk.workspace.refresh()
        assert desk.workspace.version == (8, 8)
