"""Which messages are the bot's own: remembered from the timelines, else asked of the server."""

from collections import OrderedDict

from bot.chat.matrix.answers import MatrixError
from bot.chat.matrix.client import Client, at
from bot.chat.shapes import Json
from commands.errors import ChatUnavailable

_MOST = 10_000


class Authors:
    """Remembers the senders of the last events seen."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._mine: OrderedDict[str, bool] = OrderedDict()

    def note(self, event: Json) -> None:
        """Remember who sent an event."""
        event_id = event.get("event_id")
        if isinstance(event_id, str):
            self._keep(event_id, event.get("sender") == self._client.user_id)

    async def is_mine(self, room: str, event_id: str) -> bool:
        """Whether the bot sent it. When nobody answers: maybe, and the core knows its cards."""
        if event_id not in self._mine:
            try:
                found = await self._client.ask("GET", at("rooms", room, "event", event_id))
            except ChatUnavailable:
                return True
            except MatrixError as error:
                return not error.is_for_good
            self._keep(event_id, found.get("sender") == self._client.user_id)
        return self._mine[event_id]

    def _keep(self, event_id: str, mine: bool) -> None:
        self._mine[event_id] = mine
        if len(self._mine) > _MOST:
            self._mine.popitem(last=False)
