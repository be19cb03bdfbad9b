"""The page `/j/TOKEN`: what a link shows, and what its button does."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from bot.metrics import Metrics
from bot.web.desk import RETRY, Desk
from bot.web.forms import is_ours, read_form
from bot.web.wait import WaitPages
from commands.messages import Arg
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
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the form is shown again; `field` is the one it is about."""

    key: str
    args: Mapping[str, Arg] = field_of(default_factory=dict)
    field: str | None = None


@dataclass(frozen=True, slots=True)
class JoinPages:
    """GET shows, POST does."""

    desk: Desk
    waits: WaitPages
    metrics: Metrics

    async def show(self, request: Request) -> Response:
        """GET and HEAD: the page of a link, whoever fetches it."""
        if busy := self.desk.busy(request):
            return busy
        view = await self.desk.look(request)
        return self._form(request, view) if view else self.desk.nowhere(request)

    async def press(self, request: Request) -> Response:
        """POST: the button."""
        if busy := self.desk.busy(request):
            return busy
        form, nonce = await read_form(request), self.desk.cookies.nonce(request)
        if not is_ours(request, form, site=self.desk.site, nonce=nonce):
            return await self._once_more(request)
        press = Press(
            token=self.desk.token(request),
            cookie=self.desk.cookies.browser(request),
            name=form.get("name"),
            remember="remember" in form,
            consent="consent" in form,
        )
        outcome = await self.desk.press(press)
        name = _outcome_name(outcome)
        self.metrics.joins.labels(name).inc()
        log.debug("button pressed", extra={"action": "button_pressed", "outcome": name})
        return self._answer(request, press, outcome)

    async def _once_more(self, request: Request) -> Response:
        """A POST that may come from elsewhere: nothing is done, the form comes back fresh."""
        view = await self.desk.look(request)
        if view is None:
            return self.desk.nowhere(request)
        problem = Problem("pages.refused.stale")
        return self._form(request, view, problem=problem, status=HTTPStatus.FORBIDDEN)

    def _answer(self, request: Request, press: Press, outcome: Outcome) -> Response:
        match outcome:
            case Go():
                return self._go(outcome)
            case Wait():
                return self.waits.page(request, press, outcome)
            case Refused():
                return self._refused(request, press, outcome)
            case ChatSilent(view):
                return self._chat_silent(request, press, view)
            case Busy(delay):
                return self.desk.limited(request, delay)
            case NotFound():
                return self.desk.nowhere(request)

    def _go(self, go: Go) -> Response:
        """To BBB. The address goes out as it was signed, and is written nowhere else."""
        headers = {"Location": go.url}
        response = Response(status_code=HTTPStatus.SEE_OTHER, headers=headers)
        if go.cookie:
            self.desk.cookies.keep_browser(response, go.cookie)
        return response

    def _refused(self, request: Request, press: Press, refused: Refused) -> Response:
        problem = Problem(refused.key, refused.args, refused.field)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return self._form(request, refused.view, problem=problem, press=press, status=status)

    def _chat_silent(self, request: Request, press: Press, view: View) -> Response:
        return self.desk.page(
            request,
            view,
            lambda render: render("chat-silent", press=press),
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            headers=RETRY,
        )

    def _form(
        self,
        request: Request,
        view: View,
        *,
        problem: Problem | None = None,
        press: Press | None = None,
        status: int = HTTPStatus.OK,
    ) -> Response:
        """The page with the button; after a refused `press` with what was typed."""
        template = "unrecognised" if view.door is Door.UNRECOGNISED else "join"
        values = {
            "problem": problem,
            "typed": (press.name or "")[:LONGEST_TYPED] if press else "",
            "longest": LONGEST_TYPED,
            "remember": press.remember if press else not view.others,
            "agreed": press is not None and press.consent,
        }
        return self.desk.page(
            request, view, lambda render: render(template, **values), status=status
        )


def _outcome_name(outcome: Outcome) -> str:
    """As the metrics call it."""
    match outcome:
        case Go():
            return "joined"
        case Wait(reason):
            return f"waits_for_{reason}"
        case Refused():
            return "refused"
        case ChatSilent():
            return "chat_silent"
        case Busy():
            return "too_often"
        case NotFound():
            return "not_found"
