"""What a chat adapter is: the `Chat` port, plus receiving into the inbox, starting and stopping."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from commands.ports import Chat
from storage.records import Channel, Command, Person


class Intake(Protocol):
    """Where adapters put what they receive; implemented by `bot.jobs.inbox`."""

    async def accept(
        self, platform: str, position: str | None, commands: Sequence[Command]
    ) -> None:
        """Keep commands and the sync position in one commit, then let the workers at them.

        Returns when the commit is done; the commands run later. Those seen before are left out.
        """

    async def position(self, platform: str) -> str | None:
        """The stored sync position."""

    async def person_arrived(self, person: Person) -> None:
        """This person joined a direct channel: letters that wait for them are due now."""

    async def unreadable(self, channel: Channel, ref: str) -> None:
        """The message `ref` could not be read, however long the adapter waited for its key."""


class Mode(StrEnum):
    """How what people say reaches the bot."""

    LIVE = "live"  # at once
    POLLING = "polling"  # the chat is asked for it every few seconds
    DOWN = "down"  # not at all


class Adapter(Chat, Protocol):
    """A chat the bot can be started on."""

    async def start(self, intake: Intake) -> None:
        """Connect and begin to receive; returns when ready to send, or when still trying (a chat
        that is down is normal). Raises ConfigError-like `ChatMisconfigured` when trying is useless.
        """

    async def stop(self) -> None:
        """Stop receiving, finish what is being received, close. Never raises."""

    @property
    def mode(self) -> Mode:
        """How what people say reaches the bot, as far as it was seen lately."""

    @property
    def trouble(self) -> str | None:
        """Why this chat can never work like this, and what to do; None while there is hope."""


class ChatMisconfigured(Exception):
    """The chat can never work like this (revoked token, wrong device). The text says what to do."""
