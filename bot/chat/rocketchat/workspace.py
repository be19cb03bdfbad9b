"""What this workspace is and allows: its version, and the public settings that a bot heeds."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Collection, Mapping
from typing import Any

from bot.chat.rocketchat.answers import RestError, is_denied
from bot.chat.rocketchat.rest import RestApi
from bot.chat.shapes import Json, objects, text
from commands.errors import ChatTrouble

log = logging.getLogger(__name__)

REFRESH_SECONDS = 3600.0
AGAIN_SECONDS = 10.0
_PAGE = 100
_MOST_PAGES = 50

_SETTINGS = ("Site_Url", "Message_MaxAllowedSize", "Threads_enabled")
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
        self._told = False

    async def load(self) -> None:
        """Ask for everything. Raises RestError when the server cannot be asked."""
        said = await _if_told(self._rest.info())
        if found := _VERSION.match(text(said.get("version")) or ""):
            self.version = (int(found[1]), int(found[2]))
        self._take(await _if_told(public_settings(self._rest, _SETTINGS)))

    async def refresh(self) -> None:
        """Ask again; what cannot be asked now stays as it was. Never raises."""
        try:
            await self.load()
            self._told = True
        except ChatTrouble as error:
            log.info("settings not refreshed: %s", error, extra={"action": "settings_kept"})

    async def keep_fresh(self) -> None:
        """Refresh every hour, for ever; sooner while it was never told."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS if self._told else AGAIN_SECONDS)
            await self.refresh()

    def _take(self, found: Mapping[str, Any]) -> None:
        site = text(found.get("Site_Url"))
        if site and site.startswith(("https://", "http://")):
            self.site_url = site.rstrip("/")
        size = found.get("Message_MaxAllowedSize")
        if isinstance(size, int) and not isinstance(size, bool) and size > 0:
            self.max_size = size
        self.threads = found.get("Threads_enabled") is not False


async def _if_told(asked: Awaitable[Json]) -> Json:
    """The answer, or an empty one where the server will not tell. Raises RestError."""
    try:
        return await asked
    except RestError as error:
        if not is_denied(error):
            raise
        log.warning("settings not told: %s", error, extra={"action": "settings_refused"})
        return {}


async def public_settings(rest: RestApi, names: Collection[str]) -> dict[str, Any]:
    """The values of these settings by name, of those that there are. Raises RestError.

    6.x does not know the filter `_id`, so all pages are looked through.
    """
    found: dict[str, Any] = {}
    for page in range(_MOST_PAGES):
        offset = page * _PAGE
        answer = await rest.get("settings.public", _id=",".join(names), count=_PAGE, offset=offset)
        listed = objects(answer.get("settings"))
        found |= {one["_id"]: one.get("value") for one in listed if one.get("_id") in names}
        total = answer.get("total")
        if len(found) == len(names) or not listed:
            break
        if isinstance(total, int) and offset + len(listed) >= total:
            break
    return found
