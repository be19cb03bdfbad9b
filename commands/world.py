"""What every service needs, in one value: store, chats, servers, clock, policy."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from commands.cleaning import clean, local_part
from commands.errors import ChatTrouble, ChatUnavailable
from commands.limits import Breaker, Limiter
from commands.links import Links, pseudonym
from commands.ports import Chat, Clock, Limits, MeetingServers, Policy, Randomness
from storage.records import Channel, Person, PersonRow
from storage.store import Store

WAITED_FOR = 9.0
"""Seconds that BBB gets in all while a person waits: within 10 s they have an answer."""

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

MOST_POSTS = 10
"""In one channel within LOOP, the first to each person left out; more is no conversation."""
LOOP = timedelta(seconds=10)


class Limiters:
    """How often each person and channel may ask; kept in memory."""

    def __init__(self, limits: Limits) -> None:
        self.person = Limiter(limits.commands_per_person, MINUTE)
        self.channel = Limiter(limits.commands_per_channel, MINUTE)
        self.creates = Limiter(limits.creates_per_person, HOUR)
        self.invitations = Limiter(limits.invitations_per_person, HOUR)
        self.told = Limiter(1, MINUTE)
        self.away = Limiter(limits.commands_per_person, MINUTE)
        self.away_from = Limiter(limits.commands_per_channel, MINUTE)
        self.unreadable = Limiter(1, HOUR)
        self.presses = Limiter(limits.commands_per_person, MINUTE)
        self.talk = Breaker(max(MOST_POSTS, limits.commands_per_person), LOOP, MINUTE)
        self.joins = Limiter(limits.joins_per_person, MINUTE)
        self.joins_into = Limiter(limits.joins_per_room, MINUTE)


@dataclass(frozen=True, slots=True)
class World:
    """The outside, as services see it; `bot.app` makes it, tests make it of fakes."""

    store: Store
    chats: Mapping[str, Chat]
    servers: MeetingServers
    links: Links
    clock: Clock
    random: Randomness
    policy: Policy
    pseudonym_key: bytes = field(repr=False)
    limiters: Limiters

    def chat(self, platform: str) -> Chat:
        """Raises ChatUnavailable for a platform that is not started."""
        try:
            return self.chats[platform]
        except KeyError:
            raise ChatUnavailable(f"{platform} is not started") from None

    def hurried(self) -> "World":
        """The same for one person who waits: from now on, BBB has so long for all of it."""
        return replace(self, servers=self.servers.within(WAITED_FOR))

    async def name_of(self, person: Person) -> str:
        """The display name cleaned, else the local part of the id cleaned; may be ""."""
        try:
            shown = await self.chat(person.platform).display_name(person)
        except ChatTrouble:
            shown = None
        return clean(shown or "") or clean(local_part(person.id))

    async def place_of(self, channel: Channel) -> str:
        """A channel's name and id, for admins; the id alone where the chat does not say."""
        try:
            name = clean(await self.chat(channel.platform).topic_of(channel) or "")
        except ChatTrouble:
            name = ""
        return f"{name} ({channel.id})" if name else channel.id

    async def language_of(self, channel: Channel) -> str:
        """The channel's setting, else the platform's, else the configuration's."""
        row = await self.store.channel(channel)
        if row and row.settings.get("language"):
            return str(row.settings["language"])
        try:
            given = await self.chat(channel.platform).language_of(channel)
        except ChatTrouble:
            given = None
        return given or self.policy.language

    async def own_language(self, person: Person) -> str | None:
        row = await self.store.person(person)
        return row.language if row else None

    async def pseudonym_of(self, person: Person) -> str:
        """What BBB knows of a person; kept, so that we can map it back."""
        row = await self.store.person(person) or PersonRow(person)
        if row.pseudonym is None:
            made = pseudonym(self.pseudonym_key, person.platform, person.id)
            row = replace(row, pseudonym=made)
            await self.store.put_person(row)
        return row.pseudonym or ""


def derived(kind: str, cause: str) -> str:
    """An id that a repeat of the same cause finds again: `room-` and 20 hex digits."""
    return f"{kind}-{hashlib.sha256(f'{kind}|{cause}'.encode()).hexdigest()[:20]}"
