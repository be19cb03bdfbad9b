"""Checks what reaches the Rocket.Chat test server, and the documents that leave it, with schemas.

Rocket.Chat's own schemas are in `tests/data/rocketchat/`; UNPUBLISHED holds those that it does not
publish. The real server is more lenient with requests (it turns numbers into texts and back). What
a schema refuses is kept, also where it came from a background task, and fails the test that is
running (`tests/conftest.py`). A test that sends nonsense on purpose takes the violations away
itself, by `taken()`.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from tests.fakes.rocketchat.seams import Handler, Seam
from tests.fakes.rocketchat.wire import Json

if TYPE_CHECKING:
    from tests.fakes.rocketchat.ddp.session import Session

DATA = Path(__file__).parents[2] / "data" / "rocketchat"

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
TEXT: Json = {"type": "string", "minLength": 1}
PAGE: Json = {"count": {"type": "integer"}, "offset": {"type": "integer"}}
MEMBERS: Json = {
    **PAGE,
    "filter": {"type": "string"},
    "status": {"type": "array", "items": TEXT},
    "sort": {"type": "string"},
}


def _object(required: Sequence[str] = (), **properties: Json) -> Json:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _either(*schemas: Json) -> Json:
    return {"oneOf": list(schemas)}


UNPUBLISHED: dict[str, Json] = {
    "GET /info": _object(),
    "GET info": _object(),
    "GET channels.info": _either(
        _object(["roomId"], roomId=TEXT), _object(["roomName"], roomName=TEXT)
    ),
    "GET channels.members": _either(
        _object(["roomId"], roomId=TEXT, **MEMBERS), _object(["roomName"], roomName=TEXT, **MEMBERS)
    ),
    "GET commands.get": _object(["command"], command=TEXT),
    "GET commands.list": _object(**PAGE),
    "GET me": _object(),
    "GET permissions.listAll": _object(updatedSince={"type": "string", "format": "iso-date-time"}),
    "GET rooms.get": _object(updatedSince={"type": "string", "format": "iso-date-time"}),
    "GET rooms.roles": _object(["rid"], rid=TEXT),
    "GET users.getPersonalAccessTokens": _object(),
    "POST chat.pinMessage": _object(["messageId"], messageId=TEXT),
    "POST login": _either(
        _object(["resume"], resume=TEXT),
        *(
            _object([name, "password"], **{name: TEXT}, password=TEXT, code=TEXT)
            for name in ("user", "username", "email")
        ),
    ),
    "POST logout": _object(),
    "POST rooms.leave": _object(["roomId"], roomId=TEXT),
    "POST users.generatePersonalAccessToken": _object(
        ["tokenName"], tokenName=TEXT, bypassTwoFactor={"type": "boolean"}
    ),
    "POST users.setStatus": {
        **_object(
            status={"enum": ["online", "away", "busy", "offline"]}, message={"type": "string"}
        ),
        "minProperties": 1,
    },
}
"""Requests of which Rocket.Chat 8.8.1 exports no schema, after its source; `login`'s is unusable.

Paths are those under /api/v1/ (and /api/info), `dm.` stands for `im.` too.
"""

ANSWERS: dict[str, Sequence[tuple[str, str]]] = {
    "GET channels.history": [("messages[]", "IMessage")],
    "GET channels.info": [("channel", "IRoom")],
    "GET chat.getMessage": [("message", "IMessage")],
    "GET chat.getThreadMessages": [("messages[]", "IMessage")],
    "GET chat.syncMessages": [("result.updated[]?", "IMessage")],
    "GET dm.history": [("messages[]", "IMessage")],
    "GET dm.members": [("members[]", "part of IUser")],
    "GET groups.history": [("messages[]", "IMessage")],
    "GET groups.info": [("group", "IRoom")],
    "GET me": [("", "IMeApiUser")],
    "GET rooms.get": [("update[]", "IRoom")],
    "GET rooms.info": [("room", "IRoom")],
    "GET rooms.membersOrderedByRole": [("members[]", "part of IUser")],
    "GET subscriptions.get": [("update[]", "ISubscription")],
    "GET subscriptions.getOne": [("subscription?", "ISubscription")],
    "GET users.info": [("user", "part of IUser")],
    "POST channels.join": [("channel", "IRoom")],
    "POST chat.postMessage": [("message", "IMessage")],
    "POST chat.sendMessage": [("message", "IMessage")],
    "POST chat.update": [("message", "IMessage")],
    "POST dm.create": [("room", "part of IRoom")],
    "POST rooms.join": [("room", "IRoom")],
}
"""Documents in answers of status 200: where, and what. `[]` each of a list, `?` may be missing.

Some calls give only part of a document: there nothing but the `_id` is required.
"""

NOBODY: Json = {"const": {"_id": None, "username": None}}
"""The `u` of a room whose maker is gone; core-typings does not know of it, recorded frames do."""

_VIOLATIONS: deque[str] = deque(maxlen=1000)


def taken() -> list[str]:
    """What was refused since the last call."""
    found = list(_VIOLATIONS)
    _VIOLATIONS.clear()
    return found


def check_request(name: str, query: Sequence[tuple[str, str]], body: bytes) -> str | None:
    """Keep and give what is wrong with a request; `name` is like "GET chat.getMessage"."""
    name = _canonical(name)
    if name not in _requests():
        return _keep("no schema, and none in UNPUBLISHED: is there such an endpoint?", name)
    return _keep(request_problem(name, query, body), name)


def check_answer(name: str, answer: Any) -> None:
    """Keep what is wrong with the documents in an answer of status 200."""
    for where, kind in ANSWERS.get(_canonical(name), ()):
        for document in _found(answer, where):
            _keep(_problem(_document(kind), document), f"answer to {name}, {kind}")


def check_frame(frame: Json) -> None:
    """Keep what is wrong with the document in a `changed` frame of the realtime protocol."""
    fields = frame.get("fields", {})
    for kind, document in _in_frame(frame.get("collection", ""), fields):
        where = f"frame {fields['eventName']}, {kind}"
        _keep(_problem(_document(kind), with_iso_dates(document)), where)


def with_iso_dates(value: Any) -> Any:
    """The same with the realtime protocol's `{"$date": ms}` as the REST API writes dates."""
    if isinstance(value, list):
        return [with_iso_dates(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"$date"}:
        when = datetime.fromtimestamp(value["$date"] / 1000, UTC)
        return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {name: with_iso_dates(one) for name, one in value.items()}


def _keep(problem: str | None, where: str) -> str | None:
    if problem:
        _VIOLATIONS.append(f"{where}: {problem}")
    return problem


# --- where they are looked at -------------------------------------------------------------------


class RequestCheck(Seam):
    """Next to the client: sees every request, whatever becomes of it."""

    async def rest(
        self, request: web.Request, path: str, params: Json, handle: Handler
    ) -> web.StreamResponse:
        query = [(name, value) for name, value in request.query.items()]
        check_request(f"{request.method} {path}", query, await request.read())
        return await handle()


class DocumentCheck(Seam):
    """Next to the server: sees what it emits, and not what a fault makes of that."""

    async def rest(
        self, request: web.Request, path: str, params: Json, handle: Handler
    ) -> web.StreamResponse:
        answer = await handle()
        if isinstance(answer, web.Response) and answer.status == 200:
            check_answer(f"{request.method} {path}", json.loads(answer.text or "null"))
        return answer

    async def outgoing(self, session: Session, text: str) -> str | None:
        frame = json.loads(text)
        if frame.get("msg") == "changed":
            check_frame(frame)
        return text


# --- requests ------------------------------------------------------------------------------------


def _canonical(name: str) -> str:
    return name.replace(" im.", " dm.")


def request_problem(name: str, query: Sequence[tuple[str, str]], body: bytes) -> str | None:
    """What the schema has against a request; nothing where there is no schema."""
    validator = _requests().get(_canonical(name))
    if validator is None:
        return None
    if name.startswith("GET "):
        return "a body" if body else _problem(validator, _typed(validator.schema, query))
    if query:
        return f"a query string: {sorted(key for key, _ in query)}"
    try:
        content = json.loads(body) if body else {}
    except ValueError:
        return "the body is not JSON"
    return _problem(validator, content)


def _typed(schema: Json, query: Sequence[tuple[str, str]]) -> Json:
    """A query with numbers where the schema wants some, and `name[]=` as a list."""
    typed: Json = {}
    for key, value in query:
        if key.endswith("[]"):
            typed.setdefault(key.removesuffix("[]"), []).append(value)
        elif key in typed:
            typed[key] = [typed[key], value]
        else:
            typed[key] = _number(value) if _wants_number(schema, key) else value
    return typed


def _number(value: str) -> float | str:
    return int(value) if re.fullmatch(r"-?\d+", value) else value


def _wants_number(schema: Json, key: str) -> bool:
    alternatives = [schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())]
    kinds = [one.get("properties", {}).get(key, {}).get("type", "") for one in alternatives]
    return any("number" in kind or "integer" in kind for kind in kinds)


@cache
def _requests() -> Mapping[str, Draft202012Validator]:
    published = json.loads((DATA / "requests.json").read_text(encoding="utf-8"))["requests"]
    if both := published.keys() & UNPUBLISHED.keys():
        raise ValueError(f"published, and written by hand: {sorted(both)}")
    return {name: _validator(schema) for name, schema in (published | UNPUBLISHED).items()}


# --- documents -----------------------------------------------------------------------------------


def _in_frame(collection: str, fields: Json) -> Iterator[tuple[str, Any]]:
    """Kind and document of what a `changed` frame carries."""
    event, args = fields.get("eventName", ""), fields.get("args", ())
    if collection == "stream-room-messages":
        yield "IMessage", args[0]
    elif collection == "stream-notify-user" and event.endswith("/subscriptions-changed"):
        yield "part of ISubscription" if args[0] == "removed" else "ISubscription", args[1]
    elif collection == "stream-notify-user" and event.endswith("/rooms-changed"):
        yield "part of IRoom" if args[0] == "removed" else "IRoom", args[1]


def _found(answer: Any, where: str) -> Iterator[Any]:
    """What is at a place like `result.updated[]`; a place that is missing gives None."""
    for step in where.split(".") if where else ():
        answer = answer.get(step.rstrip("[]?")) if isinstance(answer, dict) else None
    if answer is None and where.endswith("?"):
        return
    if "[]" in where and isinstance(answer, list):
        yield from answer
    else:
        yield answer


@cache
def _document(kind: str) -> Draft202012Validator:
    """What validates a kind like "IMessage" or "part of IUser"."""
    definitions = json.loads((DATA / "documents.json").read_text(encoding="utf-8"))["$defs"]
    maker = definitions["IRoom"]["properties"]["u"]
    definitions["IRoom"]["properties"]["u"] = {"anyOf": [maker, NOBODY]}
    name = kind.removeprefix("part of ")
    if name != kind:
        definitions[name]["required"] = ["_id"]
    return _validator({"$ref": f"#/$defs/{name}", "$defs": definitions})


# --- both ----------------------------------------------------------------------------------------

FORMATS = FormatChecker(())


@FORMATS.checks("date-time")
@FORMATS.checks("iso-date-time")
def _is_iso(value: object) -> bool:
    return not isinstance(value, str) or ISO.fullmatch(value) is not None


def _validator(schema: Json) -> Draft202012Validator:
    return Draft202012Validator(schema, format_checker=FORMATS)


def _problem(validator: Draft202012Validator, value: Any) -> str | None:
    """What the schema has against a value, in a line."""
    error = best_match(validator.iter_errors(value))
    return f"{error.json_path}: {error.message[:300]}" if error else None
