"""Waiting, on a real listener: held pages, events, their number, and their end with the bot."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from bot.web.gateway import Gateway
from bot.web.waiting import Pace
from commands.visits import Press
from tests.web.world import GUEST, PERSONAL, RECOGNISED, WAY_IN, World

OURS = {"Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def visitor(base: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base, timeout=10, trust_env=False) as http:
        yield http


async def form(http: httpx.AsyncClient, token: str, **fields: str) -> dict[str, str]:
    """The form of a page, filled in."""
    page = await http.get(f"/j/{token}")
    nonce = re.findall('name="nonce" value="([^"]+)"', page.text)[0]
    return {"nonce": nonce, **fields}


@asynccontextmanager
async def waiting(http: httpx.AsyncClient, token: str) -> AsyncIterator[AsyncIterator[str]]:
    """A press that has to wait; gives the text of its page as it comes."""
    data = await form(http, token, name="Gus")
    async with http.stream("POST", f"/j/{token}", data=data, headers=OURS) as page:
        yield page.aiter_text()


async def until(texts: AsyncIterator[str], part: str) -> str:
    """What comes up to and with `part`."""
    seen = ""
    async with asyncio.timeout(10):
        async for text in texts:
            seen += text
            if part in seen:
                return seen
    raise AssertionError(f"never came: {part}")


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - nothing tells when a connection is seen to be gone
            await asyncio.sleep(0.01)


def open_pages(world: World) -> int:
    shown = world.metrics.page().decode()
    return int(float(re.findall(r"^bbb_bot_waiting_pages (\S+)", shown, re.M)[0]))


async def test_a_held_page_ends_in_a_button_of_ours_once_the_call_has_started(
    world: World,
) -> None:
    async with world.listening() as base, visitor(base) as http, waiting(http, GUEST) as texts:
        began = await until(texts, "<!-- -->")
        assert "Nobody from the chat is in the call yet." in began
        assert len(began) > 1024 + 1000
        world.joining.started = True
        ended = await until(texts, "</html>")
    assert "The call has started." in ended
    assert '<input type="hidden" name="name" value="Gus">' in ended
    assert "<button>Join the call</button>" in ended
    assert "bbb.example.org" not in began + ended and "refresh" not in began + ended


async def test_the_button_at_the_end_of_the_wait_leads_in(world: World) -> None:
    async with world.listening() as base, visitor(base) as http:
        async with waiting(http, GUEST) as texts:
            world.joining.started = True
            ended = await until(texts, "</html>")
        nonce = re.findall('name="nonce" value="([^"]+)"', ended)[-1]
        data = {"nonce": nonce, "name": "Gus"}
        answer = await http.post(f"/j/{GUEST}", data=data, headers=OURS)
    assert answer.headers["location"] == WAY_IN


async def test_a_silent_server_is_503_and_the_wait_rests_before_it_asks(world: World) -> None:
    world.joining.server_up, world.joining.started = False, True
    world.pace = Pace(every=0.02, rest=60)
    async with world.listening() as base, visitor(base) as http:
        data = await form(http, PERSONAL)
        async with http.stream("POST", f"/j/{PERSONAL}", data=data, headers=OURS) as page:
            assert page.status_code == 503
            assert page.headers["retry-after"] == "5"
            assert page.headers["x-accel-buffering"] == "no"
            texts = page.aiter_text()
            assert "The video server does not answer." in await until(texts, "<!-- -->")
            world.stop.set()
            assert "This page has stopped waiting" in await until(texts, "</html>")
    assert world.joining.asked == 0


async def test_events_say_ready_once_and_end(world: World) -> None:
    async with world.listening() as base, visitor(base) as http:
        async with http.stream("GET", f"/j/{GUEST}/live?for=start") as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            assert events.headers["x-accel-buffering"] == "no"
            texts = events.aiter_text()
            assert "retry: 3000\n\n" in await until(texts, ":\n\n")
            world.joining.started = True
            rest = "".join([text async for text in texts])
    assert rest.endswith("event: ready\ndata:\n\n")
    assert world.joining.presses == []


async def test_nobody_waits_on_a_link_that_leads_nowhere(world: World) -> None:
    del world.joining.views[GUEST]
    async with world.listening() as base, visitor(base) as http:
        assert (await http.get(f"/j/{GUEST}/live")).status_code == 404


async def test_a_page_that_was_closed_frees_its_place(world: World) -> None:
    async with world.listening() as base, visitor(base) as http:
        async with waiting(http, GUEST) as texts:
            await until(texts, "<!-- -->")
            assert open_pages(world) == 1
        await eventually(lambda: open_pages(world) == 0)


@pytest.mark.parametrize(
    "pace",
    [
        pytest.param(Pace(every=0.02, most=1), id="in all"),
        pytest.param(Pace(every=0.02, most_per_address=1), id="of one address"),
    ],
)
async def test_beyond_the_most_a_page_is_not_held(pace: Pace, world: World) -> None:
    world.pace = pace
    async with world.listening() as base, visitor(base) as http:
        async with waiting(http, GUEST) as texts:
            await until(texts, "<!-- -->")
            data = await form(http, GUEST, name="Gil")
            page = await http.post(f"/j/{GUEST}", data=data, headers=OURS)
            assert "Check again" in page.text
            assert "does not change by itself" in page.text
            assert "<script" not in page.text
            assert (await http.get(f"/j/{GUEST}/live")).status_code == 503


async def test_a_wait_has_an_end(world: World) -> None:
    world.pace = Pace(every=0.02, longest=0.05)
    async with world.listening() as base, visitor(base) as http, waiting(http, GUEST) as texts:
        assert "Check again" in await until(texts, "</html>")


async def test_stopping_ends_held_pages_and_events_without_a_word_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.pace, world.public_url = Pace(every=60), "http://127.0.0.1"
    gateway = Gateway(world.app(), host="127.0.0.1", port=0, stop=world.stop)
    await gateway.start()
    async with visitor(f"http://127.0.0.1:{gateway.port}") as http:
        async with waiting(http, GUEST) as texts, http.stream("GET", f"/j/{GUEST}/live") as live:
            events = live.aiter_text()
            await until(texts, "<!-- -->")
            await until(events, ":\n\n")
            async with asyncio.timeout(2):
                stopping = asyncio.create_task(gateway.stop())
                assert "Check again" in await until(texts, "</html>")
                assert "ready" not in "".join([text async for text in events])
                await stopping
    assert [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")] == []
    assert open_pages(world) == 0
    assert world.joining.asked == 0  # the first look comes after the first pause


async def test_a_port_that_is_taken_is_an_error_of_the_start(world: World) -> None:
    gateway = Gateway(world.app(), host="127.0.0.1", port=0, stop=world.stop)
    await gateway.start()
    with pytest.raises(OSError):
        await Gateway(world.app(), host="127.0.0.1", port=gateway.port, stop=world.stop).start()
    await gateway.stop()


async def test_many_who_wait_are_not_told_all_at_once(world: World) -> None:
    world.pace = Pace(every=0.02, crowd=0, spread=0.02)
    world.joining.started = True
    async with world.listening() as base, visitor(base) as http:
        async with http.stream("GET", f"/j/{RECOGNISED}/live") as events:
            assert "event: ready" in "".join([text async for text in events.aiter_text()])


async def test_pages_that_wait_for_the_same_share_their_looks(world: World) -> None:
    world.pace = Pace(every=0.2)
    async with world.listening() as base, visitor(base) as http, AsyncExitStack() as opened:
        pages = [await opened.enter_async_context(waiting(http, GUEST)) for _ in range(10)]
        for page in pages:
            await until(page, "<!-- -->")
        await eventually(lambda: world.joining.asked >= 4)
        asked, world.joining.started = world.joining.asked, True
        assert asked < 10  # less often than there are pages, though each has looked many times
        for page in pages:
            assert "The call has started." in await until(page, "</html>")


async def test_a_look_that_fails_ends_the_pages_and_not_the_gateway(world: World) -> None:
    async def ready(_: Press) -> bool:
        raise LookupError("no such thing")

    async with world.listening() as base, visitor(base) as http:
        waits = world.joining.ready
        world.joining.ready = ready  # type: ignore[method-assign]
        async with waiting(http, GUEST) as page:
            with pytest.raises(httpx.RemoteProtocolError):
                await until(page, "</html>")
        world.joining.ready = waits  # type: ignore[method-assign]
        world.joining.started = True
        async with waiting(http, PERSONAL) as page:
            pass
        assert (await http.get(f"/j/{PERSONAL}")).status_code == 200
