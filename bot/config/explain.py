"""Turns what the settings classes refuse into problems with a source and a remedy."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.config.errors import Problem, Source
from bot.config.keypath import KeyPath, text_of
from bot.config.shape import key_at, nearest
from bot.config.surroundings import location_of_secret

_TEXTS = {
    "literal_error": "must be {expected}",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be on or off",
    "string_type": "must be a single text",
    "tuple_type": "must be a list: one '- value' a line",
    "model_type": "must be a section: 'key: value' lines, indented",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "string_too_short": "is empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "is empty",
    "value_error": "{error}",
}


def explain(
    error: ValidationError, sources: Mapping[KeyPath, Source], fallback: Source
) -> list[Problem]:
    """One problem for each refusal; the values themselves are never asked for."""
    details = error.errors(include_input=False, include_url=False)
    return [_problem(detail, sources, fallback) for detail in details]


def source_of(path: KeyPath, sources: Mapping[KeyPath, Source], fallback: Source) -> Source:
    """Where the value at `path` was written, or the nearest section around it."""
    around = (path[:length] for length in range(len(path), 0, -1))
    return next((sources[part] for part in around if part in sources), fallback)


def _problem(detail: ErrorDetails, sources: Mapping[KeyPath, Source], fallback: Source) -> Problem:
    path: KeyPath = detail["loc"]
    return Problem(source_of(path, sources, fallback), text_of(path), _text(detail, path))


def _text(detail: ErrorDetails, path: KeyPath) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "missing":
        return _missing(path)
    known: Mapping[str, Any] = detail.get("ctx", {})
    return _TEXTS[kind].format_map(known) if kind in _TEXTS else detail["msg"]


def _unknown(path: KeyPath) -> str:
    near = nearest(path)
    meant = (str(key[-1]) if key[:-1] == path[:-1] else text_of(key) for key in near)
    return f"unknown key; did you mean {' or '.join(meant)}?" if near else "unknown key"


def _missing(path: KeyPath) -> str:
    key = key_at(path)
    is_secret = key is not None and key.is_secret
    return f"is missing: {location_of_secret(path)}" if is_secret else "is missing"
