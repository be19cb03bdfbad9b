"""Our own Rocket.Chat server as a stage: the real adapter, the clock moved by hand."""

import re
from collections import Counter
from collections.abc import Sequence

from bot.chat.remembering import FRESH_SECONDS
from bot.chat.rocketchat.adapter import RocketChatAdapter
from bot.chat.rocketchat.emoji import SHORTNAMES
from bot.chat.rocketchat.escaping import bare
from bot.jobs.inbox import Inbox
from storage.records import Channel, Kind, Person
from tests.fakes.rocketchat import RocketChat
from tests.fakes.rocketchat.records import Room, User
from tests.rocketchat.adapters import adapter_of
from tests.scenario.intake import Intake
from tests.scenario.scene import OTHER, PEOPLE, TEAM, Clock, Seen

VARIATION = "\ufe0f"
OTHER_SHORTNAME = ":thumbsup:"
"""What a key is here that means nothing to the bot."""

_MARKED = re.compile(r"\\([*_~`.])|(`[^`\n]+`)|\*([^*\n]+)\*")


class RocketChatStage:
    """What the bot asked before somebody was removed or renamed it asks anew afterwards: its
    answers are `FRESH_SECONDS` old at most, and so much is skipped.
    """

    platform = "rocketchat"

    def __init__(self, server: RocketChat, clock: Clock) -> None:
        self.server = server
        self._clock = clock
        self._skipped = 0.0
        self.bot = server.add_user("bbb", roles=("bot", "user"), name="BBB")
        self._people: dict[str, User] = {
            who: server.add_user(who, name=name)
            for who, name in {**PEOPLE, "mallory": "Mallory"}.items()
        }
        self._rooms: dict[str, Room] = {}
        self._intake: Intake | None = None

    def adapter(self) -> RocketChatAdapter:
        return adapter_of(self.server, self.bot, steady=self._steady)

    def _steady(self) -> float:
        return self._clock().timestamp() + self._skipped

    async def open(self, adapter: RocketChatAdapter, inbox: Inbox) -> None:
        """Rooms, and the bot in them."""
        self._intake = Intake(inbox)
        await adapter.start(self._intake)
        for where, name, others in ((TEAM, "Team", ["bob"]), (OTHER, "Other", ["bob", "carol"])):
            people = [self._people[who] for who in ("alice", *others)]
            self._rooms[where] = self.server.add_room(
                name, kind="p", owner=people[0], members=people
            )
            await self.invites_bot(where)

    @property
    def _here(self) -> Intake:
        if self._intake is None:
            raise ValueError("not opened")
        return self._intake

    # --- what people do

    async def says(self, who: str, where: str, text: str) -> str:
        ref = await self.utters(who, where, text)
        await self._here.until(lambda: ref in self._here.seen)
        return ref

    async def utters(self, who: str, where: str, text: str) -> str:
        return str(self.server.say(self._people[who], self._room(where), text)["_id"])

    async def presses(self, who: str, ref: str, key: str) -> None:
        """Who has pressed already takes it back and presses again."""
        person, before = self._people[who], self._here.count(Kind.REACTION)
        shortname = SHORTNAMES.get(key.removesuffix(VARIATION), OTHER_SHORTNAME)
        for on in (False, True):
            self.server.react(person, ref, shortname, on=on)
        if shortname is not OTHER_SHORTNAME:
            await self._here.until(lambda: self._here.count(Kind.REACTION) > before)

    async def direct(self, who: str) -> str:
        """Open at once, whoever of the two opens it."""
        both = (self._people[who], self.bot)
        room = self.server.direct_room(*both)
        return (room or self.server.add_room(kind="d", owner=both[0], members=both)).id

    def group(self, *people: str) -> str:
        """A direct message of the bot and several people."""
        members = [self._people[who] for who in people]
        return self.server.add_room(kind="d", owner=members[0], members=(*members, self.bot)).id

    async def removes(self, who: str, where: str) -> None:
        self.server.leave(self._people[who], self._room(where))
        self._skipped += FRESH_SECONDS

    async def welcomes_bot(self, where: str) -> None:
        await self.removes_bot(where)
        await self.invites_bot(where)

    async def removes_bot(self, where: str) -> None:
        before = self._here.count(Kind.GONE)
        self.server.leave(self.bot, self._room(where))
        await self._here.until(lambda: self._here.count(Kind.GONE) > before)

    async def invites_bot(self, where: str) -> None:
        before = self._here.count(Kind.WELCOME)
        self.server.join(self.bot, self._room(where))
        await self._here.until(lambda: self._here.count(Kind.WELCOME) > before)

    async def replaces(self, where: str, by: str) -> None:
        raise AssertionError("rooms stay there: a scenario that replaces one stands in LEFT_OUT")

    async def renames(self, who: str, name: str) -> None:
        self._people[who].name = name
        self._skipped += FRESH_SECONDS

    # --- what people see

    async def messages(self, where: str) -> Sequence[Seen]:
        edits = Counter(
            request.params["msgId"]
            for request in self.server.requests
            if request.path.endswith("chat.update")
        )
        return [
            Seen(document["_id"], read(document["msg"]), edits[document["_id"]])
            for document in self.server.messages(self._room(where))
            if document["u"]["_id"] == self.bot.id and "t" not in document
        ]

    def posted(self) -> list[tuple[str, str]]:
        names = {room.id: where for where, room in self._rooms.items()}
        return [
            (names.get(document["rid"], document["rid"]), read(document["msg"]))
            for document in self.server.state.messages.values()
            if document["u"]["_id"] == self.bot.id and "t" not in document
        ]

    def _room(self, where: str) -> Room:
        return self._rooms[where] if where in self._rooms else self.server.room(where)

    def channel(self, where: str) -> Channel:
        return Channel(self.platform, self._room(where).id)

    def person(self, who: str) -> Person:
        return Person(self.platform, self._people[who].id)

    def mention(self, who: str) -> str:
        return f"@{who}"


def read(text: str) -> str:
    """A message as a person reads it: marks that a client does not show are taken away."""
    return _MARKED.sub(lambda mark: "".join(filter(None, mark.groups())), bare(text))
