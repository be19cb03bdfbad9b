"""Reads the slides that come with create and insertDocument. Pure."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from bot.demo.bbb.meeting import Document


class BadSlides(Exception):
    """The body is not XML, or has a DTD or entities."""


def documents(body: bytes) -> tuple[Document, ...]:
    """The documents that BBB would take; what it drops, it drops silently. Raises BadSlides."""
    if not body.strip():
        return ()
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise BadSlides from None
    return tuple(_taken(root))


def _taken(root: Element) -> Iterator[Document]:
    for element in root.findall("module[@name='presentation']/document"):
        source = element.get("url", "inline")
        name = element.get("filename") or element.get("name") or _last_part(source)
        if PurePosixPath(name).suffix and (source == "inline" or source.startswith("https://")):
            yield Document(name, source)


def _last_part(source: str) -> str:
    return PurePosixPath(urlsplit(source).path).name
