"""What a person may do so many times an hour: counted, unless it comes to nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

from commands.errors import UserError
from commands.limits import Limiter
from commands.spec import Request
from commands.world import World


@contextmanager
def counted(
    world: World, request: Request, limiter: Limiter, refusal: str, cost: int = 1
) -> Iterator[None]:
    """Count what is done inside; what a crash interrupted was counted the first time.

    Raises UserError with the key `refusal` when it was too much.
    """
    if request.command.attempts > 1:
        yield
        return
    if wait := limiter.wait(request.person, world.clock(), cost):
        raise UserError(refusal, wait=wait)
    try:
        yield
    except Exception:
        limiter.give_back(request.person, world.clock(), cost)
        raise


@contextmanager
def creation(world: World, request: Request) -> Iterator[None]:
    """A room or a call that somebody makes."""
    with counted(world, request, world.limiters.creates, "e.too_many_creates"):
        yield


@contextmanager
def invitations(world: World, request: Request, people: int) -> Iterator[None]:
    """So many people that somebody invites."""
    with counted(world, request, world.limiters.invitations, "e.too_many_invitations", people):
        yield
