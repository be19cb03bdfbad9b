"""Who and what is there when the server is run by hand."""

from __future__ import annotations

from typing import Any

from tests.fakes.rocketchat.server import RocketChat


def move_in(server: RocketChat) -> None:
    """The bot's account, an owner who is an administrator too, two members; rooms c, p and d.

    The bot is not in `lobby`. Ids are the same in every run, tokens are not.
    """
    admin = server.add_user("admin", roles=("admin", "user"), name="Admin", id="adminUser00000001")
    bot = server.add_user("bbb", roles=("bot", "user"), name="BBB", id="bbbBotUser0000001")
    ana = server.add_user("ana", name="Ana Martín", id="anaUser0000000001")
    ben = server.add_user("ben", name="Ben Okafor", id="benUser0000000001")
    everybody = (admin, bot, ana, ben)
    server.add_room("general", "c", admin, everybody, id="GENERAL")
    server.add_room("lobby", "c", admin, (admin, ana, ben), id="lobbyChannel00001")
    server.add_room("team", "p", admin, everybody, id="teamGroup00000001")
    server.add_room(None, "d", None, (ana, bot), id=ana.id + bot.id)


def described(server: RocketChat) -> dict[str, Any]:
    """Everything somebody needs to use the server; tokens are personal access tokens."""
    users, rooms = server.state.users.values(), server.state.rooms.values()
    return {
        "url": server.url,
        "profile": server.profile.name,
        "version": server.profile.version_text,
        "users": [
            {
                "id": user.id,
                "username": user.username,
                "name": user.name,
                "roles": sorted(user.roles),
                "password": user.password,
                "token": user.token,
            }
            for user in users
        ],
        "tokens": {user.username: user.token for user in users},
        "rooms": [
            {
                "id": room.id,
                "type": room.kind,
                "name": room.name,
                "owner": room.owner.username if room.owner else None,
                "members": [user.username for user in room.users],
            }
            for room in rooms
        ],
    }
