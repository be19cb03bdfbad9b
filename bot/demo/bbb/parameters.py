"""Reads parameters from a raw query or a form, as Java's servlet API does: the first value wins."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote_plus

META = re.compile(r"meta_([a-zA-Z][a-zA-Z0-9-]*)")
"""The only names that BBB keeps as metadata: no underscore after the first."""
XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def pairs(query: bytes) -> list[tuple[str, str]]:
    """Every name and value, decoded, also repeated and empty ones."""
    return parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")


def first_values(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first value of each name."""
    values: dict[str, str] = {}
    for name, value in found:
        values.setdefault(name, value)
    return values


def sorted_form(form: Mapping[str, str]) -> str:
    """Form fields as the old POST checksum covers them: by name, in Java's URLEncoder's writing."""
    return "&".join(
        f"{_java_encoded(name)}={_java_encoded(value)}"
        for name, value in sorted(form.items())
        if name != "checksum"
    )


def _java_encoded(text: str) -> str:
    return quote_plus(text, safe="*").replace("~", "%7E")


def metadata(parameters: Mapping[str, str]) -> dict[str, str]:
    """The meta_ parameters by lower-cased name; names BBB does not like are dropped silently."""
    matches = ((META.fullmatch(name), value) for name, value in parameters.items())
    return {match[1].lower(): value for match, value in matches if match}


def custom_data(parameters: Mapping[str, str]) -> dict[str, str]:
    """The userdata- parameters; BBB splits their names at dashes, so exactly one is allowed."""
    named = ((name.split("-"), value) for name, value in parameters.items())
    return {
        parts[1]: value
        for parts, value in named
        if len(parts) == 2 and parts[0] == "userdata" and XML_NAME.fullmatch(parts[1])
    }


def as_java_boolean(text: str | None) -> bool:
    """Boolean.parseBoolean: only "true" is true, so the "1" that validation accepts is false."""
    return text is not None and text.lower() == "true"


def whole_number(text: str | None, otherwise: int) -> int:
    """A number; what is none silently becomes the server's default."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,9}", text) else otherwise
