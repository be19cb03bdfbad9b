"""Names of people, compared as people compare them. Pure."""

import unicodedata


def plain(name: str) -> str:
    """The same for names that differ in case, in their code points, or in spaces around them."""
    return unicodedata.normalize("NFC", name).strip().casefold()
