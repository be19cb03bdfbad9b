"""One answer of the simulated server for each list in `paths/`, and the differences we allow."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from bot.demo.bbb import SimulatedBBB
from tests.demo_bbb.caller import API, ROOM, SECRET, Caller, address, xml
from tests.demo_bbb.derive_paths import LISTS, document

Make = Callable[[Caller], Awaitable[Element]]


@dataclass(frozen=True, slots=True)
class Case:
    """An answer to `call`, made by `make`, to be like `paths/{listed}.txt`."""

    id: str
    call: str
    listed: str
    make: Make
    version: str = "3.0"

    def paths(self) -> set[str]:
        """The sample's element paths."""
        lines = (LISTS / f"{self.listed}.txt").read_text(encoding="utf-8").splitlines()
        return set(lines[1:])


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that only one side has, in one case, and why that is right."""

    case: str
    path: str
    reason: str


# --- making answers ------------------------------------------------------------------------------


def asking(call: str, **parameters: object) -> Make:
    """Just ask."""

    async def make(bbb: Caller) -> Element:
        return await bbb.ask(call, **parameters)

    return make


def asking_in_json(call: str, **parameters: object) -> Make:
    """Ask, and take JSON."""

    async def make(bbb: Caller) -> Element:
        return document((await bbb.get(call, **parameters)).text)

    return make


def in_meeting(call: str, **parameters: object) -> Make:
    """Ask something about a meeting with one moderator inside."""

    async def make(bbb: Caller) -> Element:
        await bbb.create()
        bbb.simulated.join(ROOM, "Ana", "MODERATOR")
        return await bbb.ask(call, **({"meetingID": ROOM} | parameters))

    return make


def joining(**parameters: object) -> Make:
    """Join, and take XML."""

    async def make(bbb: Caller) -> Element:
        await bbb.create(guestPolicy="ASK_MODERATOR")
        wanted = {"meetingID": ROOM, "fullName": "Bo", "role": "VIEWER", "redirect": "false"}
        return await bbb.ask("join", **(wanted | parameters))

    return make


def meta(number: int) -> dict[str, str]:
    """So many meta parameters."""
    return {f"meta_tag-{letter}": letter for letter in "abcdefghijklmnop"[:number]}


def info(*custom_data: int, tags: int) -> Make:
    """getMeetingInfo with one attendee for each number; it tells how many userdata they bring."""

    async def make(bbb: Caller) -> Element:
        await bbb.create(**meta(tags))
        for number, brought in enumerate(custom_data):
            data = {f"userdata-bbb_{letter}": "true" for letter in "abcdef"[:brought]}
            async with bbb.browser() as browser:
                await bbb.join(browser, f"Ana {number}", **data)
        return await bbb.ask("getMeetingInfo", meetingID=ROOM)

    return make


def parent_info(rooms: int) -> Make:
    """getMeetingInfo of a meeting with breakout rooms."""

    async def make(bbb: Caller) -> Element:
        await bbb.create(**meta(2))
        for number in range(rooms):
            await create_breakout(bbb, f"{ROOM}-{number}")
        return await bbb.ask("getMeetingInfo", meetingID=ROOM)

    return make


async def create_breakout(bbb: Caller, meeting_id: str, tags: int = 1) -> None:
    """A breakout room of ROOM."""
    own = {"isBreakout": "true", "parentMeetingID": ROOM, "sequence": 1, "freeJoin": "false"}
    await bbb.create(meeting_id, **own, **meta(tags))


async def breakout_info(bbb: Caller) -> Element:
    """getMeetingInfo of a breakout room."""
    await bbb.create()
    await create_breakout(bbb, "mx-breakout")
    return await bbb.ask("getMeetingInfo", meetingID="mx-breakout")


async def meetings_of_three_kinds(bbb: Caller) -> Element:
    """getMeetings, in the sample's order (BBB's is undefined): plain, a breakout, its parent."""
    await bbb.create(**meta(2))
    await create_breakout(bbb, "mx-breakout", tags=2)
    await bbb.create("mx-plain", **meta(2))
    root = await bbb.ask("getMeetings")
    listed = root.find("meetings")
    assert listed is not None
    listed[:] = [listed[2], listed[1], listed[0]]
    return root


async def one_empty_meeting(bbb: Caller) -> Element:
    """getMeetings with nobody inside and no metadata."""
    await bbb.create()
    return await bbb.ask("getMeetings")


async def created_again(bbb: Caller) -> Element:
    """The second of two equal creates."""
    await bbb.create()
    return await bbb.create()


async def inserted(bbb: Caller) -> Element:
    """insertDocument."""
    await bbb.create()
    body = b"<modules/>"
    return await bbb.post("insertDocument", body, "application/xml", meetingID=ROOM)


async def api_root(bbb: Caller) -> Element:
    """The API's root."""
    return xml(await bbb.http.get(API))


async def badly_signed(bbb: Caller) -> Element:
    """A call with a wrong checksum."""
    url = address("getMeetings", {})
    return xml(await bbb.http.get(url[:-1] + ("0" if url[-1] != "0" else "1")))


CASES = [
    Case("API root, 3.0", "", "api-root-3.0", api_root),
    Case("API root, 2.6", "", "api-root-2.6", api_root, version="2.6"),
    Case("create, new", "create", "create", asking("create", name="Team", meetingID=ROOM)),
    Case("create, a duplicate", "create", "create", created_again),
    Case("join, let in", "join", "join", joining()),
    Case("join, waiting", "join", "join", joining(guest="true")),
    Case(
        "isMeetingRunning", "isMeetingRunning", "isMeetingRunning", in_meeting("isMeetingRunning")
    ),
    Case("info, empty", "getMeetingInfo", "getMeetingInfo-0-attendees", info(tags=10)),
    Case("info, 1 inside", "getMeetingInfo", "getMeetingInfo-1-attendee", info(0, tags=10)),
    Case(
        "info, 4 inside", "getMeetingInfo", "getMeetingInfo-4-attendees", info(0, 3, 0, 0, tags=10)
    ),
    Case("info, no metadata", "getMeetingInfo", "getMeetingInfo-no-metadata", info(0, tags=0)),
    Case("info, a breakout", "getMeetingInfo", "getMeetingInfo-breakout", breakout_info),
    Case("info, 1 room", "getMeetingInfo", "getMeetingInfo-1-breakout-room", parent_info(1)),
    Case("info, 3 rooms", "getMeetingInfo", "getMeetingInfo-3-breakout-rooms", parent_info(3)),
    Case("meetings, none", "getMeetings", "getMeetings-0", asking("getMeetings")),
    Case("meetings, 1 empty", "getMeetings", "getMeetings-1", one_empty_meeting),
    Case(
        "meetings, 1 running",
        "getMeetings",
        "getMeetings-1-with-attendee",
        in_meeting("getMeetings"),
    ),
    Case("meetings, 3", "getMeetings", "getMeetings-3", meetings_of_three_kinds),
    Case("end", "end", "end", in_meeting("end")),
    Case("insertDocument", "insertDocument", "insertDocument", inserted),
    Case(
        "chat", "sendChatMessage", "sendChatMessage", in_meeting("sendChatMessage", message="Hello")
    ),
    Case(
        "chat, refused",
        "sendChatMessage",
        "sendChatMessage-failed",
        asking("sendChatMessage", meetingID=ROOM, message="Hello"),
    ),
    Case("recordings, none", "getRecordings", "getRecordings-0", asking("getRecordings")),
    Case(
        "publish, refused",
        "publishRecordings",
        "publishRecordings-failed",
        asking("publishRecordings", recordID="abc", publish="true"),
    ),
    Case(
        "delete, refused",
        "deleteRecordings",
        "deleteRecordings-failed",
        asking("deleteRecordings", recordID="abc"),
    ),
    Case(
        "update, refused",
        "updateRecordings",
        "updateRecordings-failed",
        asking("updateRecordings", recordID="abc"),
    ),
    Case(
        "get text tracks, refused",
        "getRecordingTextTracks",
        "text-tracks-failed",
        asking_in_json("getRecordingTextTracks", recordID="abc"),
    ),
    Case(
        "put text track, refused",
        "putRecordingTextTrack",
        "text-tracks-failed",
        asking_in_json("putRecordingTextTrack"),
    ),
    Case("checksum, refused", "getMeetings", "checksum-failed", badly_signed),
    Case(
        "info, no such meeting",
        "getMeetingInfo",
        "meeting-not-found",
        asking("getMeetingInfo", meetingID=ROOM),
    ),
    Case("end, no such meeting", "end", "meeting-not-found", asking("end", meetingID=ROOM)),
    Case("create, refused", "create", "meeting-not-found", asking("create", name="Team")),
]


async def answer_of(case: Case) -> Element:
    """The simulated server's answer, from a server of its own."""
    bbb = Caller(SimulatedBBB(SECRET, version=case.version, speed=0))
    async with bbb.http:
        return await case.make(bbb)


# --- allowed differences ---------------------------------------------------------------------

_NO_MEETINGS = "the sample is a balancer's; BBB itself adds noMeetings to an empty list"
_CUT_SHORT = (
    "the sample, an old capture, holds id and name of an attendee only;"
    " BBB's template is that of getMeetingInfo"
)
_MEETING = "response/meetings/meeting[1]"

DIFFERENCES = [
    Difference("meetings, none", "response/messageKey", _NO_MEETINGS),
    Difference("meetings, none", "response/message", _NO_MEETINGS),
    Difference(
        "meetings, 1 running",
        f"{_MEETING}/metadata",
        "the sample, an old capture, leaves it out; BBB's template always has it",
    ),
    *(
        Difference("meetings, 1 running", f"{_MEETING}/attendees/attendee[1]/{name}", _CUT_SHORT)
        for name in (
            "role",
            "isPresenter",
            "isListeningOnly",
            "hasJoinedVoice",
            "hasVideo",
            "clientType",
            "customdata",
        )
    ),
]
"""All of them are elements that the simulated server has and the sample has not."""
