"""A Rocket.Chat server with the least that one may say: what each answer must have, nothing more.

Written apart from `tests/fakes/rocketchat`, whose habits the bot must not depend on: rooms do not
tell who is in them or that something was said in them, nobody's roles are shown, answers have no
headers of limits, and times are missing wherever they may be. `missing` names calls that this
server does not know at all; like any web server it answers them with a text.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import WSMsgType, web

Json = dict[str, Any]

NOT_FOUND = {"success": False, "error": "Resource not found"}


@dataclass(slots=True)
class Person:
    """An account; `token` is a personal access token."""

    id: str
    username: str
    token: str

    def short(self) -> Json:
        return {"_id": self.id, "username": self.username}


@dataclass(slots=True)
class Room:
    """`roles` by user id; `told` is what else its document says."""

    id: str
    kind: str
    name: str | None
    members: list[Person]
    roles: dict[str, list[str]] = field(default_factory=dict)
    told: Json = field(default_factory=dict)


class Refusal(Exception):
    """A 400 with this text."""


class PlainServer:
    """On loopback while the block runs; `version` as /api/info tells it."""

    def __init__(
        self, *, version: str = "8.8", missing: Sequence[str] = (), info_status: int = 200
    ) -> None:
        self.version = version
        self.info_status = info_status
        self.missing = frozenset(missing)
        self.url = ""
        self.people: dict[str, Person] = {}
        self.rooms: dict[str, Room] = {}
        self.messages: dict[str, Json] = {}
        self.calls: list[str] = []
        self._sockets: dict[web.WebSocketResponse, tuple[Person, set[str]]] = {}
        self._runner: web.AppRunner | None = None

    # --- what happens there -----------------------------------------------------------------------

    def add_user(self, username: str) -> Person:
        person = Person(f"{username}-1", username, f"token-of-{username}-0123456")
        self.people[person.id] = person
        return person

    def add_room(self, name: str | None, kind: str, members: Sequence[Person]) -> Room:
        room = Room(f"{name or 'direct'}{len(self.rooms)}Room", kind, name, list(members))
        self.rooms[room.id] = room
        return room

    async def say(self, who: Person, room: Room, text: str, **extra: Any) -> Json:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        document = {"_id": f"message{len(self.messages):010}", "rid": room.id, "msg": text}
        document |= {"ts": now, "u": who.short(), "_updatedAt": now, **extra}
        self.messages[document["_id"]] = document
        access = {"roomParticipant": True, "roomType": room.kind}
        for socket, (person, streams) in list(self._sockets.items()):
            if person in room.members and "__my_messages__" in streams:
                fields = {"eventName": "__my_messages__", "args": [_live(document), access]}
                await _send(
                    socket, msg="changed", collection="stream-room-messages", id="id", fields=fields
                )
        return document

    async def hang_up(self) -> None:
        """All connections end; nothing said meanwhile is sent again."""
        for socket in list(self._sockets):
            await socket.close()

    def said_by(self, who: Person, room: Room) -> list[str]:
        there = [m for m in self.messages.values() if m["rid"] == room.id]
        return [document["msg"] for document in there if document["u"]["_id"] == who.id]

    def direct(self, *members: Person) -> Room | None:
        for room in self.rooms.values():
            if room.kind == "d" and {p.id for p in room.members} == {p.id for p in members}:
                return room
        return None

    # --- life -------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        app = web.Application()
        if "websocket" not in self.missing:
            app.router.add_get("/websocket", self._realtime)
        app.router.add_get("/api/info", self._info)
        app.router.add_route("*", "/api/v1/{path}", self._rest)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()
        if self._runner:
            await self._runner.cleanup()

    # --- REST -------------------------------------------------------------------------------------

    async def _info(self, _: web.Request) -> web.Response:
        body = {"success": self.info_status == 200, "version": self.version}
        return web.json_response(body, status=self.info_status)

    async def _rest(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        self.calls.append(path)
        if path == "login":
            return self._login(await request.json())
        call = getattr(self, f"_{request.method.lower()}_{path.replace('.', '_')}", None)
        if call is None or path in self.missing:
            return web.Response(status=404, text="404: Not Found")
        me = self.people.get(request.headers.get("X-User-Id", ""))
        if me is None or me.token != request.headers.get("X-Auth-Token"):
            return web.json_response({"status": "error", "message": "log in"}, status=401)
        given = await request.json() if request.method == "POST" else dict(request.query)
        try:
            answer = call(me, given)
            answer = await answer if asyncio.iscoroutine(answer) else answer
        except Refusal as error:
            return web.json_response({"success": False, "error": str(error)}, status=400)
        return web.json_response({"success": True, **answer})

    def _login(self, given: Json) -> web.Response:
        for person in self.people.values():
            if given.get("resume") == person.token:
                data = {"userId": person.id, "authToken": person.token, "me": person.short()}
                return web.json_response({"status": "success", "data": data})
        return web.json_response({"status": "error", "message": "Unauthorized"}, status=401)

    def _get_me(self, me: Person, _: Json) -> Json:
        return me.short()

    def _get_settings_public(self, _: Person, __: Json) -> Json:
        return {"settings": []}

    def _get_users_info(self, _: Person, given: Json) -> Json:
        for person in self.people.values():
            if given.get("userId") == person.id or given.get("username") == person.username:
                return {"user": person.short()}
        raise Refusal("User not found.")

    def _get_subscriptions_get(self, me: Person, _: Json) -> Json:
        mine = [room for room in self.rooms.values() if me in room.members]
        return {"update": [_subscription(room, me) for room in mine], "remove": []}

    def _get_subscriptions_getOne(self, me: Person, given: Json) -> Json:
        return {"subscription": _subscription(self._room(me, given["roomId"]), me)}

    def _get_rooms_get(self, me: Person, _: Json) -> Json:
        mine = [room for room in self.rooms.values() if me in room.members]
        return {"update": [_room(room) for room in mine], "remove": []}

    def _get_rooms_info(self, me: Person, given: Json) -> Json:
        return {"room": _room(self._room(me, given["roomId"]))}

    def _get_rooms_membersOrderedByRole(self, me: Person, given: Json) -> Json:
        return self._get_dm_members(me, given)

    def _get_dm_members(self, me: Person, given: Json) -> Json:
        members = [person.short() for person in self._room(me, given["roomId"]).members]
        return {"members": members, "count": len(members), "offset": 0, "total": len(members)}

    def _get_rooms_isMember(self, me: Person, given: Json) -> Json:
        if self.people.get(given["userId"]) in self._room(me, given["roomId"]).members:
            return {"isMember": True}
        raise Refusal("error-user-not-found")

    def _get_rooms_roles(self, me: Person, given: Json) -> Json:
        room = self._room(me, given["rid"])
        return {
            "roles": [
                {"_id": f"{room.id}{who}", "rid": room.id, "u": {"_id": who}, "roles": roles}
                for who, roles in room.roles.items()
            ]
        }

    def _get_channels_roles(self, me: Person, given: Json) -> Json:
        return self._get_rooms_roles(me, {"rid": given["roomId"]})

    def _get_chat_syncMessages(self, me: Person, given: Json) -> Json:
        room, since = self._room(me, given["roomId"]), given["lastUpdate"]
        there = [m for m in self.messages.values() if m["rid"] == room.id]
        newest_first = [m for m in reversed(there) if m["_updatedAt"] > since]
        return {"result": {"updated": newest_first, "deleted": []}}

    def _get_chat_getMessage(self, me: Person, given: Json) -> Json:
        document = self.messages.get(given["msgId"])
        if document is None or me not in self.rooms[document["rid"]].members:
            raise Refusal
        return {"message": document}

    async def _post_chat_sendMessage(self, me: Person, given: Json) -> Json:
        message = given["message"]
        room = self._room(me, message["rid"])
        extra = {key: message[key] for key in ("_id", "tmid", "attachments") if key in message}
        return {"message": await self.say(me, room, message["msg"], **extra)}

    def _post_chat_update(self, _: Person, given: Json) -> Json:
        self.messages[given["msgId"]]["msg"] = given["text"]
        return {"message": self.messages[given["msgId"]]}

    def _post_chat_react(self, _: Person, __: Json) -> Json:
        return {}

    def _post_dm_create(self, me: Person, given: Json) -> Json:
        other = next((p for p in self.people.values() if p.username == given["username"]), None)
        if other is None:
            raise Refusal("error-invalid-user")
        room = self.direct(me, other) or self.add_room(None, "d", (me, other))
        usernames = [person.username for person in room.members]
        return {"room": {"t": "d", "rid": room.id, "_id": room.id, "usernames": usernames}}

    def _room(self, me: Person, rid: str) -> Room:
        room = self.rooms.get(rid)
        if room is None or me not in room.members:
            raise Refusal("not-allowed")
        return room

    # --- realtime ---------------------------------------------------------------------------------

    async def _realtime(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._frame(socket, json.loads(frame.data))
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _frame(self, socket: web.WebSocketResponse, frame: Json) -> None:
        match frame["msg"]:
            case "connect":
                await _send(socket, msg="connected", session="one")
            case "method":
                token = frame["params"][0]["resume"]
                person = next(p for p in self.people.values() if p.token == token)
                self._sockets[socket] = (person, set())
                result = {"id": person.id, "token": token, "type": "resume"}
                await _send(socket, msg="result", id=frame["id"], result=result)
            case "sub":
                self._sockets[socket][1].add(frame["params"][0])
                await _send(socket, msg="ready", subs=[frame["id"]])
            case "ping":
                await _send(socket, msg="pong")


def _subscription(room: Room, me: Person) -> Json:
    name = {"name": room.name} if room.name else {}
    times = {"ts": "2026-01-01T00:00:00.000Z", "_updatedAt": "2026-01-01T00:00:00.000Z"}
    who = {"u": me.short(), "open": True, "alert": False, "unread": 0}
    return {"_id": f"{room.id}{me.id}", "rid": room.id, "t": room.kind, **who, **times, **name}


def _room(room: Room) -> Json:
    name = {"name": room.name} if room.name else {}
    return {"_id": room.id, "t": room.kind, **name, **room.told}


def _live(document: Mapping[str, Any]) -> Json:
    """As frames write times."""
    live = dict(document)
    for key in ("ts", "_updatedAt"):
        moment = datetime.fromisoformat(document[key])
        live[key] = {"$date": round(moment.timestamp() * 1000)}
    return live


async def _send(socket: web.WebSocketResponse, **frame: Any) -> None:
    if not socket.closed:
        await socket.send_str(json.dumps(frame))
