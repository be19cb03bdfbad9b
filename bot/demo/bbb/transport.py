"""Asks the simulated server without a network, and fails as httpx fails on one."""

import httpx

from bot.demo.bbb.simulator import SimulatedBBB


class InProcess(httpx.ASGITransport):
    """For `httpx.AsyncClient(transport=...)`. A connection that is cut is an httpx.ReadError."""

    def __init__(self, simulated: SimulatedBBB) -> None:
        super().__init__(simulated.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionResetError as error:
            raise httpx.ReadError(str(error), request=request) from error
