"""What can be said "no" to, and what can go wrong outside.

UserError               the person who asked hears about it, by message key
ServerTrouble           a BBB server did not do what was asked
  ServerUnreachable     refused, no such host, HTTP 503
    LeftAlone           not even asked: it has not answered for a while
    AnswerLost          the request went out, its answer was lost (*)
      ServerTimedOut    no complete answer within the deadline (*)
  NotBBB                something answered that is not BBB: an HTML page, a redirect, HTTP 4xx
    Garbled             an answer that cannot be read: empty, cut short, too large, entities (*)
  ServerBroken          HTTP 500, 502, 504 (*)
  ServerBusy            HTTP 429, or "no capacity"
  WrongSecret           checksumError, 401, 403
  ServerRefused         returncode FAILED with another message key, or none
    NoSuchMeeting       the meeting is not there (any more)
ChatTrouble             a chat did not do what was asked
  ChatUnavailable       it cannot be asked now; try again later
    ChatBusy            it asks us to slow down
  ChatRefused           it said no for good
    DirectRefused       this person cannot be written to directly
  NotThereYet           the person has not opened the direct message yet

(*) what was asked for may have been done all the same: `in_doubt`.
"""

from datetime import timedelta
from typing import ClassVar

from commands.messages import Arg

_CHANGES = {"create", "end", "sendChatMessage"}
"""BBB's calls that do something; the others only look."""


class UserError(Exception):
    """The person who asked should hear about this: a message key and its arguments."""

    def __init__(self, key: str, **args: Arg) -> None:
        super().__init__(key)
        self.key = key
        self.args_for_text = args


class ServerTrouble(Exception):
    """A BBB server did not do what was asked. The text holds call and server's name, no more."""

    may_be_done: ClassVar[bool] = False
    """Whether this trouble can come after the server has carried out the call."""

    def __init__(self, server: str, call: str, detail: str = "") -> None:
        super().__init__(f"{server}: {call}: {detail or type(self).__name__}")
        self.server = server
        self.call = call
        self.detail = detail

    @property
    def in_doubt(self) -> bool:
        """Whether something may have changed at the server, although it did not say so."""
        return self.may_be_done and self.call in _CHANGES


class ServerUnreachable(ServerTrouble):
    """Refused, no such host, connection cut before the request was out."""


class LeftAlone(ServerUnreachable):
    """Nothing was sent: the server has not answered for a while, and rests."""


class AnswerLost(ServerUnreachable):
    """The request went out, the answer did not come: it may have been carried out."""

    may_be_done = True


class ServerTimedOut(AnswerLost):
    """No complete answer within the deadline."""


class NotBBB(ServerTrouble):
    """Something answered that is not BBB; `detail` says what (html, redirect, HTTP 404 ...)."""


class Garbled(NotBBB):
    """Whatever answered cannot be read; `detail` says why (empty, truncated, too large ...)."""

    may_be_done = True


class ServerBroken(ServerTrouble):
    """HTTP 500, 502, 504: something broke over the call, before or after it was done."""

    may_be_done = True


class ServerBusy(ServerTrouble):
    """HTTP 429 or a balancer without capacity."""

    def __init__(
        self, server: str, call: str, detail: str = "", *, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(server, call, detail)
        self.retry_after = retry_after


class WrongSecret(ServerTrouble):
    """The server does not accept our signature: secret or algorithm."""


class ServerRefused(ServerTrouble):
    """returncode FAILED; `message_key` is BBB's, "" where it sent none."""

    def __init__(self, server: str, call: str, message_key: str = "") -> None:
        super().__init__(server, call, message_key or "refused without a reason")
        self.message_key = message_key


class NoSuchMeeting(ServerRefused):
    """Any of BBB's ways to say that the meeting does not exist."""


class ChatTrouble(Exception):
    """A chat did not do what was asked. The text never holds a message's content or a token."""


class ChatUnavailable(ChatTrouble):
    """The chat cannot be asked now; try again later."""


class ChatBusy(ChatUnavailable):
    """The chat asks to slow down for `retry_after`."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"asked to wait {retry_after.total_seconds():.1f} s")
        self.retry_after = retry_after


class ChatFailed(ChatUnavailable):
    """The chat answered HTTP 500: it may be ill, or never take this content."""


class ChatRefused(ChatTrouble):
    """The chat said no for good (forbidden, too large, unknown channel)."""


class DirectRefused(ChatRefused):
    """This person cannot be written to directly."""


class NotThereYet(ChatTrouble):
    """The person was invited to a direct message and has not joined it yet."""
