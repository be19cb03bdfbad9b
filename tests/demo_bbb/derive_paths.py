"""Derives the element paths of BBB's answers from recorded samples.

    python tests/demo_bbb/derive_paths.py FOLDER

FOLDER holds the samples, which are not part of this project; the lists in `paths/` are. The first
line of a list names its sample and what was cut from it, then comes one path per line. Elements
that repeat carry their number; children whose names are free (metadata, customdata) are `*`.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from defusedxml.ElementTree import fromstring

LISTS = Path(__file__).with_name("paths")
REPEATED = {"meeting", "attendee", "breakout"}
FREE = {"metadata", "customdata"}


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and how many of which element are kept under each parent; the rest are cut."""

    file: str
    keep: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        kept = (f"at most {number} in {parent}" for parent, number in self.keep.items())
        return ", ".join([self.file, *kept])


INFO = "api-php/get_meeting_info.xml"
SAMPLES = {
    "api-root-3.0": Sample("api-php/api_version.xml"),
    "api-root-2.6": Sample("pilos/GetApiVersion.xml"),
    "create": Sample("api-php/create_meeting.xml"),
    "join": Sample("api-php/join_meeting.xml"),
    "isMeetingRunning": Sample("api-php/is_meeting_running.xml"),
    "getMeetingInfo-0-attendees": Sample(INFO, {"attendees": 0}),
    "getMeetingInfo-1-attendee": Sample(INFO, {"attendees": 1}),
    "getMeetingInfo-4-attendees": Sample(INFO, {"attendees": 4}),
    "getMeetingInfo-no-metadata": Sample(INFO, {"attendees": 1, "metadata": 0}),
    "getMeetingInfo-breakout": Sample(
        "api-php/get_meeting_info_breakout_room.xml", {"attendees": 0}
    ),
    "getMeetingInfo-1-breakout-room": Sample(
        "api-php/get_meeting_info_with_breakout_rooms.xml", {"attendees": 0, "breakoutRooms": 1}
    ),
    "getMeetingInfo-3-breakout-rooms": Sample(
        "api-php/get_meeting_info_with_breakout_rooms.xml", {"attendees": 0}
    ),
    "getMeetings-0": Sample("pilos/GetMeetings-End.xml"),
    "getMeetings-1": Sample("bbb-docs-2.6/getMeetings_1.xml"),
    "getMeetings-1-with-attendee": Sample("pilos/GetMeetings-1.xml", {"attendees": 1}),
    "getMeetings-3": Sample("api-php/get_meetings.xml", {"breakoutRooms": 1}),
    "end": Sample("api-php/end_meeting.xml"),
    "insertDocument": Sample("api-php/insert_document.xml"),
    "sendChatMessage": Sample("api-php/send_chat_message.xml"),
    "sendChatMessage-failed": Sample("api-php/send_chat_message_failed.xml"),
    "getRecordings-0": Sample("api-php/get_recordings_no_recordings.xml"),
    "publishRecordings-failed": Sample("api-php/publish_recordings_not_found.xml"),
    "deleteRecordings-failed": Sample("api-php/delete_recordings_not_found.xml"),
    "updateRecordings-failed": Sample("api-php/update_recordings_not_found.xml"),
    "text-tracks-failed": Sample("bbb-docs-2.6/putRecordingTextTrack_4.json"),
    "checksum-failed": Sample("pilos/ChecksumError.xml"),
    "meeting-not-found": Sample("pilos/MeetingNotFound.xml"),
}
"""By the name of the list."""


def paths_of(root: Element) -> set[str]:
    """The path of every element."""
    return {path for path, _, _ in walk(root)}


def walk(root: Element) -> Iterator[tuple[str, Element | None, Element]]:
    """Every element with its path and its parent, the root first."""
    yield from _walk(root, None, root.tag)


def _walk(
    element: Element, parent: Element | None, path: str
) -> Iterator[tuple[str, Element | None, Element]]:
    yield path, parent, element
    seen: Counter[str] = Counter()
    for child in element:
        name = "*" if element.tag in FREE else child.tag
        seen[name] += 1
        numbered = f"{name}[{seen[name]}]" if name in REPEATED | {"*"} else name
        yield from _walk(child, element, f"{path}/{numbered}")


def document(text: str) -> Element:
    """An answer's tree; of a JSON answer, the tree that its keys make."""
    if not text.lstrip().startswith("{"):
        root: Element = fromstring(text)
        return root
    ((name, fields),) = json.loads(text).items()
    root = Element(name)
    for key, value in fields.items():
        SubElement(root, key).text = str(value)
    return root


def cut(root: Element, keep: Mapping[str, int]) -> None:
    """Take the superfluous children away."""
    for parent, number in keep.items():
        for element in list(root.iter(parent)):
            for child in list(element)[number:]:
                element.remove(child)


def main(folder: Path) -> None:
    """Write all lists anew."""
    LISTS.mkdir(exist_ok=True)
    for name, sample in SAMPLES.items():
        root = document((folder / sample.file).read_text(encoding="utf-8"))
        cut(root, sample.keep)
        lines = [str(sample), *sorted(paths_of(root))]
        (LISTS / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
