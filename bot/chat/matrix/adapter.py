"""The Matrix adapter: one account on one device, behind the port that all chats share."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from bot.chat.background import Background
from bot.chat.backoff import Backoff
from bot.chat.base import ChatMisconfigured, Intake, Mode
from bot.chat.matrix.authors import Authors
from bot.chat.matrix.client import Client
from bot.chat.matrix.cross_signing import CrossSigning
from bot.chat.matrix.cross_signing import Mode as Signing
from bot.chat.matrix.direct import DirectRooms
from bot.chat.matrix.doors import Doors
from bot.chat.matrix.identity import IdentityFile
from bot.chat.matrix.inflow import Inflow
from bot.chat.matrix.invites import Invites, server_of
from bot.chat.matrix.keys import Keys
from bot.chat.matrix.late import LateKeys
from bot.chat.matrix.people import People
from bot.chat.matrix.permissions import Permissions
from bot.chat.matrix.receive import PLATFORM, Reader
from bot.chat.matrix.sending import Sender
from bot.chat.matrix.sync import SyncLoop
from bot.chat.matrix.upgrades import Upgrades
from commands.i18n import texts
from commands.ports import Outgoing, Rights
from storage.records import Channel, Person


class MatrixAdapter:
    """A `bot.chat.base.Adapter`.

    `store_dir` keeps the encryption keys of this user and device, `identity_file` the account's
    cross-signing keys, both sealed with `pickle_key`; they belong into the backup together with the
    database. `cross_signing` is one of `cross_signing.Mode`. `allow_invites_from` holds user ids
    and server names; empty means the bot's own server. `language` is that of the reasons the bot
    gives when it declines or leaves. `backoff` is for tests.
    """

    platform = PLATFORM

    def __init__(
        self,
        *,
        homeserver: str,
        user_id: str,
        device_id: str,
        access_token: str,
        store_dir: Path,
        identity_file: Path,
        pickle_key: str,
        prefixes: tuple[str, ...],
        encryption: bool = True,
        cross_signing: str = "auto",
        recovery_key: str | None = None,
        allow_invites_from: Sequence[str] = (),
        language: str = "en",
        backoff: Backoff | None = None,
    ) -> None:
        self._client = Client(
            homeserver=homeserver,
            user_id=user_id,
            device_id=device_id,
            access_token=access_token,
            store_dir=store_dir,
            pickle_key=pickle_key,
            encryption=encryption,
        )
        self._user_id = user_id
        self._device_id = device_id
        self._allowed = frozenset(allow_invites_from) or frozenset({server_of(user_id)})
        self._reasons = texts(language).plain
        self._backoff = backoff
        self._reader = Reader(user_id, prefixes)
        self._background = Background()
        identity = IdentityFile(identity_file, pickle_key)
        signing = CrossSigning(
            self._client, identity, mode=Signing(cross_signing), recovery_key=recovery_key
        )
        self._keys = Keys(self._client, signing)
        self._direct = DirectRooms(self._client, encryption=encryption)
        self._permissions = Permissions(self._client)
        self._people = People(self._client)
        self._sender = Sender(self._client, self._keys, self._background)
        self._loop: SyncLoop | None = None

    # --- life -------------------------------------------------------------------------------------

    async def start(self, intake: Intake) -> None:
        """Returns after the first sync, or when the homeserver is in trouble and tried again.

        Raises ChatMisconfigured.
        """
        logging.getLogger("nio").setLevel(logging.ERROR)  # it logs whole answers
        self._client.open()
        doors = Doors(self._client)
        upgrades = Upgrades(self._client, doors, farewell=self._reasons("invite.not_ours"))
        invites = Invites(
            self._direct, doors, upgrades, allowed=self._allowed, reasons=self._reasons
        )
        inflow = Inflow(
            self._client,
            intake=intake,
            reader=self._reader,
            keys=self._keys,
            direct=self._direct,
            doors=doors,
            invites=invites,
            upgrades=upgrades,
            authors=Authors(self._client),
            late=LateKeys(self._client, time.monotonic),
            background=self._background,
        )
        self._loop = SyncLoop(
            self._client, prepare=self._prepare, take=inflow.take, backoff=self._backoff
        )
        await self._loop.start(await intake.position(PLATFORM))

    async def _prepare(self) -> None:
        """Before anything is received: is this the account and the device we think we are?"""
        found = await self._client.ask("GET", "/account/whoami")
        for name, ours in (("user_id", self._user_id), ("device_id", self._device_id)):
            if found.get(name) != ours:
                raise ChatMisconfigured(
                    f"The access token belongs to the {name} {found.get(name)}, "
                    f"the configuration says {ours}. Put the one that goes with the token there."
                )
        await self._keys.prepare()
        await self._direct.load()

    async def stop(self) -> None:
        """Finish what is being received, close. Never raises."""
        if self._loop:
            await self._loop.stop()
        await self._background.close()
        await self._client.shut()

    @property
    def mode(self) -> Mode:
        """Live while the homeserver answered a sync in the last two minutes."""
        return Mode.LIVE if self._loop and self._loop.healthy() else Mode.DOWN

    @property
    def trouble(self) -> str | None:
        """Why Matrix can never work like this, and what to do; None while there is hope."""
        return self._loop.trouble if self._loop else None

    # --- saying -----------------------------------------------------------------------------------

    async def send(self, message: Outgoing) -> str:
        """Post; the same `message.id` again posts nothing new."""
        return await self._sender.send(message)

    async def edit(self, ref: str, message: Outgoing) -> None:
        """Replace what `ref` shows. Pings nobody."""
        await self._sender.edit(ref, message)

    async def react(self, channel: str, ref: str, key: str) -> None:
        """Put a reaction on a message, best effort. Matrix never encrypts reactions."""
        await self._sender.react(channel, ref, key)

    # --- asking -----------------------------------------------------------------------------------

    async def rights_of(self, person: Person, channel: Channel) -> Rights:
        """Asked of the homeserver, never from memory.

        An admin is who may change the room's state: a level of at least 50 and of at least
        `state_default`, or a creator of a room of version 12 or later.
        """
        return await self._permissions.of(person.id, channel.id)

    async def open_dm(self, person: Person) -> str:
        """The room with just this person, encrypted when we make it and encryption is on."""
        return await self._direct.open(person.id)

    async def is_dm(self, channel: str) -> bool:
        """Asked of the homeserver: just two are in it; listed as direct, or without a name."""
        return await self._direct.is_dm(channel)

    async def display_name(self, person: Person) -> str | None:
        """The name of the profile."""
        return await self._people.display_name(person.id)

    async def find_person(self, word: str, channel: Channel) -> Person | None:
        """A user id, `@localpart`, or a display name that only one member has."""
        found = await self._people.find(word, channel.id)
        return Person(PLATFORM, found) if found else None

    async def topic_of(self, channel: Channel) -> str | None:
        """The room's name, else its main address."""
        return self._people.topic_of(channel.id)

    async def language_of(self, channel: Channel) -> str | None:
        """Matrix rooms have none."""
        return None

    def web_address(self, channel: Channel) -> str | None:
        """A matrix.to address."""
        return self._people.web_address(channel.id)

    async def shared_channels(self, one: Person, other: Person) -> bool:
        """By the rooms' members as the sync knows them."""
        return self._people.share_a_room(one.id, other.id)
