"""Which keys exist, read off the settings classes; and which known key an unknown one resembles."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bot.config.keypath import KeyPath
from bot.config.model import Settings

ITEM = "*"  # stands for the number of an item: ("bbb", "servers", "*", "secret")
FILE = "_file"  # after the name of a secret: the file that holds it


@dataclass(frozen=True, slots=True)
class Key:
    """One key that can be set. `default` is None for a required key."""

    path: tuple[str, ...]
    required: bool
    default: Any
    is_secret: bool
    is_list: bool


def keys() -> dict[tuple[str, ...], Key]:
    """Every key that holds a value (sections and items do not), in the order of the classes."""
    return {key.path: key for key in _keys_of(Settings, ())}


def key_at(path: KeyPath) -> Key | None:
    """The key that `path` means, or None."""
    return _KEYS.get(general(path))


def general(path: KeyPath) -> tuple[str, ...]:
    """`("bbb", "servers", 0)` -> `("bbb", "servers", "*")`."""
    return tuple(ITEM if isinstance(step, int) else step for step in path)


def secret_named_by(path: KeyPath) -> KeyPath | None:
    """The secret whose file the key at `path` names: `access_token_file` -> `access_token`."""
    *parents, name = path or ("",)
    if not isinstance(name, str) or not name.endswith(FILE):
        return None
    secret = (*parents, name.removesuffix(FILE))
    key = key_at(secret)
    return secret if key and key.is_secret else None


def nearest(path: KeyPath) -> list[KeyPath]:
    """The known keys of which one was probably meant by the unknown key at `path`."""
    wanted = general(path)
    names = set(_names_under(wanted[:-1])) - {wanted[-1]}
    by_name = {name: (*path[:-1], name) for name in names}
    near = get_close_matches(wanted[-1], sorted(by_name), n=1)
    return [by_name[near[0]]] if near else _same_name_elsewhere(wanted[-1])


def _same_name_elsewhere(name: str) -> list[KeyPath]:
    return [path for path in _KEYS if path[-1] == name and ITEM not in path]


def _names_under(parents: tuple[str, ...]) -> Iterable[str]:
    depth = len(parents)
    below = [key for key in _KEYS.values() if key.path[:depth] == parents and len(key.path) > depth]
    names = {key.path[depth] for key in below}
    own_secrets = [key for key in below if key.is_secret and len(key.path) == depth + 1]
    return names | {key.path[depth] + FILE for key in own_secrets}


def _keys_of(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        inner, is_list = _inner_type(field.annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _keys_of(inner, (*path, ITEM) if is_list else path)
        else:
            yield _key(path, field, is_secret=inner is SecretStr, is_list=is_list)


def _key(path: tuple[str, ...], field: FieldInfo, *, is_secret: bool, is_list: bool) -> Key:
    required = field.is_required()
    return Key(path, required, None if required else field.default, is_secret, is_list)


def _inner_type(annotation: Any) -> tuple[Any, bool]:
    """The type behind `Annotated`, `| None` and `tuple[..., ...]`; whether it was a tuple."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _inner_type(args[0])
    if origin in (Union, UnionType):
        return _inner_type(next(arg for arg in args if arg is not NoneType))
    if origin is tuple:
        return _inner_type(args[0])[0], True
    return annotation, False


_KEYS = keys()
