"""Frames as no healthy server sends them; a client must live through each and hear the next."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.rocketchat.wire import Json

Frame = str | bytes

WHEN = {"$date": 1_795_247_826_381}
MEGABYTE = 1024 * 1024


def malformed(room_id: str, user_id: str) -> dict[str, Frame]:
    """Frames by what is wrong with them; those with a message claim this room and this sender."""

    def message(**other: Any) -> str:
        """A message that is all right but for `other`; _GONE takes a key away."""
        sender = {"_id": user_id, "username": "somebody", "name": "Somebody"}
        document: Json = {
            "_id": "malformed0000001",
            "rid": room_id,
            "msg": "!bbb help",
            "ts": WHEN,
            "_updatedAt": WHEN,
            "u": sender,
            **other,
        }
        return _changed([{k: v for k, v in document.items() if v is not _GONE}, _ACCESS])

    return {
        "broken JSON": '{"msg":"changed",',
        "no text": "",
        "null": "null",
        "a number": "42",
        "a text": '"changed"',
        "a list": '[{"msg":"ping"}]',
        "a lone surrogate": '{"msg":"\\ud800"}',
        "an unknown msg": '{"msg":"hello","id":"1"}',
        "no msg": '{"server":"x"}',
        "a number for msg": '{"msg":5}',
        "a list for msg": '{"msg":["ping"]}',
        "an error": '{"msg":"error","reason":"Bad request","offendingMessage":{}}',
        "ready without subs": '{"msg":"ready"}',
        "ready of nothing": '{"msg":"ready","subs":null}',
        "nosub without id": '{"msg":"nosub"}',
        "nosub of a number": '{"msg":"nosub","id":7,"error":5}',
        "a result nobody asked for": '{"msg":"result","id":"nobody","result":[]}',
        "a result without id": '{"msg":"result"}',
        "updated of a number": '{"msg":"updated","methods":3}',
        "added users": '{"msg":"added","collection":"users","id":"x","fields":{"username":"x"}}',
        "removed without collection": '{"msg":"removed"}',
        "changed without fields": '{"msg":"changed","collection":"stream-room-messages"}',
        "changed without collection": '{"msg":"changed","fields":{}}',
        "fields that are a list": _frame([]),
        "no args": _frame({"eventName": "__my_messages__"}),
        "args that are null": _changed(None),
        "args that are a mapping": _changed({"0": {}}),
        "empty args": _changed([]),
        "a message that is null": _changed([None, _ACCESS]),
        "a message that is a text": _changed(["!bbb help", _ACCESS]),
        "a message that is empty": _changed([{}, _ACCESS]),
        "a message without _id": message(_id=_GONE),
        "a number for _id": message(_id=17),
        "a message without rid": message(rid=_GONE),
        "a number for rid": message(rid=17),
        "a message without msg": message(msg=_GONE),
        "a number for msg of a message": message(msg=17),
        "a message without ts": message(ts=_GONE),
        "a date that is none": message(ts={"$date": "yesterday"}),
        "a date out of every range": message(ts={"$date": 10**30}),
        "a date that is infinite": message(ts={"$date": 1.5}).replace("1.5", "1e999"),
        "a message without sender": message(u=_GONE),
        "a sender that is null": message(u=None),
        "a sender of nulls": message(u={"_id": None, "username": None}),
        "a sender that is a text": message(u="somebody"),
        "reactions that are a list": message(reactions=[":eyes:"]),
        "reactions of nobody": message(reactions={":eyes:": None, ":x:": {"usernames": None}}),
        "mentions that are null": message(mentions=None, channels=None, urls=None),
        "a number for t": message(t=5),
        "a number for tmid": message(tmid=5),
        "a number for bot": message(bot=5),
        "access that is a text": _changed([{"_id": "m", "rid": room_id}, "yes"]),
        "a subscription that is null": _notified(user_id, "subscriptions-changed", ["removed"]),
        "a subscription of numbers": _notified(
            user_id, "subscriptions-changed", ["inserted", {"_id": 1, "rid": 2, "t": 3, "u": 4}]
        ),
        "a room of nulls": _notified(
            user_id,
            "rooms-changed",
            ["updated", {"_id": None, "u": {"_id": None, "username": None}}],
        ),
        "a binary frame": b'{"msg":"ping"}',
        "a binary frame that is no text": bytes(range(256)),
        "a very deep list": "[" * 50_000 + "]" * 50_000,
        "a megabyte that is no command": message(msg="x" * MEGABYTE),
    }


_GONE = object()
_ACCESS = {"roomParticipant": True, "roomType": "c", "roomName": "general"}


def _changed(args: Any) -> str:
    return _frame({"eventName": "__my_messages__", "args": args})


def _notified(user_id: str, what: str, args: Any) -> str:
    return _frame({"eventName": f"{user_id}/{what}", "args": args}, "stream-notify-user")


def _frame(fields: Any, collection: str = "stream-room-messages") -> str:
    return json.dumps({"msg": "changed", "collection": collection, "id": "id", "fields": fields})
