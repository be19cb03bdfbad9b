"""The card that follows a call: open, running, ended; what it shows in each state."""

from datetime import timedelta

from commands.messages import Arg, LinkTo, Message, Phrase, Style, TextKey, Who, to_json
from commands.options import Options
from commands.services.linking import room_link
from commands.world import World, derived
from storage.records import Card, Letter, Meeting, MeetingState, Priority, Room

REUSED_FOR = timedelta(minutes=15)
"""A click within this time of the end lets the same card run again."""

JOIN_BUTTON = "▶"


async def content(world: World, room: Room, meeting: Meeting) -> Message:
    """What the meeting's card should show now."""
    if meeting.state is MeetingState.ENDED:
        phrases = _ended(meeting)
    else:
        who = Who(meeting.started_by, await world.name_of(meeting.started_by))
        phrases = _alive(meeting, await room_link(world, room), who)
    language = await world.language_of(room.channel)
    return Message(phrases, style=Style.TEXT, buttons=(JOIN_BUTTON,), language=language)


def _alive(meeting: Meeting, link: LinkTo, who: Who) -> tuple[Phrase, ...]:
    state = (
        Phrase("card.running", {"topic": meeting.topic, "n": meeting.present, "who": who})
        if meeting.state is MeetingState.RUNNING
        else Phrase("card.open", {"topic": meeting.topic, "who": who})
    )
    return (state, Phrase("card.join", {"link": link}), _facts(Options.from_json(meeting.options)))


def _facts(options: Options) -> Phrase:
    return Phrase(
        "card.facts",
        {
            "moderators": TextKey(f"moderators.{options.moderators or 'admins'}"),
            "record": TextKey(f"record.{options.record or 'off'}"),
        },
    )


def _ended(meeting: Meeting) -> tuple[Phrase, ...]:
    if meeting.joined_at is None or meeting.ended_at is None:
        return (Phrase("card.nobody_came", {"topic": meeting.topic}), Phrase("card.again"))
    length = max(meeting.ended_at - meeting.joined_at, timedelta(minutes=1))
    args: dict[str, Arg] = {"topic": meeting.topic, "length": length, "n": meeting.peak}
    return (Phrase("card.ended", args), Phrase("card.again"))


async def new_card(world: World, room: Room, meeting: Meeting) -> Card:
    """The card of a meeting, not yet posted; its id is the one that the meeting names."""
    shown = to_json(await content(world, room, meeting))
    card_id = meeting.card or derived("card", meeting.cause)
    return Card(card_id, room.id, room.channel, shown, world.clock())


def letter_of(card: Card, *, letter_id: str) -> Letter:
    """The letter that posts a card."""
    return Letter(
        id=letter_id,
        platform=card.channel.platform,
        channel=card.channel.id,
        content=card.content,
        created_at=card.created_at,
        priority=Priority.CARD,
        card=card.id,
    )


async def refresh(world: World, room: Room, meeting: Meeting) -> None:
    """Let the meeting's card show its present state; the outbox edits it only so often."""
    if meeting.card is not None:
        shown = to_json(await content(world, room, meeting))
        await world.store.show_on_card(meeting.card, shown, edit_at=world.clock())
