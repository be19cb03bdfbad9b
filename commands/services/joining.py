"""Through the door: what a link shows, and what pressing its button does.

A look changes nothing and asks BBB nothing. A press asks the chat who may enter, has BBB hold the
meeting, and gives a signed address, in this order; each refusal stops it before the next.
"""

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from commands.cleaning import clean
from commands.errors import ChatTrouble, ServerTrouble
from commands.i18n import texts
from commands.links import fingerprint
from commands.messages import Who, message, to_json
from commands.options import Options
from commands.permissions import is_moderator
from commands.ports import Membership, Rights, Seat
from commands.services import looking, meetings
from commands.services.linking import UNUSED_FOR, alive
from commands.visits import (
    LONGEST_TYPED,
    Busy,
    ChatSilent,
    Door,
    Go,
    NotFound,
    Outcome,
    Press,
    Refused,
    View,
    Wait,
    WaitFor,
)
from commands.world import World, derived
from storage.records import (
    BrowserPerson,
    Letter,
    Link,
    LinkKind,
    Meeting,
    MeetingState,
    Person,
    Priority,
    Room,
    RoomKind,
)

SIGNED_IN_FOR = timedelta(days=30)
BROWSERS = 3
"""Most browsers one person is signed in to."""

NOTED_EVERY = timedelta(minutes=5)
"""How often the use of a link is noted: a crowd that presses at once writes little."""
ENDED_SHOWN_FOR = timedelta(hours=12)
"""How long a room's page says when its last call ended."""

_NOBODY = Rights(Membership.LEFT)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A living link and what it leads to. `person` is whom it belongs to, or who is recognised."""

    link: Link
    room: Room
    person: Person | None
    others: tuple[Person, ...] = ()


class Joining:
    """What the gateway needs of the core."""

    def __init__(self, world: World) -> None:
        self._world = world

    # --- GET

    async def look(self, token: str, cookie: str | None) -> View:
        """What a link shows: our own rows, and of the chat at most the visitor's own name."""
        visit = await self._visit(token, cookie)
        if visit is None:
            return View(Door.NOT_FOUND)
        return await self._view(visit)

    async def _visit(self, token: str, cookie: str | None) -> _Visit | None:
        # As many questions for a link that never was as for one that died: time tells nothing.
        link = await self._world.store.link(fingerprint(token))
        room = await self._world.store.room(link.room if link else "")
        if link is None or room is None or not self._open(link, room):
            return None
        signed_in = await self._signed_in(cookie, room)
        if link.person is not None:
            return _Visit(link, room, link.person, tuple(p for p in signed_in if p != link.person))
        if link.kind is LinkKind.ROOM:
            return _Visit(link, room, await self._fitting(signed_in, room), signed_in)
        return _Visit(link, room, None)

    def _open(self, link: Link, room: Room) -> bool:
        current = link.kind is not LinkKind.ROOM or link.generation == room.generation
        return current and room.deleted_at is None and alive(link, self._world.clock())

    async def _signed_in(self, cookie: str | None, room: Room) -> tuple[Person, ...]:
        """Who is signed in to this browser on the room's platform, newest first."""
        if not cookie:
            return ()
        rows = await self._world.store.people_in_browser(
            fingerprint(cookie), now=self._world.clock()
        )
        return tuple(r.person for r in rows if r.person.platform == room.channel.platform)

    async def _fitting(self, people: tuple[Person, ...], room: Room) -> Person | None:
        """Of several people in one browser the newest who may enter; the newest when none may.

        Only for several the chat is asked; while it is silent, the newest who may without it.
        """
        if len(people) < 2:
            return people[0] if people else None
        for person in people:
            try:
                if await self._rights(room, person):
                    return person
            except ChatTrouble:
                continue
        return people[0]

    async def _view(self, visit: _Visit) -> View:
        meeting = await self._world.store.live_meeting(visit.room.id)
        options = self._options(visit.room, meeting)
        guests = options.guests not in (None, "off")
        recorded = _is_recorded(options)
        return View(
            door=self._door(visit),
            topic=meeting.topic if meeting else visit.room.name,
            name=await self._own_name(visit),
            running=meeting is not None and meeting.state is MeetingState.RUNNING,
            ended_at=await self._just_ended(visit.room) if meeting is None else None,
            recorded=recorded,
            consent=recorded and self._consent_of(guest=visit.person is None),
            lobby=self._lobby(visit, options),
            guests=guests and visit.link.kind is LinkKind.ROOM,
            others=await self._other_names(visit),
            language=await self._world.language_of(visit.room.channel),
            back=None if visit.link.kind is LinkKind.GUEST else self._back(visit.room),
        )

    def _door(self, visit: _Visit) -> Door:
        if visit.link.kind is LinkKind.GUEST:
            return Door.GUEST
        if visit.link.person is not None:
            return Door.PERSONAL
        return Door.RECOGNISED if visit.person else Door.UNRECOGNISED

    def _consent_of(self, *, guest: bool) -> bool:
        """Whether they have to agree before they join a recorded call."""
        return self._world.policy.consent in ("everyone", "guests" if guest else "everyone")

    def _lobby(self, visit: _Visit, options: Options) -> bool:
        """Whether they may have to wait at BBB until a moderator lets them in."""
        if visit.link.kind is LinkKind.CALL:
            return False
        return bool(options.lobby) or (visit.person is None and options.guests != "on")

    async def _just_ended(self, room: Room) -> datetime | None:
        last = await self._world.store.last_meeting(room.id)
        if last is None or last.ended_at is None or last.joined_at is None:
            return None
        recent = self._world.clock() - last.ended_at < ENDED_SHOWN_FOR
        return last.ended_at if recent else None

    async def _own_name(self, visit: _Visit) -> str:
        return await self._world.name_of(visit.person) if visit.person else ""

    async def _other_names(self, visit: _Visit) -> tuple[str, ...]:
        if visit.link.person is None:
            return ()
        return tuple([await self._world.name_of(p) for p in visit.others])

    def _back(self, room: Room) -> str | None:
        chat = self._world.chats.get(room.channel.platform)
        return chat.web_address(room.channel) if chat else None

    def _options(self, room: Room, meeting: Meeting | None) -> Options:
        if meeting is not None:
            return Options.from_json(meeting.options)
        return meetings.room_options(self._world, room)

    # --- POST

    async def ready(self, press: Press) -> bool:
        """Whether pressing again would now be answered by something else than "wait".
        Reads only.
        """
        visit = await self._visit(press.token, press.cookie)
        if visit is None:
            return True
        meeting = await self._world.store.live_meeting(visit.room.id)
        if meeting is None or meeting.state is not MeetingState.RUNNING:
            return visit.person is not None  # members open the call, guests wait for them
        most = self._options(visit.room, meeting).max_participants
        return most is None or meeting.present < most

    async def press(self, press: Press) -> Outcome:
        """The button. Asks the chat, then BBB; gives the way in, or why not."""
        return await Joining(self._world.hurried())._press(press)

    async def _press(self, press: Press) -> Outcome:
        visit = await self._visit(press.token, press.cookie)
        if visit is None:
            return NotFound()
        if delay := self._too_often(visit):
            return Busy(delay)
        try:
            if visit.person is None:
                return await self._guest(visit, press)
            return await self._member(visit, visit.person, press)
        except ChatTrouble:
            return ChatSilent(await self._view(visit))
        except ServerTrouble:
            return Wait(WaitFor.SERVER, await self._view(visit))

    def _too_often(self, visit: _Visit) -> timedelta | None:
        """How long to wait where one person, or everybody into one room, presses all the time."""
        now, limiters = self._world.clock(), self._world.limiters
        by_person = limiters.joins.wait(visit.person, now) if visit.person else None
        return by_person or limiters.joins_into.wait(visit.room.id, now)

    async def _member(self, visit: _Visit, person: Person, press: Press) -> Outcome:
        rights = await self._rights(visit.room, person)
        if rights is None:
            personal = visit.link.person is not None
            return NotFound() if personal else await self._refused(visit, "not-member")
        own = await self._world.name_of(person)
        if wrong := self._wrong(press, needs_name=not own):
            return await self._refused(visit, *wrong)
        if await self._unasked(visit, press):
            return await self._refused(visit, "consent", "consent")
        opened = await meetings.open_for_click(
            self._world, visit.room, person, f"click:{self._nonce()}"
        )
        user_id = await self._world.pseudonym_of(person)
        if await self._is_full(visit.room, opened.meeting, user_id):
            return Wait(WaitFor.PLACE, await self._view(visit))
        name = await self._name(visit.room, own, clean(press.name or ""))
        url = await self._seat(visit.room, opened.meeting, person, rights, name, user_id)
        cookie = await self._remember(visit, person, press)
        await self._used(visit.link)
        return Go(url, cookie)

    def _wrong(self, press: Press, *, needs_name: bool) -> tuple[str, str] | None:
        """What of the form has to be mended, and its field."""
        if len(press.name or "") > LONGEST_TYPED:
            return "name-long", "name"
        if needs_name and not clean(press.name or ""):
            return "name", "name"
        return None

    async def _unasked(self, visit: _Visit, press: Press) -> bool:
        """Whether they would be recorded without having agreed to it."""
        meeting = await self._world.store.live_meeting(visit.room.id)
        recorded = _is_recorded(self._options(visit.room, meeting))
        return recorded and not press.consent and self._consent_of(guest=visit.person is None)

    async def _is_full(self, room: Room, meeting: Meeting, user_id: str) -> bool:
        """Whether BBB would send this person away; those who are inside may come again."""
        most = self._options(room, meeting).max_participants
        if most is None:
            return False
        info = await self._world.servers.info(meeting.server, room.meeting_id)
        if info is None or info.people < most:
            return False
        if any(attendee.user_id == user_id for attendee in info.attendees):
            return False
        await looking.note(self._world, room, meeting, info)
        return True

    async def _refused(self, visit: _Visit, why: str, field: str | None = None) -> Refused:
        return Refused(f"pages.refused.{why}", await self._view(visit), field=field)

    async def _rights(self, room: Room, person: Person) -> Rights | None:
        """What the chat says of this person now; None when they may not enter."""
        invited = person in await self._world.store.invited_to(room.id)
        if room.kind in (RoomKind.CALL, RoomKind.PERSONAL):
            return _NOBODY if invited or room.owner == person else None
        rights = await self._world.chat(person.platform).rights_of(person, room.channel)
        if rights.membership is Membership.BANNED:
            return None
        return rights if rights.member or invited else None

    async def _name(self, room: Room, own: str, typed: str) -> str:
        """The name from the chat always comes first, so that nobody can be taken for another."""
        if typed in ("", own):
            return own
        words = texts(await self._world.language_of(room.channel))
        return f"{own or words.template('nameless.word')} ({typed})"

    async def _seat(
        self, room: Room, meeting: Meeting, person: Person, rights: Rights, name: str, user_id: str
    ) -> str:
        options = self._options(room, meeting)
        moderator = is_moderator(person, rights, room, meeting.started_by, options)
        return await self._sign(
            room,
            meeting,
            name,
            moderator=moderator,
            guest=bool(options.lobby) and not moderator,
            user_id=user_id,
        )

    async def _sign(
        self, room: Room, meeting: Meeting, name: str, *, moderator: bool, guest: bool, user_id: str
    ) -> str:
        seat = Seat(room.meeting_id, name, moderator, meeting.create_time, user_id, guest)
        url = self._world.servers.join_url(meeting.server, seat)
        soon = self._world.clock() + min(meetings.SOON, self._world.policy.look_every)
        if meeting.next_look_at is None or meeting.next_look_at > soon:
            await self._world.store.look_again(meeting.id, at=soon)
        return url

    async def _guest(self, visit: _Visit, press: Press) -> Outcome:
        """Somebody without an account: never starts a meeting, never moderates."""
        meeting = await self._world.store.live_meeting(visit.room.id)
        options = self._options(visit.room, meeting)
        rule = options.guests or "off"
        if visit.link.kind is not LinkKind.GUEST and rule == "off":
            return await self._refused(visit, "unrecognised")
        if wrong := self._wrong(press, needs_name=True):
            return await self._refused(visit, *wrong)
        if await self._unasked(visit, press):
            return await self._refused(visit, "consent", "consent")
        if meeting is None or not await self._look_inside(visit.room, meeting):
            return Wait(WaitFor.START, await self._view(visit))
        user_id = f"g-{self._nonce()}"
        if await self._is_full(visit.room, meeting, user_id):
            return Wait(WaitFor.PLACE, await self._view(visit))
        url = await self._sign(
            visit.room,
            meeting,
            f"{clean(press.name or '')} ({await self._guest_word(visit.room)})",
            moderator=False,
            guest=rule != "on" or bool(options.lobby),
            user_id=user_id,
        )
        await self._used(visit.link)
        return Go(url)

    async def _look_inside(self, room: Room, meeting: Meeting) -> bool:
        seen = await looking.look(self._world, room, meeting)
        return seen is not None and seen.state is MeetingState.RUNNING and seen.present > 0

    async def _guest_word(self, room: Room) -> str:
        language = await self._world.language_of(room.channel)
        return texts(language).template("guest.word")

    # --- browsers

    async def _remember(self, visit: _Visit, person: Person, press: Press) -> str | None:
        """Sign this browser in where that was asked on a personal link; the person is told."""
        if visit.link.person is None or not press.remember:
            return None
        if person in await self._signed_in(press.cookie, visit.room):
            return None
        # Always a new cookie: somebody may know the former one, or have planted it.
        cookie, former = self._nonce(32), fingerprint(press.cookie) if press.cookie else None
        now = self._world.clock()
        row = BrowserPerson(fingerprint(cookie), person, now, now + SIGNED_IN_FOR)
        await self._world.store.sign_in(row, most=BROWSERS, instead_of=former)
        await self._tell(person, row)
        return cookie

    async def _tell(self, person: Person, row: BrowserPerson) -> None:
        who = Who(person, await self._world.name_of(person))
        told = message("browser.new", who=who, until=row.expires_at)
        letter = Letter(
            id=derived("browser", f"{row.browser}|{person.platform}|{person.id}"),
            platform=person.platform,
            person=person.id,
            content=to_json(told),
            created_at=row.created_at,
            priority=Priority.NOTICE,
        )
        await self._world.store.say([letter])

    async def _used(self, link: Link) -> None:
        """A personal link that is used lives on, a day at a time, while its room does."""
        now = self._world.clock()
        if link.used_at and now - link.used_at < NOTED_EVERY:
            return
        await self._world.store.link_used(link.hash, at=now)
        if link.person is not None:
            await self._world.store.put_link(replace(link, expires_at=now + UNUSED_FOR))

    def _nonce(self, size: int = 16) -> str:
        return base64.urlsafe_b64encode(self._world.random(size)).rstrip(b"=").decode()


def _is_recorded(options: Options) -> bool:
    return (options.record or "off") != "off"
