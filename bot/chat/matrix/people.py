"""People and rooms: their names, whom a word means, who shares a room with whom."""

import re
import time
from collections.abc import Callable
from urllib.parse import quote

from bot.chat.matrix.answers import MatrixError, in_our_words, trouble
from bot.chat.matrix.client import Client, at
from bot.chat.matrix.invites import server_of
from bot.chat.names import plain
from bot.chat.remembering import Remembered

_USER_ID = re.compile(r"@[^\s:]+:[^\s]+")


class People:
    """Reads; raises ChatUnavailable where the server has to be asked and does not answer."""

    def __init__(self, client: Client, steady: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._names = Remembered(self._profile_name, steady=steady)

    async def display_name(self, user: str) -> str | None:
        """The name of the profile, uncleaned; asked again after 10 s.

        Synapse answers 500 questions about profiles, then one a second (`rc_profile`), and every
        look at a join page asks. Where it does not answer, the name last said is better than none.
        """
        return await self._names.or_last(user)

    async def _profile_name(self, user: str) -> str | None:
        try:
            answer = await self._client.ask("GET", at("profile", user, "displayname"))
        except MatrixError as error:
            if error.is_for_good:
                return None
            raise trouble(error) from error
        name = answer.get("displayname")
        return name if isinstance(name, str) else None

    async def find(self, word: str, room: str) -> str | None:
        """The user id for `@ana:example.org`, `@ana` (a member, then our server) or a display name.

        A display name counts only among those in the room, and only when just one has it.
        """
        if _USER_ID.fullmatch(word):
            return word
        name = word.removeprefix("@")
        local = f"@{name}:{server_of(self._client.user_id)}"
        joined = self.joined(room)
        if local in joined:
            return local
        same = [user for user, shown in joined.items() if plain(shown) == plain(name)]
        if same:
            return same[0] if len(same) == 1 else None
        return local if word.startswith("@") and await self._exists(local) else None

    async def _exists(self, user: str) -> bool:
        with in_our_words():
            try:
                await self._client.ask("GET", at("profile", user))
            except MatrixError as error:
                if error.is_for_good:
                    return False
                raise
        return True

    def joined(self, room: str) -> dict[str, str]:
        """Who is in a room, with the names shown there."""
        known = self._client.rooms.get(room)
        users = known.users.values() if known else ()
        return {user.user_id: str(user.display_name or "") for user in users if not user.invited}

    def topic_of(self, room: str) -> str | None:
        """The room's name, else its address, uncleaned."""
        known = self._client.rooms.get(room)
        found = known and (known.name or known.canonical_alias)
        return str(found) if found else None

    def share_a_room(self, one: str, other: str) -> bool:
        """Whether both are in a room that the bot is in."""
        return any({one, other} <= self.joined(room).keys() for room in self._client.rooms)

    def web_address(self, room: str) -> str:
        """Opens the room in a client of the reader's choice."""
        via = quote(server_of(self._client.user_id), safe="")
        return f"https://matrix.to/#/{quote(room, safe='!:')}?via={via}"
