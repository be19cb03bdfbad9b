"""Other people: who somebody is, and finding them."""

from __future__ import annotations

from tests.fakes.rocketchat.records import User
from tests.fakes.rocketchat.refusals import Failed, Refused
from tests.fakes.rocketchat.rest.endpoints import Call, endpoint
from tests.fakes.rocketchat.wire import Json


@endpoint("GET", "users.info")
def users_info(call: Call) -> Json:
    """Roles of others are told to those with view-full-other-user-info only."""
    wanted: Json = {
        key: call.params[key] for key in ("userId", "username", "email") if key in call.params
    }
    if not wanted and "importId" not in call.params:
        raise call.bad("must have required property 'userId'")
    user = _found(call, wanted)
    if user is None:
        raise Failed("User not found.")
    everything = call.state.may(call.me, "view-full-other-user-info")
    document = {**user.document, "canViewAllInfo": everything}
    if user is not call.me and not everything:
        del document["roles"]
    if call.flag("includeUserRooms") and (everything or user is call.me):
        document["rooms"] = [
            {"_id": room.members[user.id].id, "rid": room.id, "t": room.kind, "name": room.name}
            for room in call.state.rooms_of(user)
        ]
    return {"user": document}


def _found(call: Call, wanted: Json) -> User | None:
    for user in call.state.users.values():
        if (
            user.id == wanted.get("userId")
            or user.username == wanted.get("username")
            or user.email == wanted.get("email")
        ):
            return user
    return None


@endpoint("GET", "users.list")
def users_list(call: Call) -> Json:
    if not call.state.may(call.me, "view-d-room"):
        raise Refused("error-unauthorized", "unauthorized")
    keys = ("_id", "username", "name", "type", "status", "active", "utcOffset")
    users = [{key: user.document[key] for key in keys} for user in call.state.users.values()]
    return call.page("users", users)


@endpoint("GET", "users.getPresence")
def get_presence(call: Call) -> Json:
    wanted: Json = {key: call.params[key] for key in ("userId", "username") if key in call.params}
    user = _found(call, wanted) if wanted else call.me
    if user is None:
        raise Refused(
            "error-invalid-user",
            'The required "userId" or "username" param provided does not match any users',
        )
    return {"presence": user.document["status"]}


@endpoint("GET", "spotlight")
def spotlight(call: Call) -> Json:
    """People and public channels whose name begins so."""
    said = call.text("query").lstrip("@#").casefold()
    users = [
        {"_id": user.id, "username": user.username, "name": user.name, "status": user.status}
        for user in call.state.users.values()
        if user.username.casefold().startswith(said) and user.active
    ]
    rooms = [
        {"_id": room.id, "name": room.name, "t": room.kind}
        for room in call.state.rooms.values()
        if room.kind == "c" and (room.name or "").casefold().startswith(said)
    ]
    return {"users": users[:5], "rooms": rooms[:5]}
