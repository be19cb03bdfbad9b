"""The Rocket.Chat adapter: one account of one workspace, behind the port that all chats share."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.chat.background import Background
from bot.chat.base import Intake, Mode
from bot.chat.rocketchat import account, trust
from bot.chat.rocketchat.ddp.connection import converse
from bot.chat.rocketchat.ddp.events import Event, Lost
from bot.chat.rocketchat.ddp.protocol import Session, Timings
from bot.chat.rocketchat.direct import DirectRooms
from bot.chat.rocketchat.inflow import Inflow
from bot.chat.rocketchat.lookups import Lookups
from bot.chat.rocketchat.members import Members
from bot.chat.rocketchat.noting import Noting
from bot.chat.rocketchat.people import People
from bot.chat.rocketchat.permissions import Permissions
from bot.chat.rocketchat.receive import PLATFORM
from bot.chat.rocketchat.rest import Rest
from bot.chat.rocketchat.rhythm import Rhythm
from bot.chat.rocketchat.rooms import OwnRooms
from bot.chat.rocketchat.sending import Sender
from bot.chat.rocketchat.workspace import Workspace
from commands.errors import ChatTrouble
from commands.ports import Outgoing, Rights
from storage.records import Channel, Person

log = logging.getLogger(__name__)

_STOP_SECONDS = 4.5


class RocketChatAdapter:
    """A `bot.chat.base.Adapter`, for 6.x to 9.0, checked against frames recorded from 6.14 and the
    published schemas of 8.8.1.

    `url` as browsers reach the workspace, `access_token` a personal access token of the account
    with the id `user_id`. `message_key` makes the ids of the bot's messages; it belongs into the
    backup. `ca_file` holds the authorities to trust in place of the machine's own. `rhythm`,
    `timings` and `steady`, the clock of what is remembered for a moment, are for tests.
    """

    platform = PLATFORM

    def __init__(
        self,
        *,
        url: str,
        user_id: str,
        access_token: str,
        message_key: bytes,
        prefixes: tuple[str, ...],
        ca_file: Path | None = None,
        rhythm: Rhythm | None = None,
        timings: Timings | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._user_id = user_id
        self._token = access_token
        self._prefixes = prefixes
        self._rhythm = rhythm
        self._timings = timings
        self._tls = trust.context(ca_file) if url.startswith("https") else None
        self._rest = Rest(
            url,
            user_id,
            access_token,
            verify=trust.bundle(ca_file),
            on_logged_out=self._logged_out,
        )
        self._rooms = OwnRooms(user_id)
        self._workspace = Workspace(self._rest, url)
        self._background = Background()
        self._lookups = lookups = Lookups(self._rest, steady)
        members = Members(self._rest, self._workspace, steady)
        self._direct = DirectRooms(self._rest, lookups, user_id)
        self._permissions = Permissions(lookups, members)
        self._people = People(lookups, members, self._permissions, self._workspace, self._rooms)
        self._sender = Sender(
            self._rest,
            self._workspace,
            self._people,
            self._background,
            me=user_id,
            message_key=message_key,
            steady=steady,
        )
        self._inflow: Inflow | None = None

    # --- life -------------------------------------------------------------------------------------

    async def start(self, intake: Intake) -> None:
        """Returns after the first look, or when the workspace is in trouble and tried again.

        Raises ChatMisconfigured.
        """
        try:
            await account.check(self._rest, self._user_id, self._token)
            await self._workspace.refresh()
        except ChatTrouble as error:
            log.warning("not reached yet: %s", error, extra={"action": "chat_trouble"})
        self._background.start("workspace", self._workspace.keep_fresh())
        self._inflow = Inflow(
            user_id=self._user_id,
            token=self._token,
            rest=self._rest,
            connect=self._connect,
            intake=Noting(intake, self._sender.note),
            prefixes=self._prefixes,
            lookups=self._lookups,
            rooms=self._rooms,
            rhythm=self._rhythm,
            timings=self._timings,
        )
        await self._inflow.start()

    def _connect(self, session: Session, hear: Callable[[Event], None], /) -> Awaitable[Lost]:
        return converse(self._url, session, ssl=self._tls, on_event=hear)

    def _logged_out(self) -> None:
        """A live connection may outlast its token: let a look find out."""
        if self._inflow:
            self._inflow.look_now()

    async def stop(self) -> None:
        """Finish what is being received, close. Never raises."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                if self._inflow:
                    await self._inflow.stop()
                await self._background.close()
                await self._rest.close()
        except TimeoutError:
            log.warning("not closed in time", extra={"action": "rocketchat_stop_late"})

    @property
    def mode(self) -> Mode:
        """Live over the realtime service, polling where there is none."""
        return self._inflow.mode if self._inflow else Mode.DOWN

    @property
    def trouble(self) -> str | None:
        """Why Rocket.Chat can never work like this, and what to do; None while there is hope."""
        return self._inflow.trouble if self._inflow else None

    # --- saying -----------------------------------------------------------------------------------

    async def send(self, message: Outgoing) -> str:
        """Post; the same `message.id` again posts nothing new."""
        return await self._sender.send(message)

    async def edit(self, ref: str, message: Outgoing) -> None:
        """Replace the text of `ref`; its attachments stay as they were posted. Pings nobody."""
        await self._sender.edit(ref, message)

    async def react(self, channel: str, ref: str, key: str) -> None:
        """Put a reaction on a message, best effort."""
        await self._sender.react(channel, ref, key)

    # --- asking -----------------------------------------------------------------------------------

    async def rights_of(self, person: Person, channel: Channel) -> Rights:
        """Asked of the server, at most 10 s old.

        An admin is an owner, moderator or leader of the room.
        """
        return await self._permissions.of(person.id, channel.id)

    async def open_dm(self, person: Person) -> str:
        """The room of exactly the bot and this person."""
        return await self._direct.open(person.id)

    async def is_dm(self, channel: str) -> bool:
        """Asked of the server: a direct message of two, for there are some of more."""
        return await self._direct.is_dm(channel)

    async def display_name(self, person: Person) -> str | None:
        """The full name, else the username."""
        return await self._people.display_name(person.id)

    async def find_person(self, word: str, channel: Channel) -> Person | None:
        """`@username`, a full name that only one member has, or a user id."""
        found = await self._people.find(word, channel.id)
        return Person(PLATFORM, found) if found else None

    async def topic_of(self, channel: Channel) -> str | None:
        """The name of the channel; a direct message has none."""
        return await self._people.topic_of(channel.id)

    async def language_of(self, channel: Channel) -> str | None:
        """Rocket.Chat's channels have none."""
        return None

    def web_address(self, channel: Channel) -> str | None:
        """The channel at the workspace's own address."""
        return self._people.web_address(channel.id)

    async def shared_channels(self, one: Person, other: Person) -> bool:
        """Whether both are in a channel that the bot is in."""
        return await self._people.share_a_room(one.id, other.id)
