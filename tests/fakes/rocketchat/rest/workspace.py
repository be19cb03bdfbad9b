"""About the whole workspace: version, public settings, slash commands, roles."""

from __future__ import annotations

from tests.fakes.rocketchat.refusals import Failed, Refused
from tests.fakes.rocketchat.rest.endpoints import Call, endpoint
from tests.fakes.rocketchat.settings import NOT_PUBLIC
from tests.fakes.rocketchat.wire import Json


@endpoint("GET", "/info", "info", login=False)
def info(call: Call) -> Json:
    """ "major.minor" for everybody but those with view-statistics."""
    version = call.profile.version_text
    shown = version if call.user and call.state.may(call.user, "view-statistics") else None
    body: Json = {"version": shown or version.rpartition(".")[0]}
    if shown:
        body["info"] = {"version": version}
    return body


@endpoint("GET", "settings.public", login=False)
def settings_public(call: Call) -> Json:
    wanted = (call.optional("_id") or "").split(",") if call.profile.settings_filter else [""]
    settings = [
        {"_id": key, "value": value}
        for key, value in sorted(call.state.settings.items())
        if key not in NOT_PUBLIC and (wanted == [""] or key in wanted)
    ]
    return call.page("settings", settings)


@endpoint("GET", "commands.get")
def commands_get(call: Call) -> Json:
    name = call.params.get("command")
    if not isinstance(name, str):
        raise Failed('The query param "command" must be provided.')
    command = call.state.commands.get(name.lower())
    if command is None:
        raise Failed(f"There is no command in the system by the name of: {name}")
    return {"command": command}


@endpoint("GET", "commands.list")
def commands_list(call: Call) -> Json:
    commands = sorted(call.state.commands.items())
    return call.page("commands", [command for _, command in commands])


@endpoint("GET", "permissions.listAll")
def permissions_list_all(call: Call) -> Json:
    """Who is granted what: told to everybody who is logged in (documented)."""
    granted = sorted(call.state.permissions.items())
    return {"update": [{"_id": name, "roles": sorted(r)} for name, r in granted], "remove": []}


@endpoint("GET", "roles.getUsersInRole", permission="access-permissions")
def roles_get_users_in_role(call: Call) -> Json:
    role, rid = call.text("role"), call.optional("roomId")
    if rid is not None:
        room = call.state.rooms.get(rid)
        if room is None:
            raise Refused("error-invalid-room", "Invalid room")
        holders = {user_id for user_id, roles in room.roles.items() if role in roles}
        users = [call.state.users[user_id] for user_id in sorted(holders)]
    else:
        users = [user for user in call.state.users.values() if role in user.roles]
    keys = ("_id", "username", "name", "type", "active")
    return call.page("users", [{key: user.document[key] for key in keys} for user in users])


@endpoint("GET", "roles.list")
def roles_list(call: Call) -> Json:
    scopes = {"owner": "Subscriptions", "moderator": "Subscriptions", "leader": "Subscriptions"}
    names = ["admin", "app", "bot", "guest", "leader", "moderator", "owner", "user"]
    return {
        "roles": [
            {"_id": name, "name": name, "scope": scopes.get(name, "Users"), "protected": True}
            for name in names
        ]
    }
