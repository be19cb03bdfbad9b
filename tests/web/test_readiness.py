"""Health for machines: alive is not ready, ready tells no reasons, metrics stay inside."""

import httpx
import pytest
from starlette.requests import Request

from bot.web.alive import INSTANCE, VISITOR
from bot.web.app import make_internal_app
from bot.web.readiness import Health, Part
from bot.web.visitor import Visitors
from tests.web.world import PUBLIC, Browser, World


async def test_alive_asks_nobody(world: World, browser: Browser) -> None:
    world.health = Health(Part.DOWN, {"matrix": Part.DOWN}, Part.DOWN)
    answer = await browser.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_alive_tells_which_process_this_is_and_where_the_visitor_comes_from(
    world: World,
) -> None:
    app = world.app()
    first, second = [await Browser(app).get("/healthz") for _ in range(2)]
    other = await Browser(world.app()).get("/healthz")
    assert first.headers[INSTANCE] == second.headers[INSTANCE] != other.headers[INSTANCE]
    assert first.headers[VISITOR] == "direct"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "told"),
    [
        (["127.0.0.0/8"], "203.0.113.9", "203.0.113.9"),
        (["127.0.0.0/8"], "192.0.2.77, 203.0.113.9", "203.0.113.9"),
        (["127.0.0.0/8"], "", "direct"),
        (["10.0.0.1"], "203.0.113.9", "untrusted"),
    ],
)
def test_what_a_visitor_is_told_of_themselves(
    trusted: list[str], forwarded: str, told: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope = {"type": "http", "headers": headers, "client": ("127.0.0.1", 5000)}
    assert Visitors(trusted).told(Request(scope)) == told


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
