"""Whose word about a workspace's certificate counts: the machine's authorities, or own ones."""

import ssl
from pathlib import Path


def context(ca_file: Path | None) -> ssl.SSLContext:
    """For the realtime service. Raises OSError for a file that cannot be used."""
    return ssl.create_default_context(cafile=ca_file)


def bundle(ca_file: Path | None) -> bool | str:
    """For REST, as `requests` takes it: of itself it would bring authorities of its own."""
    if ca_file:
        return str(ca_file)
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True
