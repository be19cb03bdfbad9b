"""Direct messages: the rooms of just the bot and one other person, made when there is none."""

from bot.chat.locks import Locks
from bot.chat.rocketchat.answers import Refused, RestError, is_denied
from bot.chat.rocketchat.lookups import Account, Lookups
from bot.chat.rocketchat.rest import RestApi
from bot.chat.shapes import mapping, nested, text
from commands.errors import ChatUnavailable, DirectRefused


class DirectRooms:
    """Who is in a direct message never changes; each one is looked at all the same, every time."""

    def __init__(self, rest: RestApi, lookups: Lookups, me: str) -> None:
        self._rest = rest
        self._lookups = lookups
        self._me = me
        self._rooms: dict[str, str] = {}
        self._one_per_person = Locks()

    async def open(self, user_id: str) -> str:
        """The room of just the bot and this person. Raises DirectRefused, ChatUnavailable."""
        async with self._one_per_person.of(user_id):
            account = await self._account(user_id)
            rid = self._rooms.get(user_id)
            if rid is None or not await self._is_for(user_id, rid):
                rid = await self._create(account)
                if not await self._is_for(user_id, rid):
                    raise DirectRefused("the direct message has not just two people")
                self._rooms[user_id] = rid
            await self._refuse_blocked(rid)
            return rid

    async def is_dm(self, rid: str) -> bool:
        """Whether the room is, now, of just the bot and one other person."""
        room = await self._lookups.room_now(rid)
        return room is not None and len(room.people) == 2 and self._me in room.people

    async def _account(self, user_id: str) -> Account:
        """Somebody who can be written to."""
        account = None if user_id == self._me else await self._lookups.account_now(user_id)
        if account is None or not account.active:
            raise DirectRefused("no such person, or not any more")
        if account.robot:
            raise DirectRefused("a robot")
        if account.federated:  # asked for the direct message, the server might make an account
            raise DirectRefused("somebody of another server")
        return account

    async def _is_for(self, user_id: str, rid: str) -> bool:
        room = await self._lookups.room_now(rid)
        return room is not None and room.people == {self._me, user_id}

    async def _create(self, account: Account) -> str:
        """The direct message with this person, the same one each time."""
        try:
            answer = await self._rest.post("dm.create", username=account.username)
        except Refused as error:
            raise DirectRefused(str(error)) from error
        room = mapping(answer.get("room"))
        rid = text(room.get("rid")) or text(room.get("_id"))
        if rid is None:
            raise ChatUnavailable("no room in the answer to dm.create")
        return rid

    async def _refuse_blocked(self, rid: str) -> None:
        """Raises DirectRefused where one of the two has blocked the other."""
        try:
            answer = await self._rest.get("subscriptions.getOne", roomId=rid)
        except RestError as error:
            if is_denied(error):
                return
            raise
        if any(nested(answer, "subscription", key) is True for key in ("blocked", "blocker")):
            raise DirectRefused("blocked")
