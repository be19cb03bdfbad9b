"""The simulator's own page: what is going on, what is broken, and the switches for both."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.bbb.calls import CALLS
from bot.demo.bbb.clock import Clock
from bot.demo.bbb.faults import ALL, ROOT, Fault, Faults
from bot.demo.bbb.paper import page, see
from bot.demo.bbb.parameters import whole_number
from bot.demo.bbb.state import State

CALL_NAMES = {ALL: "every call", ROOT: "the API's root"} | {name: name for name in CALLS}


class SimulatorPages:
    """For people who try something out, and for tests from outside the process."""

    def __init__(self, state: State, faults: Faults, clock: Clock | None) -> None:
        self._state = state
        self._faults = faults
        self._clock = clock

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/simulator", self.look),
            Route("/simulator/faults", self.set_fault, methods=["POST"]),
            Route("/simulator/well", self.clear_faults, methods=["POST"]),
            Route("/simulator/forward", self.forward, methods=["POST"]),
        ]

    async def look(self, request: Request) -> Response:
        """Everything on one page."""
        return page(
            "simulator.html",
            version=self._state.rules.bbb_version,
            meetings=self._state.meetings(),
            broken=self._faults.listed(),
            call_names=CALL_NAMES,
            faults=list(Fault),
            movable=self._clock is not None,
        )

    async def set_fault(self, request: Request) -> Response:
        """Break a call. Fields: `call` (a key of CALL_NAMES), `fault` (a name of Fault), `once`."""
        form = await request.form()
        call, name = str(form.get("call", ALL)), str(form.get("fault", ""))
        if call not in CALL_NAMES or name not in Fault.__members__:
            return page("simulator_error.html", 400)
        self._faults.set(Fault[name], call=call, times=1 if "once" in form else None)
        return see("/simulator")

    async def clear_faults(self, request: Request) -> Response:
        """Mend everything."""
        self._faults.clear()
        return see("/simulator")

    async def forward(self, request: Request) -> Response:
        """Move the clock. Field: `seconds`."""
        form = await request.form()
        seconds = whole_number(str(form.get("seconds", "")), 0)
        if self._clock is None or not seconds:
            return page("simulator_error.html", 400)
        self._clock.forward(seconds)
        return see("/simulator")
