"""admin: what the bot's own admins look after. They alone read the answers."""

from commands.errors import UserError
from commands.messages import Message, Phrase, Style, Typed
from commands.permissions import Right
from commands.services import outbox
from commands.spec import Args, Group, Request, Say, Takes, say
from commands.world import World

group = Group()

_USAGE = "admin outbox [retry|drop N|all]"


@group.command("admin", _USAGE, right=Right.BOT_ADMIN, takes=Takes(names=3))
async def admin(world: World, request: Request, args: Args) -> list[Say]:
    """Messages that could not be delivered: which, once more, or forget them."""
    match [word.casefold() for word in args.names]:
        case ["outbox"]:
            return _in_private(request, *await outbox.listed(world))
        case ["outbox", "retry", which]:
            done = await outbox.retry(world, which, request.cause)
            return _in_private(request, _settled("outbox.retried", done))
        case ["outbox", "drop", which]:
            done = await outbox.drop(world, which, request.cause)
            return _in_private(request, _settled("outbox.dropped", done))
    raise UserError("e.admin_usage", usage=Typed(_USAGE))


def _settled(key: str, numbers: list[int]) -> Phrase:
    return Phrase(key, {"n": len(numbers), "numbers": ", ".join(f"#{one}" for one in numbers)})


def _in_private(request: Request, *phrases: Phrase) -> list[Say]:
    """Where the bot is and whom it writes to is nobody else's business."""
    if request.command.direct:
        return [Say(Message(phrases))]
    told = Message(phrases, style=Style.TEXT, language=request.language)
    return [Say(told, to=request.person), say("admin.sent")]
