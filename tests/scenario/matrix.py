"""A real Synapse as a stage: people with accounts, the real adapter, the clock moved by hand."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

from bot.chat.matrix.adapter import MatrixAdapter
from bot.demo.synapse import Synapse
from bot.jobs.inbox import Inbox
from storage.records import Channel, Kind, Person
from tests import canary
from tests.matrix.client import Visitor
from tests.matrix.names import fresh
from tests.scenario.intake import Intake
from tests.scenario.scene import OTHER, PEOPLE, TEAM, Clock, Seen


class MatrixStage:
    platform = "matrix"

    def __init__(self, synapse: Synapse, clock: Clock, directory: Path) -> None:
        self._synapse = synapse
        self._clock = clock
        self._directory = directory
        self._people: dict[str, Visitor] = {}
        self._rooms: dict[str, str] = {}
        self._direct: dict[str, str] = {}
        self._leaving = AsyncExitStack()
        self._intake: Intake | None = None
        self._bot = ""

    async def adapter(self) -> MatrixAdapter:
        account = await self._synapse.register(fresh("bbb-bot"))
        self._bot = account.user_id
        canary.plant(account.access_token, "the bot's access token")
        return MatrixAdapter(
            homeserver=self._synapse.url,
            user_id=account.user_id,
            device_id=account.device_id,
            access_token=account.access_token,
            store_dir=self._directory,
            identity_file=self._directory / "cross-signing.json",
            pickle_key=canary.PICKLE_KEY,
            prefixes=("!bbb",),
            encryption=False,
        )

    async def open(self, adapter: MatrixAdapter, inbox: Inbox) -> None:
        """People, rooms, and the bot in them."""
        self._intake = Intake(inbox, self._clock)
        await adapter.start(self._intake)
        for who, name in {**PEOPLE, "mallory": "Mallory"}.items():
            account = await self._synapse.register(fresh(who))
            self._people[who] = await self._leaving.enter_async_context(
                Visitor(self._synapse.url, account)
            )
            await self.renames(who, name)
        await self._room(TEAM, "Team", ["bob"])
        await self._room(OTHER, "Other", ["bob", "carol"])

    async def close(self) -> None:
        await self._leaving.aclose()

    async def _room(self, where: str, name: str, others: Sequence[str]) -> None:
        alice = self._people["alice"]
        invited = [self._people[who].user_id for who in others]
        self._rooms[where] = room = await alice.create_room(name=name, invite=invited)
        for who in others:
            await self._people[who].join(room)
        await self._invite_bot(room)

    async def _invite_bot(self, room: str) -> None:
        before = self._here.count(Kind.WELCOME)
        await self._people["alice"].invite(room, self._bot)
        await self._here.until(lambda: self._here.count(Kind.WELCOME) > before)

    @property
    def _here(self) -> Intake:
        if self._intake is None:
            raise ValueError("not opened")
        return self._intake

    # --- what people do

    async def says(self, who: str, where: str, text: str) -> str:
        room = self._rooms.get(where, where)
        event = await self._people[who].say(room, text)
        await self._here.until(lambda: event in self._here.seen)
        return event

    async def utters(self, who: str, where: str, text: str) -> str:
        return await self._people[who].say(self._rooms[where], text)

    async def presses(self, who: str, ref: str, key: str) -> None:
        event = await self._people[who].react(self._rooms[TEAM], ref, key)
        await self._here.until(lambda: event in self._here.seen)

    async def direct(self, who: str) -> str:
        """The room the bot invited them to, opened; or one that they open with the bot."""
        person = self._people[who]
        news = await person.sync()
        for room in news.get("rooms", {}).get("invite", {}):
            await self._open(who, room)
        if who not in self._direct:
            return await self._none_yet(who)
        return self._direct[who]

    async def _open(self, who: str, room: str) -> None:
        before = len(self._here.arrived)
        await self._people[who].join(room)
        await self._here.until(lambda: len(self._here.arrived) > before)
        self._direct[who] = room

    async def _none_yet(self, who: str) -> str:
        before = self._here.count(Kind.WELCOME)
        room = await self._people[who].create_room(
            direct=True, invite=[self._bot], preset="trusted_private_chat"
        )
        await self._here.until(lambda: self._here.count(Kind.WELCOME) > before)
        self._direct[who] = room
        return room

    async def removes(self, who: str, where: str) -> None:
        await self._people["alice"].kick(self._rooms[where], self._people[who].user_id)

    async def welcomes_bot(self, where: str) -> None:
        await self.removes_bot(where)
        await self.invites_bot(where)

    async def removes_bot(self, where: str) -> None:
        before = self._here.count(Kind.GONE)
        await self._people["alice"].kick(self._rooms[where], self._bot)
        await self._here.until(lambda: self._here.count(Kind.GONE) > before)

    async def invites_bot(self, where: str) -> None:
        await self._invite_bot(self._rooms[where])

    async def replaces(self, where: str, by: str) -> None:
        """An upgrade leaves the old room's word to those with a level, so the bot gets one."""
        alice, bob, old = self._people["alice"], self._people["bob"], self._rooms[where]
        levels = await alice.state(old, "m.room.power_levels")
        users = {**levels["users"], self._bot: 50}
        await alice.set_state(old, "m.room.power_levels", {**levels, "users": users})
        path = f"/rooms/{quote(old)}/upgrade"
        self._rooms[by] = new = (await alice.ask("POST", path, {"new_version": "12"}))[
            "replacement_room"
        ]
        await alice.invite(new, bob.user_id)
        await bob.join(new)
        await self._invite_bot(new)

    async def renames(self, who: str, name: str) -> None:
        person = self._people[who]
        path = f"/profile/{quote(person.user_id)}/displayname"
        await person.ask("PUT", path, {"displayname": name})

    # --- what people see

    async def messages(self, where: str) -> Sequence[Seen]:
        room = self._rooms.get(where, where)
        reader = self._reader(room)
        shown: dict[str, Seen] = {}
        for event in await reader.timeline(room):
            if event["sender"] == self._bot and event["type"] == "m.room.message":
                _note(shown, event)
        return list(shown.values())

    def _reader(self, room: str) -> Visitor:
        who = next((who for who, direct in self._direct.items() if direct == room), "alice")
        return self._people[who]

    def channel(self, where: str) -> Channel:
        return Channel("matrix", self._rooms[where])

    def person(self, who: str) -> Person:
        return Person("matrix", self._people[who].user_id)

    def mention(self, who: str) -> str:
        return self._people[who].user_id


def _note(shown: dict[str, Seen], event: dict[str, object]) -> None:
    content = event["content"]
    assert isinstance(content, dict)
    relation = content.get("m.relates_to", {})
    if relation.get("rel_type") == "m.replace":
        old = shown[relation["event_id"]]
        shown[old.ref] = Seen(old.ref, content["m.new_content"]["body"], old.edits + 1)
    else:
        ref = str(event["event_id"])
        shown[ref] = Seen(ref, content.get("body", ""))
