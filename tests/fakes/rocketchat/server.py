"""The test server as a test holds it: started and stopped, its people moved, its requests read."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from yarl import URL

from bot.clock import utc_now
from tests.fakes.rocketchat.ddp.hub import Hub
from tests.fakes.rocketchat.ddp.session import Session
from tests.fakes.rocketchat.faults import Faults
from tests.fakes.rocketchat.profiles import PROFILES, Heartbeat
from tests.fakes.rocketchat.records import Room, Token, User
from tests.fakes.rocketchat.rest.door import Asked, Door
from tests.fakes.rocketchat.seams import Seam
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.strict import DocumentCheck, RequestCheck
from tests.fakes.rocketchat.wire import Json, as_rest, new_id

WEB_APP = "<!DOCTYPE html>\n<html><head><title>Rocket.Chat</title></head><body></body></html>\n"
"""What a real server answers to every address that is none of the API's."""


class RocketChat:
    """Use as `async with`; `stop` and `start` again are a restart on the same port.

    `heartbeat` replaces the profile's seconds, `prefix` is the path of ROOT_URL, `tls` makes it
    https with `plain_url` redirecting there. Without `side_effects` see State. Every document is
    checked with Rocket.Chat's schemas, with `strict` every request too; see `strict.py`.
    """

    def __init__(
        self,
        profile: str = "streamer-6.14",
        clock: Callable[[], datetime] = utc_now,
        *,
        heartbeat: Heartbeat | None = None,
        prefix: str = "",
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        side_effects: bool = True,
        strict: bool = True,
    ) -> None:
        self.profile = PROFILES[profile]
        self.state = State(clock, side_effects=side_effects)
        self.faults = Faults(self.profile, clock)
        self.seams: list[Seam] = [self.faults.rest, self.faults.sockets, DocumentCheck()]
        if strict:
            self.seams.insert(0, RequestCheck())
        self.plain_url = ""
        self._heartbeat = heartbeat or self.profile.heartbeat
        self._prefix = prefix.rstrip("/")
        self._tls = tls
        self._host = host
        self._port = port
        self._door = Door(self.state, self.profile, self.seams)
        self._hub = Hub(self.state)
        self._runners: list[web.AppRunner] = []

    # --- running

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        self._port = await self._listen(self._app(), self._port, self._tls)
        self.state.settings["Site_Url"] = self.url
        if self._tls:
            redirecting = web.Application()
            redirecting.router.add_route("*", "/{path:.*}", self._redirect)
            port = await self._listen(redirecting, 0, None)
            self.plain_url = f"http://{self._host}:{port}{self._prefix}"

    async def stop(self) -> None:
        """Every connection ends at once; what is stored stays."""
        for session in self.sessions:
            session.abort()
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{self._host}:{self._port}{self._prefix}"

    async def _listen(self, app: web.Application, port: int, tls: ssl.SSLContext | None) -> int:
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, self._host, port, ssl_context=tls, reuse_address=True)
        await site.start()
        bound: int = runner.addresses[0][1]
        return bound

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=2**24)
        for path in ("/api/v1/{path:.+}", "/api/info"):
            app.router.add_route("*", self._prefix + path, self._door.answer)
        app.router.add_get(self._prefix + "/websocket", self._socket)
        app.router.add_route("*", "/{path:.*}", _web_app)
        return app

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        session = Session(self.state, self.profile, self._heartbeat, self.seams)
        self._hub.sessions.add(session)
        try:
            return await session.serve(request)
        finally:
            self._hub.sessions.discard(session)

    async def _redirect(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPMovedPermanently(URL(self.url).origin().join(request.rel_url))

    # --- what is there

    @property
    def settings(self) -> dict[str, Any]:
        """The settings in force; change them as you like."""
        return self.state.settings

    @property
    def commands(self) -> dict[str, Json]:
        """The slash commands by name: `{"command": "bbb", "clientOnly": False}`."""
        return self.state.commands

    @property
    def sessions(self) -> Collection[Session]:
        """The open sockets."""
        return frozenset(self._hub.sessions)

    @property
    def requests(self) -> list[Asked]:
        """What reached the REST side, oldest first, without secrets."""
        return list(self._door.requests)

    def messages(self, room: Room) -> list[Json]:
        """What is stored of a room, oldest first, with dates as REST writes them."""
        return [as_rest(document) for document in self.state.messages_in(room)]

    def message(self, message_id: str) -> Json | None:
        document = self.state.messages.get(message_id)
        return None if document is None else as_rest(document)

    def room(self, rid: str) -> Room:
        return self.state.rooms[rid]

    def direct_room(self, *users: User) -> Room | None:
        """The direct room of exactly these people."""
        return self.state.direct_room(users)

    # --- people and rooms

    def add_user(self, username: str, *, roles: Iterable[str] = ("user",), **more: Any) -> User:
        """See State.add_user: name, password, type, id, token, totp."""
        return self.state.add_user(username, roles=roles, **more)

    def add_room(
        self,
        name: str | None = None,
        kind: str = "c",
        owner: User | None = None,
        members: Iterable[User] = (),
        **more: Any,
    ) -> Room:
        """`more` are an `id` and further keys of the room's document."""
        return self.state.add_room(name, kind, owner, members, **more)

    def join(self, user: User, room: Room, *, by: User | None = None) -> None:
        self.state.join(user, room, by=by)

    def leave(self, user: User, room: Room, *, by: User | None = None, event: bool = True) -> None:
        """Without `event` nobody is told, as happens."""
        self.state.leave(user, room, by=by, event=event)

    def set_role(self, user: User, room: Room, role: str, *, on: bool = True) -> None:
        self.state.set_role(user, room, role, on=on)

    def rename(self, room: Room, name: str, by: User | None = None) -> None:
        self.state.rename(room, name, by)

    def remove_room(self, room: Room) -> None:
        self.state.remove_room(room)

    def mute(self, user: User, room: Room) -> None:
        room.muted.add(user.username)
        self.state.touch(room)

    def block(self, user: User, by: User) -> None:
        """In the direct room of the two, which must exist."""
        room = self.state.direct_room([user, by])
        assert room, "they have no direct room"
        room.members[user.id].blocked = room.members[by.id].blocker = True

    def deactivate(self, user: User) -> None:
        self.state.deactivate(user)

    def revoke(self, user: User) -> None:
        """Delete all tokens from the user's record; a streamer's open sockets go on."""
        self.state.drop_tokens(user, list(user.tokens))

    def force_logout(self, user: User) -> None:
        """Delete all tokens and say so: sockets end on either kind of server."""
        self.state.drop_tokens(user, list(user.tokens), forced=True)

    def new_token(self, user: User) -> str:
        """Another personal access token, which becomes `user.token`."""
        user.token = new_id(43)
        user.tokens[user.token] = Token(user.token, name=user.token[:6], made=self.state.now())
        return user.token

    # --- messages

    def say(self, user: User, room: Room, text: str, tmid: str | None = None, **extra: Any) -> Json:
        """Somebody's message, stored and sent out, whatever they may do; `extra` are further keys.

        Gives the document as REST would.
        """
        fields = {"msg": text, **({"tmid": tmid} if tmid else {}), **extra}
        return as_rest(self.state.write(user, room, fields))  # type: ignore[no-any-return]

    def react(self, user: User, message_id: str, emoji: str, *, on: bool = True) -> None:
        self.state.react(self.state.messages[message_id], user, emoji, on=on)

    def edit(self, user: User, message_id: str, text: str) -> None:
        self.state.edit(self.state.messages[message_id], user, text)

    def delete(self, user: User, message_id: str, *, keep: bool = False) -> None:
        """For good, or with `keep` as `t: "rm"`."""
        self.state.erase(self.state.messages[message_id], user, keep=keep)

    def pin(self, user: User, message_id: str) -> None:
        self.state.pin(self.state.messages[message_id], user)


async def _web_app(request: web.Request) -> web.StreamResponse:
    return web.Response(text=WEB_APP, content_type="text/html")
