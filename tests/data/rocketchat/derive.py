"""Derives `requests.json` and `documents.json` from what Rocket.Chat publishes of itself.

    python tests/data/rocketchat/derive.py VALIDATORS COMPONENTS

VALIDATORS holds the `schema` of each ajv validator that npm's `@rocket.chat/rest-typings` exports,
by name; COMPONENTS the OpenAPI 3.0 document inside npm's `@rocket.chat/core-typings`. Neither is
part of this project. What a bot needs is kept, as JSON Schema 2020-12:

- ajv's and OpenAPI's `nullable` becomes a type list (or one more alternative);
- descriptions, examples and `discriminator` go, they check nothing;
- `query` and `fields` go from requests: Rocket.Chat 9.0 has removed them;
- in documents `oneOf` becomes `anyOf`: typia writes unions of overlapping types that way.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VERSION = "8.8.1"
ABOUT = (
    "Derived by derive.py from npm {package} {version}; generated from MIT-licensed Rocket.Chat"
    " source, Copyright (c) Rocket.Chat Technologies Corp."
)

REQUESTS = {
    "GET channels.history": "isChannelsHistoryProps",
    "GET channels.roles": "isChannelsRolesProps",
    "GET chat.getMessage": "isChatGetMessageProps",
    "GET chat.getThreadMessages": "isChatGetThreadMessagesProps",
    "GET chat.syncMessages": "isChatSyncMessagesProps",
    "GET dm.history": "isDmHistoryProps",
    "GET dm.members": "isDmMemberProps",
    "GET groups.history": "isGroupsHistoryProps",
    "GET groups.info": "isGroupsInfoProps",
    "GET groups.members": "isGroupsMembersProps",
    "GET groups.roles": "isGroupsRolesProps",
    "GET roles.getUsersInRole": "isRolesGetUsersInRoleProps",
    "GET rooms.info": "isRoomsInfoProps",
    "GET rooms.isMember": "isRoomsIsMemberProps",
    "GET rooms.membersOrderedByRole": "isRoomsMembersOrderedByRoleProps",
    "GET settings.public": "isSettingsPublicWithPaginationProps",
    "GET subscriptions.get": "isSubscriptionsGetProps",
    "GET subscriptions.getOne": "isSubscriptionsGetOneProps",
    "GET users.info": "isUsersInfoParamsGetProps",
    "POST channels.join": "isChannelsJoinProps",
    "POST channels.leave": "isChannelsLeaveProps",
    "POST chat.delete": "isChatDeleteProps",
    "POST chat.postMessage": "isChatPostMessageProps",
    "POST chat.react": "isChatReactProps",
    "POST chat.sendMessage": "isChatSendMessageProps",
    "POST chat.update": "isChatUpdateProps",
    "POST dm.create": "isDmCreateProps",
    "POST groups.leave": "isGroupsLeaveProps",
    "POST rooms.join": "isRoomsJoinProps",
}
"""Validator of each request; the paths are those under /api/v1/."""

DOCUMENTS = ("IMessage", "IRoom", "ISubscription", "IUser", "IMeApiUser")
"""Kept with everything that they refer to."""

IDLE = {"description", "deprecated", "discriminator", "example", "x-typia-jsDocTags"}
COMPONENT = "#/components/schemas/"


def standard(schema: Any) -> Any:
    """The same in JSON Schema 2020-12. Works on what it is given."""
    if isinstance(schema, list):
        return [standard(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: {name: standard(each) for name, each in one.items()}
        if key == "properties"
        else standard(one)
        for key, one in schema.items()
        if key not in {*IDLE, "nullable"}
    }
    return or_null(plain) if schema.get("nullable") else plain


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("type"), str) and not {"oneOf", "$ref"} & schema.keys():
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def without(names: set[str], schema: Any) -> Any:
    """The same without these properties, at any depth."""
    if isinstance(schema, list):
        return [without(names, one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: without(names, each) for name, each in one.items() if name not in names}
        if key == "properties"
        else without(names, one)
        for key, one in schema.items()
    }


def unions(schema: Any) -> Any:
    """The same with `anyOf` for `oneOf`, and references into `$defs`."""
    if isinstance(schema, list):
        return [unions(one) for one in schema]
    if isinstance(schema, str) and schema.startswith(COMPONENT):
        return "#/$defs/" + schema.removeprefix(COMPONENT)
    if not isinstance(schema, dict):
        return schema
    return {"anyOf" if key == "oneOf" else key: unions(one) for key, one in schema.items()}


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, one in schema.items():
            if key == "$ref":
                yield one.removeprefix(COMPONENT)
            else:
                yield from references(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from references(one)


def closure(components: dict[str, Any]) -> list[str]:
    """DOCUMENTS and what they need."""
    wanted, found = list(DOCUMENTS), set[str]()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted.extend(references(components[name]))
    return sorted(found)


def write(name: str, package: str, content: dict[str, Any]) -> None:
    about = ABOUT.format(package=package, version=VERSION)
    text = json.dumps({"_about": about, **content}, indent=1, ensure_ascii=False)
    (HERE / name).write_text(text + "\n", encoding="utf-8")


def main(validators: Path, components: Path) -> None:
    published = json.loads(validators.read_text(encoding="utf-8"))
    requests = {
        request: without({"query", "fields"}, standard(published[name]))
        for request, name in REQUESTS.items()
    }
    write("requests.json", "@rocket.chat/rest-typings", {"requests": requests})
    known = json.loads(components.read_text(encoding="utf-8"))["components"]["schemas"]
    documents = {name: unions(standard(known[name])) for name in closure(known)}
    write("documents.json", "@rocket.chat/core-typings", {"$defs": documents})


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
