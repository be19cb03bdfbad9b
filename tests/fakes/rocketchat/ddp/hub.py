"""Every open socket, and who of them hears what."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakes.rocketchat.ddp import frames
from tests.fakes.rocketchat.ddp.session import Session
from tests.fakes.rocketchat.ddp.streams import MESSAGES, MINE, OF_ROOM, OF_USER
from tests.fakes.rocketchat.events import (
    Event,
    MessageErased,
    MessageWritten,
    RoomWritten,
    SubscriptionWritten,
    TokensGone,
    UserNotified,
)
from tests.fakes.rocketchat.records import Room, User
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.wire import Json, ddp_text


class Hub:
    """Listens to the state. A frame goes out once for each subscription that matches."""

    def __init__(self, state: State) -> None:
        self.sessions: set[Session] = set()
        self._state = state
        state.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        match event:
            case MessageWritten(room=room, document=document):
                self._message(room, document)
            case MessageErased(room=room, message_id=message_id):
                self._tell(OF_ROOM, f"{room.id}/deleteMessage", ddp_text({"_id": message_id}))
            case SubscriptionWritten(action=action, user=user, room=room, document=document):
                self._tell_user(user, "subscriptions-changed", action, document)
                if action == "removed":
                    self._end_listening(user, room)
            case RoomWritten(action=action, document=document, users=users):
                for user in users:
                    self._tell_user(user, "rooms-changed", action, document)
            case UserNotified(user=user, what=what, args=args):
                self._tell_user(user, what, *args)
            case TokensGone():
                self._tokens_gone(event)

    def _listening(self, stream: str, event_name: str) -> Iterator[Session]:
        """Each session, as often as it has such a subscription."""
        for session in self.sessions:
            for subscription in session.subscriptions.values():
                if subscription.stream == stream and subscription.event_name == event_name:
                    yield session

    def _tell(self, stream: str, event_name: str, *args: str) -> None:
        frame = frames.changed(stream, event_name, *args)
        for session in self._listening(stream, event_name):
            session.send(frame)

    def _tell_user(self, user: User, what: str, *args: object) -> None:
        event_name = f"{user.id}/{what}"
        if any(self._listening(OF_USER, event_name)):  # most of what happens nobody listens to
            self._tell(OF_USER, event_name, *map(ddp_text, args))

    def _message(self, room: Room, document: Json) -> None:
        """To the room's own listeners first, then to those of `__my_messages__`."""
        if not self.sessions:
            return
        text = ddp_text(document)
        self._tell(MESSAGES, room.id, text)
        for session in self._listening(MESSAGES, MINE):
            access = self._access(session.user, room)
            if access is not None:
                session.send(frames.changed(MESSAGES, MINE, text, ddp_text(access)))

    def _access(self, user: User | None, room: Room) -> Json | None:
        """The second argument; None for those who may not see the room, or are not logged in."""
        if user is None or not self._state.sees(user, room):
            return None
        access: Json = {"roomParticipant": user.id in room.members, "roomType": room.kind}
        return access if room.kind == "d" else {**access, "roomName": room.name}

    def _end_listening(self, user: User, room: Room) -> None:
        """Who is taken out of a room no longer hears it by its id."""
        for session in self.sessions:
            if session.user is user:
                for subscription in list(session.subscriptions.values()):
                    if subscription.stream == MESSAGES and subscription.event_name == room.id:
                        del session.subscriptions[subscription.id]

    def _tokens_gone(self, event: TokensGone) -> None:
        """The monolith closes what used the tokens; the streamer notices a forced logout only."""
        if event.forced:
            self._tell_user(event.user, "force_logout")
        for session in self.sessions:
            used = session.user is event.user and session.token in event.tokens
            if used and not session.profile.streamer:
                session.close(1000)
            elif event.forced and session.user is event.user:
                session.close(None)
