"""Every state of the join page: what is prepared for it, where it is, and how one gets there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playwright.async_api import Page, expect

from commands.visits import Press, Refused
from tests.web.world import (
    GUEST,
    PERSONAL,
    RECOGNISED,
    UNKNOWN,
    UNRECOGNISED,
    VIEWS,
    FakeJoining,
    World,
)

BACK = "https://chat.example.org"
EVERYTHING: dict[str, Any] = {"recorded": True, "consent": True, "lobby": True}
ENDED_AT = datetime(2026, 3, 2, 9, 42, tzinfo=UTC)


def _as_it_is(_: World) -> None:
    pass


@dataclass(frozen=True, slots=True)
class State:
    """A page: what is prepared, the link, and a text that only the pressed button brings.

    Without `script` the page comes as a browser shows it that runs none.
    """

    name: str
    token: str
    prepare: Callable[[World], None] = _as_it_is
    pressed: str = ""
    typed: str = "Gus"
    script: bool = True


def showing(token: str, **changes: Any) -> Callable[[World], None]:
    return lambda world: world.joining.show(token, **changes)


def with_joining(change: Callable[[FakeJoining], None]) -> Callable[[World], None]:
    return lambda world: change(world.joining)


def _chat_down(joining: FakeJoining) -> None:
    joining.chat_up = False
    joining.show(RECOGNISED, back=BACK)


def _server_down(joining: FakeJoining) -> None:
    joining.server_up = False


def _full(joining: FakeJoining) -> None:
    joining.full = True
    joining.show(RECOGNISED, back=BACK)


def _refused(key: str, token: str, field: str | None = None) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        world.joining.show(token, back=BACK, guests=token == UNRECOGNISED)
        view = VIEWS[token]
        world.joining.refusal = Refused(f"pages.refused.{key}", view, field=field)

    return prepare


def _started(joining: FakeJoining) -> None:
    """The press has to wait, the first look says that it need not any more."""

    async def ready(_: Press) -> bool:
        return True

    joining.ready = ready  # type: ignore[method-assign]


def _stopping(world: World) -> None:
    world.stop.set()


def _welcome(world: World) -> None:
    world.joining.show(UNRECOGNISED, guests=True, **EVERYTHING)


def _right_to_left(world: World) -> None:
    world.joining.show(
        PERSONAL,
        topic="ישיבת צוות 2026 – (חדר 7)",
        channel="#צוות",
        name="شيرين عبد الله (٣)",
        others=("דוד לוי", "Bob"),
        recorded=True,
        consent=True,
    )


def _long(world: World) -> None:
    long = "Besprechungsraumverwaltungsvorstandssitzung" * 2
    world.joining.show(PERSONAL, topic=long, name=long[:64], channel=long, others=(long, "Cy"))


STATES = [
    State("personal", PERSONAL),
    State("personal, a browser of others", PERSONAL, showing(PERSONAL, others=("Bob", "Cy"))),
    State("personal, recorded", PERSONAL, showing(PERSONAL, **EVERYTHING, running=True)),
    State("personal, ended", PERSONAL, showing(PERSONAL, ended_at=ENDED_AT, back=BACK)),
    State("personal, nameless", PERSONAL, showing(PERSONAL, name="")),
    State("personal, right to left", PERSONAL, _right_to_left),
    State("personal, long names", PERSONAL, _long),
    State("recognised", RECOGNISED),
    State("unrecognised", UNRECOGNISED),
    State("unrecognised, guests are welcome", UNRECOGNISED, _welcome),
    State("guest", GUEST),
    State("guest, recorded and lobby", GUEST, showing(GUEST, **EVERYTHING)),
    State("leads nowhere", UNKNOWN),
    State("home", ""),
    State("no name", GUEST, pressed="Please enter a name", typed=""),
    State(
        "addition too long",
        PERSONAL,
        _refused("name-long", PERSONAL, "name"),
        pressed="at most 80 characters",
    ),
    State("not agreed", GUEST, showing(GUEST, **EVERYTHING), pressed="or do not join"),
    State("not a member", RECOGNISED, _refused("not-member", RECOGNISED), pressed="not a member"),
    State(
        "guests are not allowed",
        UNRECOGNISED,
        _refused("unrecognised", UNRECOGNISED),
        pressed="Guests are not allowed",
    ),
    State("stale", PERSONAL, _refused("stale", PERSONAL), pressed="For your safety"),
    State("the chat is silent", RECOGNISED, with_joining(_chat_down), pressed="chat does not"),
    State("the server is silent", PERSONAL, with_joining(_server_down), pressed="every few sec"),
    State("full", RECOGNISED, with_joining(_full), pressed="you in as soon as somebody leaves"),
    State("a guest waits", GUEST, pressed="takes you in"),
    State(
        "without script, it has started",
        GUEST,
        with_joining(_started),
        pressed="The call has started",
        script=False,
    ),
    State(
        "without script, the wait is over",
        GUEST,
        _stopping,
        pressed="has stopped waiting",
        script=False,
    ),
]


async def show(page: Page, base: str, state: State) -> None:
    """Bring the page into this state."""
    if not state.script:
        await page.route("**/wait.js*", lambda route: route.abort())
    await page.goto(f"{base}/j/{state.token}" if state.token else base)
    if not state.pressed:
        return
    field = page.locator("#name")
    if await field.count():
        await field.evaluate("(field, name) => { field.value = name }", state.typed)
    form = page.locator("form").first
    await form.evaluate("form => { form.noValidate = true }")
    await form.locator("button").click(no_wait_after=True)
    await expect(page.get_by_text(state.pressed).last).to_be_visible()
