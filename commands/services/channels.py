"""Channels: the bot comes in, is removed, or goes with one into another that takes its place."""

from collections.abc import Sequence
from dataclasses import replace

from commands.messages import message, to_json
from commands.services import cards
from commands.world import World
from storage.records import Card, Channel, ChannelRow, Letter, Priority


async def entered(world: World, channel: Channel) -> None:
    """The bot came into a channel: note whether it is direct, and that it is here."""
    direct = await world.chat(channel.platform).is_dm(channel.id)
    row = await _row(world, channel)
    await world.store.put_channel(replace(row, direct=direct, left_at=None, moved_to=None))


async def left(world: World, channel: Channel) -> None:
    """The bot was removed from a channel; all that is known of it stays, for when it is back."""
    row = await _row(world, channel)
    await world.store.put_channel(replace(row, left_at=world.clock()))


async def closed(world: World, channel: Channel, to: str) -> str:
    """Another channel is to take the place of this one; gives where that is, for people.

    Nothing is carried out here any more. What is kept of it stays until the bot is in the other.
    """
    row = await _row(world, channel)
    await world.store.put_channel(replace(row, moved_to=to))
    return _address(world, channel.platform, to)


async def successor(world: World, channel: Channel) -> str | None:
    """Where people go on that were in a closed channel; None for one that is open."""
    row = await world.store.channel(channel)
    return _address(world, channel.platform, row.moved_to) if row and row.moved_to else None


async def replaced(world: World, old: Channel, new: Channel) -> None:
    """The bot is in the channel that took the place of another: what was there is here now.

    The cards of living calls are posted anew: those in the old channel can be edited no more.
    """
    await entered(world, new)
    await world.store.move_channel(old, new, await _living_cards(world, old, new))


async def unreadable(world: World, channel: Channel, ref: str) -> bool:
    """Say that the message `ref` could not be read, once per channel and hour; whether it was said.

    The hour is counted in memory; the letter's id keeps a restart from saying it again.
    """
    now = world.clock()
    if world.limiters.unreadable.wait(channel, now):
        return False
    text = replace(message("unreadable"), language=await world.language_of(channel))
    letter = Letter(
        id=f"unreadable:{channel.platform}:{channel.id}:{int(now.timestamp() // 3600)}",
        platform=channel.platform,
        content=to_json(text),
        created_at=now,
        channel=channel.id,
        reply_to=ref,
        priority=Priority.NOTICE,
    )
    return bool(await world.store.say([letter]))


async def _living_cards(world: World, old: Channel, new: Channel) -> Sequence[Letter]:
    found = [await _living_card(world, room.id) for room in await world.store.rooms_in(old)]
    return [
        cards.letter_of(replace(card, channel=new), letter_id=f"{card.id}/post/{new.id}")
        for card in found
        if card is not None
    ]


async def _living_card(world: World, room_id: str) -> Card | None:
    meeting = await world.store.live_meeting(room_id)
    return await world.store.card(meeting.card) if meeting and meeting.card else None


async def _row(world: World, channel: Channel) -> ChannelRow:
    return await world.store.channel(channel) or ChannelRow(channel)


def _address(world: World, platform: str, channel: str) -> str:
    chat = world.chats.get(platform)
    return (chat and chat.web_address(Channel(platform, channel))) or channel
