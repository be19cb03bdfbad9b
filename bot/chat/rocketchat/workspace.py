"""What this workspace is and allows: its version, and the public settings that a bot heeds."""

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any

from bot.chat.rocketchat.rest import RestApi
from bot.chat.rocketchat.shapes import objects, text
from commands.errors import ChatRefused, ChatTrouble

log = logging.getLogger(__name__)

REFRESH_SECONDS = 3600.0
_PAGE = 100
_MOST_PAGES = 50

_SETTINGS = (
    "Site_Url",
    "Message_MaxAllowedSize",
    "Threads_enabled",
    "Message_AllowUnrecognizedSlashCommand",
)
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})", re.ASCII)


class Workspace:
    """Known after `load`; before, and for each setting that is missing, Rocket.Chat's defaults."""

    def __init__(self, rest: RestApi, url: str) -> None:
        self._rest = rest
        self.version: tuple[int, int] = (6, 0)
        """Major and minor; that is all that everybody is told."""
        self.site_url = url.rstrip("/")
        self.max_size = 5000
        """The longest text of a message, in UTF-16 units."""
        self.threads = True
        self.slash = False
        """Whether a typed `/bbb` reaches the bot from the web and desktop clients too."""

    async def load(self) -> None:
        """Ask for everything. Raises RestError when the server cannot be asked."""
        found = _VERSION.match(text((await self._rest.info()).get("version")) or "")
        if found:
            self.version = (int(found[1]), int(found[2]))
        try:
            self._take(await self._settings())
        except ChatRefused as error:
            log.warning("settings not told: %s", error, extra={"action": "settings_refused"})

    async def refresh(self) -> None:
        """Ask again; what cannot be asked now stays as it was. Never raises."""
        try:
            await self.load()
        except ChatTrouble as error:
            log.info("settings not refreshed: %s", error, extra={"action": "settings_kept"})

    async def keep_fresh(self) -> None:
        """Refresh every hour, for ever."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.refresh()

    async def _settings(self) -> dict[str, Any]:
        """The values by name. 6.x ignores the filter `_id`: there all pages are looked through."""
        found: dict[str, Any] = {}
        for page in range(_MOST_PAGES):
            offset = page * _PAGE
            answer = await self._rest.get(
                "settings.public", _id=",".join(_SETTINGS), count=_PAGE, offset=offset
            )
            listed = objects(answer.get("settings"))
            found |= {one["_id"]: one.get("value") for one in listed if one.get("_id") in _SETTINGS}
            total = answer.get("total")
            if len(found) == len(_SETTINGS) or not listed:
                break
            if isinstance(total, int) and offset + len(listed) >= total:
                break
        return found

    def _take(self, found: Mapping[str, Any]) -> None:
        site = text(found.get("Site_Url"))
        if site and site.startswith(("https://", "http://")):
            self.site_url = site.rstrip("/")
        size = found.get("Message_MaxAllowedSize")
        if isinstance(size, int) and not isinstance(size, bool) and size > 0:
            self.max_size = size
        self.threads = found.get("Threads_enabled") is not False
        self.slash = found.get("Message_AllowUnrecognizedSlashCommand") is True
