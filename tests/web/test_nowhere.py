"""One answer for dead, unknown, revoked and not yours: same bytes, same headers, same work."""

from __future__ import annotations

import hashlib
import statistics
import time

import httpx
import pytest

from commands.services import joining
from commands.services.linking import UNUSED_FOR
from tests.scenario.scene import TEAM
from tests.web.house import House
from tests.web.world import UNKNOWN, Browser

ROUNDS = 60
NOISE_SECONDS, NOISE_FACTOR = 0.002, 3.0


@pytest.fixture
async def dead(house: House) -> dict[str, str]:
    """Links that were alive once, by what became of them."""
    scene = house.scene
    revoked = await house.guest_link("for 2h")
    await scene.says("alice", "!bbb guest off")
    ended = await house.call_link()
    [call] = await house.store.call_rooms_of(house.stage.person("bob"))
    await scene.says_directly("bob", f'end "{call.name}"')
    await scene.says("bob", "!bbb my")
    reset = await house.newest_link("bob")
    await scene.says("bob", "!bbb my reset")
    await scene.says("bob", "!bbb create Lab")
    await scene.says("bob", "!bbb join Lab")
    deleted = await house.newest_link("bob")
    await scene.says("bob", "!bbb delete-room Lab")
    expired = await house.personal_link("bob")
    scene.clock.now += 2 * UNUSED_FOR
    return {
        "unknown": UNKNOWN,
        "unknown as well": UNKNOWN[::-1],
        "revoked": revoked,
        "of an ended call": ended,
        "reset": reset,
        "of a deleted room": deleted,
        "expired": expired,
    }


@pytest.fixture
async def browser(house: House) -> Browser:
    """One that has looked at a living page, and so may press."""
    browser = house.browser()
    await browser.open(await house.guest_link("for 2h"))
    assert browser.nonce
    return browser


async def visits(browser: Browser, token: str) -> list[httpx.Response]:
    """A look, a HEAD, the events, a press: each answered with the page for nowhere."""
    return [
        await browser.http.get(f"/j/{token}"),
        await browser.http.head(f"/j/{token}"),
        await browser.http.get(f"/j/{token}/live"),
        await browser.press(token, {"name": "Eve"}),
    ]


async def test_every_dead_link_is_the_same_404(
    house: House, dead: dict[str, str], browser: Browser
) -> None:
    removed = await house.personal_link("bob")
    await house.stage.removes("bob", TEAM)
    seen: dict[str, list[tuple[int, bytes, list[tuple[bytes, bytes]]]]] = {}
    for name, token in dead.items():
        answers = await visits(browser, token)
        seen[name] = [(a.status_code, a.content, a.headers.raw) for a in answers]
    pressed = await browser.press(removed, {"name": "Eve"})
    not_yours = (pressed.status_code, pressed.content, pressed.headers.raw)
    for name, answers_of in seen.items():
        assert answers_of == seen["unknown"], name
        assert answers_of[0][0] == 404
    assert not_yours == seen["unknown"][3]


async def test_every_dead_link_is_the_same_work(
    house: House, dead: dict[str, str], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[int] = []

    def counted(secret: str) -> str:
        hashed.append(len(secret))
        return hashlib.sha256(secret.encode()).hexdigest()

    monkeypatch.setattr(joining, "fingerprint", counted)
    work = {}
    for name, token in dead.items():
        house.begin_counting()
        hashed.clear()
        await visits(browser, token)
        work[name] = (dict(house.store.asked), list(hashed), house.bbb_calls)
    for name, done in work.items():
        assert done == work["unknown"], name
    assert work["unknown"] == ({"link": 4, "room": 4}, [22] * 4, 0)


async def test_every_dead_link_takes_the_same_time(
    house: House, dead: dict[str, str], browser: Browser
) -> None:
    """Within the noise of a busy machine: the work above is what holds exactly."""
    took: dict[str, list[float]] = {name: [] for name in dead}
    for _ in range(ROUNDS):
        for name, token in dead.items():
            began = time.perf_counter()
            await browser.http.get(f"/j/{token}")
            took[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in took.items()}
    fastest, slowest = min(medians.values()), max(medians.values())
    assert slowest < fastest * NOISE_FACTOR + NOISE_SECONDS, medians
