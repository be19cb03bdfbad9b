"""What an endpoint is: a function of a `Call`, entered in one table by its method and path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.rocketchat.profiles import Profile
from tests.fakes.rocketchat.records import Room, Token, User
from tests.fakes.rocketchat.refusals import NotLoggedIn, Refused
from tests.fakes.rocketchat.state import State
from tests.fakes.rocketchat.wire import Json

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `params` are the query of a GET (texts) or the body of a POST."""

    state: State
    profile: Profile
    method: str
    path: str
    params: Json
    headers: Mapping[str, str]
    user: User | None
    token: Token | None

    @property
    def me(self) -> User:
        if self.user is None:
            raise NotLoggedIn
        return self.user

    def bad(self, why: str) -> Refused:
        """What a schema says no with."""
        code = "error-invalid-params" if self.method == "GET" else "invalid-params"
        return Refused(code, why)

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        found = self.optional(name)
        if found is None:
            raise self.bad(f"must have required property '{name}'")
        return found

    def optional(self, name: str) -> str | None:
        """A text, or None; numbers become texts, as ajv's coercion has it."""
        found = self.params.get(name)
        if found is None or isinstance(found, str):
            return found
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
        raise self.bad(f"{name} must be string")

    def flag(self, name: str) -> bool | None:
        found = self.params.get(name)
        if found in (True, "true"):
            return True
        if found in (False, "false"):
            return False
        if found is None:
            return None
        raise self.bad(f"{name} must be boolean")

    def number(self, name: str) -> int | None:
        found = self.params.get(name)
        if found is None:
            return None
        try:
            return int(found)
        except (TypeError, ValueError):
            raise self.bad(f"{name} must be number") from None

    def texts(self, name: str) -> list[str]:
        """A list, also one written as `name[]=a&name[]=b`."""
        found: Any = self.params.get(name, self.params.get(f"{name}[]"))
        if found is None:
            return []
        return list(found) if isinstance(found, list) else [str(found)]

    def mapping(self, name: str) -> Json | None:
        found = self.params.get(name)
        if found is None or isinstance(found, dict):
            return found
        raise self.bad(f"{name} must be object")

    def page(self, key: str, items: list[Any]) -> Json:
        """A part of a list with `count, offset, total`; a count of 0 is everything."""
        offset = self.number("offset") or 0
        count = self.number("count")
        count = 50 if count is None else count
        if self.profile.version >= (8, 0) and count > 100:
            count = 100
        part = items[offset : offset + count] if count else items[offset:]
        return {key: part, "count": len(part), "offset": offset, "total": len(items)}

    def refuse_without(self, permission: str, room: Room | None = None) -> None:
        """Raises Refused where the user lacks a permission."""
        if not self.state.may(self.user, permission, room):
            raise Refused("error-not-allowed", "Not allowed")


Handler = Callable[[Call], Json]


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in so many milliseconds, lifted by one permission, from a version on."""

    calls: int
    window: int
    lifted_by: str
    since: Version = (0, 0)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`permission`: without it 403. It exists in the versions from `since` to before `until`."""

    handle: Handler
    login: bool = True
    permission: str | None = None
    since: Version = (0, 0)
    until: Version = (99, 0)
    plain: bool = False
    """Whether the answer goes without `success` in 6.x."""
    limit: Limit | None = None
    """A limit of its own in place of the default."""

    def exists_in(self, profile: Profile) -> bool:
        return self.since <= profile.version[:2] < self.until


ENDPOINTS: dict[tuple[str, str], Endpoint] = {}


def endpoint(
    method: str,
    *paths: str,
    login: bool = True,
    permission: str | None = None,
    since: Version = (0, 0),
    until: Version = (99, 0),
    plain: bool = False,
    limit: Limit | None = None,
) -> Callable[[Handler], Handler]:
    """Enter a handler under one or several paths."""

    def enter(handle: Handler) -> Handler:
        for path in paths:
            ENDPOINTS[method, path] = Endpoint(
                handle, login, permission, since, until, plain, limit
            )
        return handle

    return enter
