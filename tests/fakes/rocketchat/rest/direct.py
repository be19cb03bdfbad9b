"""dm.* and im.*: direct rooms."""

from __future__ import annotations

from tests.fakes.rocketchat.records import Room, User
from tests.fakes.rocketchat.refusals import Refused
from tests.fakes.rocketchat.rest.endpoints import Call, endpoint
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.wire import Json


def open_direct(
    state: State, user: User, usernames: list[str], *, without_self: bool = False
) -> Room:
    """The room with exactly these people, made where there is none. Raises Refused.

    An unknown name with an `@` becomes a federated user, as a real server would try.
    """
    if not state.may(user, "create-d"):
        raise Refused("error-not-allowed", "Not allowed")
    others = [_addressee(state, name) for name in usernames]
    alone = all(other is user for other in others)
    if alone and not state.settings["Message_AllowDirectMessagesToYourself"]:
        raise Refused("error-invalid-user", "Invalid user")
    people = list(dict.fromkeys(others if without_self else [user, *others]))
    if room := state.direct_room(people):
        return room
    # a room of two has the ids of both as its own
    rid = "".join(sorted(person.id for person in people)) if len(people) == 2 else None
    return state.add_room(None, "d", None, people, id=rid)


def _addressee(state: State, name: str) -> User:
    user = state.named(name)
    if user is None and "@" in name:
        return state.add_user(name, federated=True)
    if user is None:
        raise Refused("error-invalid-user", "Invalid user")
    return user


@endpoint("POST", "dm.create", "im.create")
def create(call: Call) -> Json:
    """Idempotent for one set of people."""
    names = call.optional("username") or call.optional("usernames")
    if not names:
        raise Refused(
            "error-room-not-found", 'The required "username" or "usernames" param is missing'
        )
    many = "username" not in call.params
    usernames = [name.strip() for name in names.split(",")] if many else [names]
    without_self = bool(call.flag("excludeSelf"))
    room = open_direct(call.state, call.me, usernames, without_self=without_self)
    shown = {"t": "d", "rid": room.id, "_id": room.id}
    return {"room": {**shown, "usernames": [user.username for user in room.users]}}


@endpoint("GET", "dm.list", "im.list")
def list_direct(call: Call) -> Json:
    rooms = [room.document for room in call.state.rooms_of(call.me) if room.kind == "d"]
    return call.page("ims", rooms)
