"""One call as it came, ready to be answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.demo.bbb.meeting import Meeting
from bot.demo.bbb.refusals import Refusal
from bot.demo.bbb.state import State


@dataclass(frozen=True, slots=True)
class Asked:
    """`base` is our own address, scheme and host. `body` is XML, or empty."""

    call: str
    parameters: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    base: str
    cookie: str = field(repr=False)

    def get(self, name: str, otherwise: str = "") -> str:
        """A parameter."""
        return self.parameters.get(name, otherwise)


def known_meeting(state: State, asked: Asked) -> Meeting:
    """The meeting that is asked for. Raises Refusal: notFound."""
    meeting = state.find(asked.get("meetingID"))
    if meeting is None:
        raise Refusal("notFound", state.rules.no_such_meeting)
    return meeting
