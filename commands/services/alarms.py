"""What the bot's admins hear by direct message, unasked: each thing once an hour at most."""

from commands.messages import Arg, Style, Typed, message, to_json
from commands.world import World, derived
from storage.records import Channel, Letter, Priority

_ALARM = "alarm"


async def undelivered(world: World, letter: Letter) -> list[Letter]:
    """A letter was given up. Nothing is said about an alarm itself."""
    if letter.id.startswith(f"{_ALARM}-"):
        return []
    return _alarm(world, "outbox", "alarm.undelivered", list=Typed("admin outbox"))


async def looping(world: World, channel: Channel) -> list[Letter]:
    """The bot talks and talks in a channel, and has silenced itself there."""
    where = await world.place_of(channel)
    about = f"loop|{channel.platform}|{channel.id}"
    return _alarm(world, about, "alarm.loop", where=where, most=world.limiters.talk.most)


def _alarm(world: World, about: str, key: str, **args: Arg) -> list[Letter]:
    now = world.clock()
    return [
        Letter(
            id=derived(_ALARM, f"{about}|{now:%Y-%m-%dT%H}|{person.platform}|{person.id}"),
            platform=person.platform,
            person=person.id,
            content=to_json(message(key, style=Style.TEXT, **args)),
            created_at=now,
            priority=Priority.NOTICE,
        )
        for person in sorted(world.policy.admins, key=lambda one: (one.platform, one.id))
        if person.platform in world.chats
    ]
