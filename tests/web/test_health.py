"""Health for machines: alive is not ready, ready tells no reasons, metrics stay inside."""

import httpx
import pytest

from bot.web.app import make_internal_app
from bot.web.health import Health, Part
from tests.web.world import PUBLIC, Browser, World


async def test_alive_asks_nobody(world: World, browser: Browser) -> None:
    world.health = Health(Part.DOWN, {"matrix": Part.DOWN}, Part.DOWN)
    answer = await browser.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize(
    ("health", "code", "status"),
    [
        pytest.param(Health(Part.OK, {"a": Part.OK}, Part.OK), 200, "ok", id="all is well"),
        pytest.param(Health(Part.OK, {"a": Part.OK}, Part.DOWN), 200, "degraded", id="no BBB"),
        pytest.param(
            Health(Part.OK, {"a": Part.OK, "b": Part.DOWN}, Part.OK),
            200,
            "degraded",
            id="one of two chats",
        ),
        pytest.param(Health(Part.OK, {"a": Part.DOWN}, Part.OK), 503, "down", id="no chat"),
        pytest.param(Health(Part.OK, {}, Part.OK), 503, "down", id="no chat at all"),
        pytest.param(Health(Part.DOWN, {"a": Part.OK}, Part.OK), 503, "down", id="no database"),
    ],
)
async def test_ready_means_that_commands_can_be_taken(
    health: Health, code: int, status: str, world: World, browser: Browser
) -> None:
    world.health = health
    answer = await browser.get("/readyz")
    assert answer.status_code == code
    parts = {"database": health.database, "chats": dict(health.chats), "bbb": health.bbb}
    assert answer.json() == {"status": status, "parts": parts}


async def test_a_state_that_cannot_be_told_is_down_without_a_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def parts() -> Health:
        raise OSError("disk /var/lib/secret is full")

    monkeypatch.setattr(world, "_parts", parts)
    answer = await Browser(world.app()).get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "down"}


async def test_metrics_are_on_the_internal_listener_only(world: World, browser: Browser) -> None:
    world.metrics.joins.labels("joined").inc()
    transport = httpx.ASGITransport(make_internal_app(world.metrics))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as inside:
        shown = await inside.get("/metrics")
    assert 'bbb_bot_joins_total{outcome="joined"} 1.0' in shown.text
    assert shown.headers["content-type"].startswith("text/plain; version=")
    assert (await browser.get("/metrics")).status_code == 404
