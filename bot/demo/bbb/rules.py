"""Where versions of BBB differ, as switches."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """What one version does. `dataclasses.replace` makes a server with another mixture."""

    bbb_version: str
    signs_sorted_body: bool
    """A POST with an empty query is signed over its sorted form fields (2.4 to about 2.7)."""
    refuses_charset: bool
    """`; charset=...` makes a content type unsupported: the first releases that checked it."""
    joins_by_get_only: bool
    refuses_two_checksums: bool
    no_such_meeting: str
    """What getMeetingInfo and end say of an unknown meeting."""
    vanished_join: str
    """The key for a join of a meeting that is gone; invalidMeetingIdentifier up to 2.3."""
    has_chat_call: bool
    tells_of_graphql: bool
    reveals_version: bool = True
    """allowRevealOfBBBVersion; a default installation says nothing."""
    algorithms: frozenset[str] = frozenset({"sha1", "sha256", "sha384", "sha512"})
    """supportedChecksumAlgorithms."""


RULES = {
    "2.6": Rules(
        bbb_version="2.6.18",
        signs_sorted_body=True,
        refuses_charset=True,
        joins_by_get_only=False,
        refuses_two_checksums=False,
        no_such_meeting="We could not find a meeting with that meeting ID"
        " - perhaps the meeting is not yet running?",
        vanished_join="meetingForciblyEnded",
        has_chat_call=False,
        tells_of_graphql=False,
    ),
    "3.0": Rules(
        bbb_version="3.0.37",
        signs_sorted_body=False,
        refuses_charset=False,
        joins_by_get_only=True,
        refuses_two_checksums=True,
        no_such_meeting="A meeting with that ID does not exist",
        vanished_join="meetingForciblyEnded",
        has_chat_call=True,
        tells_of_graphql=True,
    ),
}
"""By the name that the command line takes."""


def rules_of(version: str) -> Rules:
    """The rules of "2.6" or "3.0". Raises ValueError for any other."""
    try:
        return RULES[version]
    except KeyError:
        raise ValueError(f"the version must be one of {', '.join(RULES)}") from None
