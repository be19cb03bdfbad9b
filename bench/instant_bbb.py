"""A BBB that answers at once: every meeting was always there, and somebody is inside.

Its argument is the port. What it answers to `create` and `getMeetingInfo` is all that a join needs.
"""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CREATED = """<response><returncode>SUCCESS</returncode><meetingID>{id}</meetingID>
<internalMeetingID>internal-{id}</internalMeetingID><createTime>1700000000000</createTime>
<hasUserJoined>true</hasUserJoined><messageKey>duplicateWarning</messageKey></response>"""

INFO = """<response><returncode>SUCCESS</returncode><meetingName>x</meetingName>
<meetingID>{id}</meetingID><internalMeetingID>internal-{id}</internalMeetingID>
<createTime>1700000000000</createTime><running>true</running><hasUserJoined>true</hasUserJoined>
<hasBeenForciblyEnded>false</hasBeenForciblyEnded><recording>false</recording>
<participantCount>1</participantCount><moderatorCount>1</moderatorCount><attendees/></response>"""


async def create(request: Request) -> Response:
    return _xml(CREATED, request)


async def info(request: Request) -> Response:
    return _xml(INFO, request)


def _xml(template: str, request: Request) -> Response:
    body = template.format(id=request.query_params.get("meetingID", ""))
    return Response(body, media_type="text/xml")


API = "/bigbluebutton/api"
app = Starlette(
    routes=[
        Route(f"{API}/create", create, methods=["GET", "POST"]),
        Route(f"{API}/getMeetingInfo", info),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), ws="none", log_level="warning")
