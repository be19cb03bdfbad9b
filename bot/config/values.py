"""Checks of single values: addresses, ids, zones, networks. A complaint never repeats a value."""

import re
import ssl
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

_MATRIX_ID = re.compile(r"@[^\s:@]+:[^\s@]+")
_ROCKETCHAT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SERVER_NAME = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")
_DURATION = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_ORIGIN_HOST = re.compile(r"(\*\.)?[A-Za-z0-9.-]+(:\d+)?")


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without brackets, is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def web_address(text: str) -> str:
    """An address without its final slash: https, or plain http to this machine only."""
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a full address, such as https://meet.example.org")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must begin with https:// (plain http only reaches this machine itself)")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be an address without user name, ? or #")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def bbb_api_address(text: str) -> str:
    """The address of the API with its final slash, from any form that BBB's own tools print."""
    address = web_address(text)
    if not urlsplit(address).path:
        address += "/bigbluebutton"
    return f"{address.removesuffix('/api')}/api/"


def origin(text: str) -> str:
    """Scheme, host and port as in a Content-Security-Policy; `https://*.example.org` too."""
    address = web_address(text)
    scheme, _, host = address.partition("://")
    if not _ORIGIN_HOST.fullmatch(host):
        raise ValueError("must be only https:// and a host, such as https://bbb2.example.org")
    return f"{scheme}://{host}"


def matrix_id(text: str) -> str:
    """A person's full id, `@ana:example.org`."""
    if not _MATRIX_ID.fullmatch(text):
        raise ValueError("must be a full Matrix id, such as '@ana:example.org'")
    return text


def rocketchat_id(text: str) -> str:
    """A person's id in Rocket.Chat, `aobEdbYhXfu5hkeqG`: made by the server, never the name.

    Nothing is known of its length: a plain name is told from an id by the workspace only, which the
    start asks about the account and the doctor about the admins.
    """
    if not _ROCKETCHAT_ID.fullmatch(text):
        raise ValueError(
            "must be a user's id in Rocket.Chat, such as aobEdbYhXfu5hkeqG, not the name: "
            "docs/configuration.md tells where it stands"
        )
    return text


def authorities(path: Path) -> Path:
    """A file with the certificates of authorities, PEM."""
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # an SSLError is one too
        why = "holds no certificates (PEM)" if isinstance(error, ssl.SSLError) else error.strerror
        raise ValueError(f"cannot be used: the file {why}") from None
    return path


def matrix_id_or_server(text: str) -> str:
    """A person's full id, or the name of a whole server."""
    if not (_MATRIX_ID.fullmatch(text) or _SERVER_NAME.fullmatch(text)):
        raise ValueError("must be a server such as example.org or an id such as '@ana:example.org'")
    return text


def zone(text: str) -> str:
    """The name of a time zone that this machine knows."""
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(_unknown_zone(text)) from error


def network(text: str) -> str:
    """An address or a network, `10.0.0.0/8`."""
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError("must be an address or a network, such as 10.0.0.0/8") from error
    return text


def duration(value: object) -> timedelta:
    """A length of time, `90m`, `5h` or `1d`."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value))
    if not match or not int(match[1]):
        raise ValueError("must be a length of time, such as 90m, 5h or 1d")
    return int(match[1]) * _UNITS[match[2]]


def prefix(text: str) -> str:
    """What a command begins with: one word."""
    if not text or text.split() != [text]:
        raise ValueError("must be one word without spaces, such as '!bbb'")
    return text


def _split(text: str) -> SplitResult:
    """Split an address; the standard library's own complaints repeat parts of it."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  (read for its ValueError)
    except ValueError as error:
        raise ValueError("is not an address") from error
    return parts


def _unknown_zone(text: str) -> str:
    near = get_close_matches(text.lower(), _zones_by_city(), n=1)
    hint = f"; did you mean {_zones_by_city()[near[0]]}?" if near else ""
    return f"is not a known time zone, such as Europe/Paris{hint}"


def _zones_by_city() -> dict[str, str]:
    """Every zone under its own name and under its last word, in lower case."""
    zones = sorted(available_timezones(), reverse=True)
    cities = {name.rpartition("/")[2].lower(): name for name in zones}
    return cities | {name.lower(): name for name in zones}
