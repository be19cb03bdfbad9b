"""The routes: the API, the client's pages, the simulator's own page, the static files."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.demo.bbb import answers, calls
from bot.demo.bbb.client_pages import ClientPages
from bot.demo.bbb.clock import Clock
from bot.demo.bbb.faults import Faults
from bot.demo.bbb.gate import API
from bot.demo.bbb.simulator_pages import SimulatorPages
from bot.demo.bbb.state import State

STATIC = Path(__file__).parent / "static"


def application(state: State, faults: Faults, *, public_url: str, clock: Clock | None) -> Starlette:
    """The server without its gate. `clock` is None where it belongs to somebody else."""

    def base(request: Request) -> str:
        return public_url or str(request.base_url).rstrip("/")

    async def root(request: Request) -> Response:
        as_json = request.headers.get("content-type", "").startswith("application/json")
        return answers.root(state.rules, base=base(request), as_json=as_json)

    async def call(request: Request) -> Response:
        name = request.path_params["call"]
        return await calls.answer(state, request, name, base=base(request))

    client, simulator = ClientPages(state, base), SimulatorPages(state, faults, clock)
    app = Starlette(
        routes=[
            Route(API, root),
            Route(f"{API}/", root),
            Route(f"{API}/{{call}}", call, methods=["GET", "POST"]),
            *client.routes(),
            *simulator.routes(),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={HTTPException: _html},
    )
    app.router.redirect_slashes = False
    return app


async def _html(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return calls.html_error(status)
