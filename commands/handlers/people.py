"""lang, forget-me: what people and channels set for themselves."""

from commands.errors import UserError
from commands.messages import Message, Phrase, Typed
from commands.permissions import Right
from commands.services import people
from commands.spec import Args, Group, Request, Say, Takes, say
from commands.world import World

group = Group()


@group.command("lang", "lang en|fr|de", takes=Takes(names=1), aliases=("langue", "sprache"))
async def language(world: World, request: Request, args: Args) -> list[Say]:
    """The channel's language (channel admins); in a direct channel my own."""
    if not args.names:
        return [say("lang.is", name=people.LANGUAGE_NAMES[request.language], set=Typed("lang fr"))]
    code = people.language(args.names[0])
    if request.command.direct:
        await people.set_own_language(world, request.person, code)
    elif not request.standing.admin:
        raise UserError("e.admins_only", verb="lang")
    else:
        await people.set_channel_language(world, request.command.channel, code)
    done = Phrase("lang.done", {"name": people.LANGUAGE_NAMES[code]})
    return [Say(Message((done,), language=code))]


@group.command("forget-me", "forget-me", right=Right.ANYONE, aliases=("oublie-moi", "vergiss-mich"))
async def forget(world: World, request: Request, args: Args) -> list[Say]:
    """Take away what the bot keeps of me."""
    await people.forget(world, request.person)
    # In the language that is forgotten with the rest.
    return [Say(Message((Phrase("forget.done"),), language=request.language))]
