"""A command runs: is it fresh, is it too much, what is it, may they, do it, keep the answer.

What a command has to say goes to the outbox in the same commit that marks it done. Run again after
a crash, it finds its own effects by their cause and says the same under the same ids.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from commands.arguments import arguments
from commands.errors import (
    ChatTrouble,
    ServerBusy,
    ServerTrouble,
    UserError,
    WrongSecret,
)
from commands.grammar import Parsed, Unclosed, parse
from commands.handlers.buttons import BUTTONS, Button
from commands.handlers.table import COMMANDS, Table
from commands.letters import letters_of
from commands.messages import Message, Typed
from commands.permissions import Right, Standing, may
from commands.ports import Membership, Rights
from commands.refs import ref_of
from commands.services import alarms, channels
from commands.spec import Request, Say, Spec, say
from commands.world import World
from storage.records import Channel, Command, Kind, Letter
from storage.store import StoreError

log = logging.getLogger(__name__)

TOO_OLD = timedelta(minutes=5)
"""A command that old when it is about to run is not executed."""

HANDED_OVER = timedelta(seconds=10)
"""How long the letters of a command are left to whoever ran it; after that they are anybody's."""

MOST_TRIES = 10
"""A command that was started so often has brought the process down with it: it is given up."""

Count = Callable[[str, str], None]

_REFUSALS = {
    Right.MEMBER: "e.members_only",
    Right.ADMIN: "e.admins_only",
    Right.BOT_ADMIN: "e.bot_admins_only",
}

_EMOJI_STYLE = "\ufe0f"
"""Clients put it behind a symbol or not."""


class Dispatcher:
    """Runs commands from the inbox, each to its end."""

    def __init__(
        self, world: World, *, count: Count = lambda verb, outcome: None, table: Table = COMMANDS
    ) -> None:
        """`count` hears of every typed command: its verb, and `done`, `refused` or `failed`."""
        self._world = world
        self._count = count
        self._table = table

    async def run(self, command: Command) -> list[Letter]:
        """Run one command, its `attempts` counted with this one, and keep what it says.

        Gives the letters to send now; they are leased for that. Raises StoreError: the command then
        waits for another try.
        """
        if command.attempts > MOST_TRIES:
            await self._bury(command)
            return []
        return await self._finish(command, await self._answer(command))

    async def _bury(self, command: Command) -> None:
        log.error("command given up", extra={"action": "command_buried", "ref": ref_of(command.id)})
        apology = await self._in_language(command, [say("e.bug", ref=ref_of(command.id))])
        await self._world.store.bury(
            command.id, "started too often", letters_of(command, apology, now=self._world.clock())
        )

    async def _finish(self, command: Command, said: Sequence[Say]) -> list[Letter]:
        letters = letters_of(command, said, now=self._world.clock())
        letters = await self._unless_looping(command, letters)
        posted = [one.card for one in said if one.card is not None]
        new = await self._world.store.finish(
            command.id, letters, at=self._world.clock(), cards=posted, lease=HANDED_OVER
        )
        return [letter for letter in letters if letter.id in new]

    async def _unless_looping(self, command: Command, letters: list[Letter]) -> list[Letter]:
        """Where the bot talks and talks, what it says waits a minute, and its admins hear of it."""
        here = {one.id for one in letters if command.direct or one.channel == command.channel.id}
        if not here or command.attempts > 1:
            return letters
        breaker, now = self._world.limiters.talk, self._world.clock()
        until = breaker.silent_until(command.channel, now)
        told: list[Letter] = []
        if until is None:
            until = breaker.count(command.channel, command.person, len(here), now)
            if until is None:
                return letters
            log.warning("silent for a while: a loop?", extra={"action": "loop_silenced"})
            told = await alarms.looping(self._world, command.channel)
        held = [replace(one, next_try_at=until) if one.id in here else one for one in letters]
        return [*held, *told]

    async def _answer(self, command: Command) -> list[Say]:
        said, outcome = await self._outcome(command)
        if command.kind is Kind.MESSAGE:
            verb = self._verb(command.text)
            self._count(verb, outcome)
            log.debug("command done", extra=_done(verb, outcome))
        return await self._in_language(command, said)

    async def _outcome(self, command: Command) -> tuple[list[Say], str]:
        """What a command has to say, and how it went; the one place where its errors end."""
        fields = {"ref": ref_of(command.id)}
        try:
            return await self._said(command), "done"
        except UserError as error:
            return [say(error.key, **error.args_for_text)], "refused"
        except ServerTrouble as error:
            fields |= {"action": "server_trouble", "error": str(error)}
            log.warning("server trouble", extra=fields)
            return [say(_trouble_key(error), ref=ref_of(command.id))], "failed"
        except ChatTrouble as error:
            fields |= {"action": "chat_trouble", "error": str(error)}
            log.warning("the chat could not be asked", extra=fields)
            return [say("e.chat", ref=ref_of(command.id))], "failed"
        except StoreError:
            raise
        except Exception:
            log.exception("command failed", extra=fields | {"action": "command_failed"})
            return [say("e.bug", ref=ref_of(command.id))], "failed"

    def _verb(self, text: str) -> str:
        """The canonical verb, for counting; what people mistyped is `unknown`."""
        found = self._table.find(text.partition(" ")[0].casefold())
        return found.verb if found else "unknown"

    async def _said(self, command: Command) -> list[Say]:
        match command.kind:
            case Kind.WELCOME:
                return await self._welcome(command)
            case Kind.GONE:
                return await self._gone(command)
            case _:
                return await self._asked(command)

    async def _welcome(self, command: Command) -> list[Say]:
        """One hello per channel, however often the bot comes back: its id is the channel's. In one
        that took the place of another, one word about that instead.
        """
        if command.target is not None:
            old = Channel(command.channel.platform, command.target)
            await channels.replaced(self._world, old, command.channel)
            return [say("moved.here", help=Typed("help"))]
        await channels.entered(self._world, command.channel)
        return [say("hello", start=Typed(""), help=Typed("help"))]

    async def _gone(self, command: Command) -> list[Say]:
        if command.target is None:
            await channels.left(self._world, command.channel)
            return []
        to = await channels.closed(self._world, command.channel, command.target)
        return [say("moved.away", to=to)]

    async def _asked(self, command: Command) -> list[Say]:
        """Carry out what was typed or pressed, unless it is too late or too much."""
        button = self._button(command)
        if command.kind is Kind.REACTION and button is None:
            return []
        if self._world.clock() - command.sent_at > TOO_OLD:
            return [] if button else self._was_away(command)
        if to := await channels.successor(self._world, command.channel):
            return [] if button else [say("e.moved", to=to)]
        if button:
            return await self._pressed(command, button)
        refused = self._too_much(command)
        return await self._typed(command) if refused is None else refused

    def _was_away(self, command: Command) -> list[Say]:
        """What to repeat; after a long time away not for each of hundreds of lines."""
        now, limiters = self._world.clock(), self._world.limiters
        if limiters.away.wait(command.person, now) or limiters.away_from.wait(command.channel, now):
            return []
        key = "e.away_maybe" if command.attempts > 1 else "e.away"
        return [say(key, line=Typed(command.text))]

    def _button(self, command: Command) -> Button | None:
        """What a reaction asks for; with other keys it means nothing."""
        if command.kind is not Kind.REACTION:
            return None
        return BUTTONS.get(command.text.replace(_EMOJI_STYLE, ""))

    def _too_much(self, command: Command) -> list[Say] | None:
        """Over the limit: said once in words, then with silence until there is room again."""
        if command.attempts > 1:
            return None
        now, limiters = self._world.clock(), self._world.limiters
        wait = limiters.person.wait(command.person, now) or limiters.channel.wait(
            command.channel, now
        )
        if wait is None:
            return None
        told = limiters.told.wait((command.person, command.channel), now) is None
        seconds = timedelta(seconds=max(1, round(wait.total_seconds())))
        return [say("e.slow", wait=seconds)] if told else []

    async def _pressed(self, command: Command, button: Button) -> list[Say]:
        """A button under a card; under other messages there is none. Too many are silently left."""
        platform, target = command.channel.platform, command.target or ""
        card = await self._world.store.card_by_ref(platform, target)
        if card is None or card.channel != command.channel:
            return []
        if self._world.limiters.presses.wait(command.person, self._world.clock()):
            return []
        world = self._world.hurried()
        request = await self._request(command, Right.MEMBER)
        if not may(Right.MEMBER, request.standing):
            return []
        return await button(world, request, card)

    async def _typed(self, command: Command) -> list[Say]:
        parsed = self._parsed(command.text)
        spec = self._spec(parsed)
        if command.direct and not spec.direct:
            raise UserError("e.only_in_channels", verb=spec.verb)
        world = self._world.hurried()
        request = await self._request(command, spec.right)
        if not may(spec.right, request.standing):
            raise UserError(_REFUSALS[spec.right], verb=spec.verb)
        return await spec.handler(world, request, arguments(parsed, spec))

    def _parsed(self, text: str) -> Parsed:
        try:
            return parse(text)
        except Unclosed:
            raise UserError("e.quote") from None

    def _spec(self, parsed: Parsed) -> Spec:
        if found := self._table.find(parsed.verb):
            return found
        if near := self._table.nearest(parsed.verb):
            raise UserError(
                "e.unknown_near", verb=parsed.verb, near=Typed(near.usage), help=Typed("help")
            )
        raise UserError("e.unknown", verb=parsed.verb, help=Typed("help"))

    async def _request(self, command: Command, right: Right) -> Request:
        rights = (
            Rights(Membership.JOINED)
            if right is Right.ANYONE
            else await self._world.chat(command.channel.platform).rights_of(
                command.person, command.channel
            )
        )
        admin = command.person in self._world.policy.admins
        standing = Standing(rights, direct=command.direct, bot_admin=admin)
        return Request(command, standing, await self._language(command))

    async def _language(self, command: Command) -> str:
        own = await self._world.own_language(command.person) if command.direct else None
        return own or await self._world.language_of(command.channel)

    async def _in_language(self, command: Command, said: Sequence[Say]) -> list[Say]:
        if all(one.message is None or one.message.language for one in said):
            return list(said)
        language = await self._language(command)
        return [
            replace(one, message=_in(one.message, language), fallback=_in(one.fallback, language))
            for one in said
        ]


def _in(text: Message | None, language: str) -> Message | None:
    return text if text is None or text.language else replace(text, language=language)


def _trouble_key(error: ServerTrouble) -> str:
    """One clear sentence for the person; only the log says which server and why."""
    match error:
        case _ if error.in_doubt:
            return "e.bbb_unknown"
        case ServerBusy():
            return "e.bbb_busy"
        case WrongSecret():
            return "e.bbb_secret"
        case _:
            return "e.bbb"


def _done(verb: str, outcome: str) -> Mapping[str, str]:
    """What the log says of a command: never what was typed."""
    return {"action": "command_done", "verb": verb, "outcome": outcome}
