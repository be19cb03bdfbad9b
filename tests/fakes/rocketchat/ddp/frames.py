"""The frames that the server sends, as JSON text."""

from __future__ import annotations

from typing import Any

from tests.fakes.rocketchat.wire import Json, ddp_text

LOGGED_OUT = "You've been logged out by the server. Please log in again"
EXPIRED = "Your session has expired. Please log in again."


def error(code: str | int, reason: str | None = None, **more: Any) -> Json:
    """As it stands in `result` and `nosub`."""
    said = (
        {"reason": reason, "message": f"{reason} [{code}]"} if reason else {"message": f"[{code}]"}
    )
    return {"isClientSafe": True, "errorType": "Meteor.Error", "error": code, **said, **more}


def ready(subscription_id: str) -> str:
    return ddp_text({"msg": "ready", "subs": [subscription_id]})


def nosub(subscription_id: str, why: Json | None = None) -> str:
    return ddp_text({"msg": "nosub", "id": subscription_id, **({"error": why} if why else {})})


def updated(method_id: str) -> str:
    return ddp_text({"msg": "updated", "methods": [method_id]})


def changed(stream: str, event_name: str, *args: str) -> str:
    """`args` are JSON texts already: one document goes to many."""
    return (
        f'{{"msg":"changed","collection":"{stream}","id":"id","fields":'
        f'{{"eventName":{ddp_text(event_name)},"args":[{",".join(args)}]}}}}'
    )
