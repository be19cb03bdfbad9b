"""Reactions under a card as buttons; each does what a typed command does too."""

from collections.abc import Awaitable, Callable, Mapping

from commands.handlers.direct import direct
from commands.handlers.meetings import ended, ended_before
from commands.messages import Phrase
from commands.services.cards import JOIN_BUTTON
from commands.services.linking import personal_link
from commands.spec import Request, Say
from commands.world import World
from storage.records import Card, Room

Button = Callable[[World, Request, Card], Awaitable[list[Say]]]


async def join(world: World, request: Request, card: Card) -> list[Say]:
    """▶: the personal link, by direct message and without a word in the channel."""
    room = await _living(world, card)
    if room is None:
        return []
    link = await personal_link(world, room, request.person)
    phrase = Phrase("join.link", {"room": room.name, "link": link})
    return [direct(request.person, phrase, language=request.language)]


async def end(world: World, request: Request, card: Card) -> list[Say]:
    """⏹: end the call this card is about, as `end` does; asked twice when several are inside."""
    if done := await ended_before(world, request):
        return done
    room = await _living(world, card)
    meeting = await world.store.live_meeting(card.room)
    if room is None or meeting is None or meeting.card != card.id:
        return []
    return await ended(world, request, room, sure=False)


async def _living(world: World, card: Card) -> Room | None:
    room = await world.store.room(card.room)
    return room if room and room.deleted_at is None else None


BUTTONS: Mapping[str, Button] = {JOIN_BUTTON: join, "⏹": end}
"""By reaction key, without the variation selector."""
