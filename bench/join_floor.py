"""The floor of a join: a bare handler that asks Synapse for the membership, and redirects.

Its argument is a JSON file with "port", "homeserver", "access_token". Raw aiohttp towards Synapse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import quote

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from yarl import URL


class Floor:
    def __init__(self, settings: dict[str, str]) -> None:
        self._base = f"{settings['homeserver']}/_matrix/client/v3"
        self._headers = {"Authorization": f"Bearer {settings['access_token']}"}
        self._http: aiohttp.ClientSession | None = None

    async def join(self, request: Request) -> Response:
        """303 for a member, 404 for everybody else."""
        if self._http is None:
            self._http = aiohttp.ClientSession(headers=self._headers)
        room, person = (quote(request.query_params[name], safe="") for name in ("room", "person"))
        address = f"{self._base}/rooms/{room}/state/m.room.member/{person}"
        async with self._http.get(URL(address, encoded=True)) as answer:
            found = await answer.json()
        if found.get("membership") != "join":
            return Response(status_code=404)
        return Response(status_code=303, headers={"Location": "https://bbb.example.org/join"})


def main(settings: dict[str, str]) -> None:
    floor = Floor(settings)
    app = Starlette(routes=[Route("/join", floor.join, methods=["POST"])])
    port = int(settings["port"])
    uvicorn.run(app, host="127.0.0.1", port=port, ws="none", log_level="warning", access_log=False)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
