"""The tour: a short story played by two people through a real bot, each step with a deadline."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot.demo.browser import Browser, Page, Unanswered
from bot.demo.expected import Expected, expected
from bot.demo.scroll import Scroll
from bot.demo.speech import Company, Heard
from commands.i18n import Texts

ALICE, BOB = "alice", "bob"
STEP_SECONDS = 20.0
"""A step that is not done by then has failed."""
SETTLE_SECONDS = 2.0
"""How long the bot may add something after an answer that is not the one waited for."""

_ADDRESS = re.compile(r"https?://\S+")


class Unexpected(Exception):
    """A step went wrong; both texts are in the tour's language."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}; seen: {seen}")
        self.expected = expected
        self.seen = seen


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `key` names it in the catalogue, as `demo.step.KEY`."""

    key: str
    act: Callable[[], Awaitable[None]]


class Tour:
    """Use as `async with`, then `play`. It sees what people see: messages and pages."""

    def __init__(self, company: Company, *, texts: Texts, scroll: Scroll) -> None:
        self._company = company
        self._texts = texts
        self._scroll = scroll
        self._ears = Ears()
        self._browsers: dict[str, Browser] = {}
        self._links: dict[str, str] = {}
        self._pages: dict[str, Page] = {}
        self._card = ""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Tour":
        for person in (ALICE, BOB):
            browser = Browser(self._texts.language)
            self._browsers[person] = await self._stack.enter_async_context(browser)
        self._stack.callback(self._company.listen(self._hear))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _hear(self, heard: Heard) -> None:
        self._scroll.show(heard)
        self._ears.hear(heard)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The story."""
        return (
            Step("open", self._open),
            Step("alice-link", lambda: self._ask_link(ALICE)),
            Step("alice-joins", lambda: self._join(ALICE, role="moderator")),
            Step("one-inside", lambda: self._card_counts(1)),
            Step("bob-link", lambda: self._ask_link(BOB)),
            Step("bob-joins", lambda: self._join(BOB, role="viewer")),
            Step("two-inside", lambda: self._card_counts(2)),
            Step("bob-leaves", lambda: self._leave(BOB)),
            Step("one-left", lambda: self._card_counts(1)),
            Step("end", self._end),
            Step("ended", self._card_ended),
        )

    async def play(self) -> bool:
        """Play all steps; False as soon as one fails, which is said."""
        begun = time.monotonic()
        for step in self.steps:
            name = self._texts.plain(f"demo.step.{step.key}")
            self._scroll.note(f"— {name}")
            if trouble := await self._trouble(step):
                said = {"step": name, "expected": trouble.expected, "seen": trouble.seen}
                self._scroll.note(self._texts.plain("demo.tour.failed", **said), "bold red")
                return False
        seconds = round(time.monotonic() - begun)
        done = self._texts.plain("demo.tour.done", n=len(self.steps), seconds=seconds)
        self._scroll.note(done, "bold green")
        return True

    async def _trouble(self, step: Step) -> Unexpected | None:
        self._ears.forget()
        try:
            await step.act()
        except Unexpected as trouble:
            return trouble
        return None

    # --- the steps

    async def _open(self) -> None:
        await self._company.says(ALICE, "!bbb")
        self._card = (await self._hears("card.open")).ref

    async def _ask_link(self, person: str) -> None:
        await self._company.says(person, "!bbb join")
        name = self._company.name(person)
        wanted = self._texts.plain("demo.expected.link", name=name)
        heard = await self._hears("join.link", direct=person, wanted=wanted)
        found = _ADDRESS.search(heard.text)
        if found is None:
            raise Unexpected(wanted, heard.text)
        self._links[person] = found[0]

    async def _join(self, person: str, *, role: str) -> None:
        name = self._company.name(person)
        wanted = self._texts.plain("demo.expected.button")
        door = await self._browse(person, wanted, lambda b: b.open(self._links[person]))
        if door.status != 200 or len(_pressable(door)) != 1:
            raise Unexpected(wanted, self._seen_on(door))
        wanted = self._texts.plain("demo.expected.inside", name=name, role=role)
        inside = await self._browse(person, wanted, lambda b: b.press(door))
        if inside.status != 200 or name not in inside.text or f"({role})" not in inside.text:
            raise Unexpected(wanted, self._seen_on(inside))
        self._pages[person] = inside

    async def _card_counts(self, n: int) -> None:
        await self._card_shows("card.running", n)

    async def _leave(self, person: str) -> None:
        wanted = self._texts.plain("demo.expected.left", name=self._company.name(person))
        inside = self._pages[person]
        after = await self._browse(person, wanted, lambda b: b.press(inside, "Leave"))
        if after.status != 200 or "Leave" in _pressable(after):
            raise Unexpected(wanted, self._seen_on(after))

    async def _end(self) -> None:
        await self._company.says(ALICE, "!bbb end")
        await self._hears("end.done")

    async def _card_ended(self) -> None:
        await self._card_shows("card.ended", 2)

    # --- what people see

    async def _hears(
        self, key: str, *, direct: str | None = None, wanted: str | None = None
    ) -> Heard:
        """The bot's answer with this text, since the step began."""
        line = expected(self._texts, key)

        def answer() -> Heard | None:
            said = (h for h in self._ears.heard if h.by_bot and h.direct == direct)
            return next((h for h in said if line.matches(h.text)), None)

        return await self._wait(answer, wanted or self._quoted(line), settle=SETTLE_SECONDS)

    async def _card_shows(self, key: str, n: int) -> None:
        """What the card shows now, or soon; it may have changed before the step began."""
        line = expected(self._texts, key, n)

        def card() -> Heard | None:
            shown = self._ears.latest[self._card]
            return shown if line.matches(shown.text) else None

        await self._wait(card, self._quoted(line))

    async def _wait(
        self, look: Callable[[], Heard | None], wanted: str, *, settle: float = STEP_SECONDS
    ) -> Heard:
        try:
            return await self._ears.wait(look, settle=settle)
        except TimeoutError:
            pass
        raise Unexpected(wanted, self._said())

    def _quoted(self, line: Expected) -> str:
        return self._texts.plain("demo.expected.text", text=line.shape)

    def _said(self) -> str:
        quoted = [f"{h.room}, {h.author}: {h.text}" for h in self._ears.heard if h.by_bot]
        return " / ".join(quoted).replace("\n", " ") or self._texts.plain("demo.tour.nothing")

    async def _browse(
        self, person: str, wanted: str, act: Callable[[Browser], Awaitable[Page]]
    ) -> Page:
        """Do something in a person's browser, and tell which page that led to."""
        try:
            page = await act(self._browsers[person])
        except Unanswered as silent:
            seen = self._texts.plain("demo.tour.silent", host=str(silent))
            raise Unexpected(wanted, seen) from None
        except LookupError:
            seen = self._seen_on(self._pages[person])
            raise Unexpected(wanted, seen) from None
        browser = self._texts.plain("demo.tour.in-browser", name=self._company.name(person))
        self._scroll.note(f"       {browser}: {self._seen_on(page, most=100)}")
        return page

    def _seen_on(self, page: Page, most: int = 300) -> str:
        text = _shortened(page.text, most)
        return self._texts.plain("demo.tour.page", title=page.title, text=text)


class Ears:
    """What was heard since the step began, what each message shows now, and waiting for more."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.latest: dict[str, Heard] = {}
        self._more = asyncio.Event()

    def forget(self) -> None:
        """A new step begins."""
        self.heard.clear()

    def hear(self, heard: Heard) -> None:
        self.heard.append(heard)
        self.latest[heard.ref] = heard
        self._more.set()

    async def wait(self, look: Callable[[], Heard | None], *, settle: float) -> Heard:
        """What `look` finds, now or when more was heard.

        Raises TimeoutError at the step's deadline, or `settle` seconds after the bot's last answer.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + STEP_SECONDS
        async with asyncio.timeout_at(end) as deadline:
            answers = 0
            while (found := look()) is None:
                if (said := self._answers()) > answers:
                    answers = said
                    deadline.reschedule(min(end, clock() + settle))
                self._more.clear()
                await self._more.wait()
            return found

    def _answers(self) -> int:
        return sum(heard.by_bot and not heard.edit for heard in self.heard)


def _pressable(page: Page) -> list[str]:
    return [button for form in page.forms for button in form.buttons]


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
