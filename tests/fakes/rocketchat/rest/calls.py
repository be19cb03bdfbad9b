"""video-conference.start: a call by whichever provider an app brought, if one did."""

from __future__ import annotations

from tests.fakes.rocketchat.refusals import Failed, Forbidden
from tests.fakes.rocketchat.rest.endpoints import Call, Limit, endpoint
from tests.fakes.rocketchat.wire import Json, new_id

_STARTING = Limit(calls=3, window=60_000, lifted_by="api-bypass-rate-limit")


@endpoint("POST", "video-conference.start", limit=_STARTING)
def start(call: Call) -> Json:
    room = call.state.rooms.get(call.text("roomId"))
    if room is None or not call.state.sees(call.me, room):
        raise Failed("invalid-params")
    if not call.state.may(call.me, "call-management", room):
        raise Forbidden(own=True)
    if call.state.call_provider is None:
        raise Failed("no-videoconf-provider-app")
    call_id = new_id()
    blocks = [{"type": "video_conf", "callId": call_id, "appId": "videoconf-core"}]
    call.state.write(call.me, room, {"msg": "", "t": "videoconf", "blocks": blocks})
    kind = "direct" if room.kind == "d" else "videoconference"
    provider = call.state.call_provider
    return {"data": {"type": kind, "callId": call_id, "rid": room.id, "providerName": provider}}
