"""Finds URL and secret in whatever `bbb-conf --secret` printed, or in the two words alone.

    URL: https://bbb.example.org/bigbluebutton/
    Secret: (the secret)

    Link to the API-Mate:
    https://mconf.github.io/api-mate/#server=https://...&sharedSecret=...

Releases before 2.0 say `Salt`. The shape is that of bbb-conf in bigbluebutton 2.6 to 3.0.
"""

import re
from dataclasses import dataclass

_LABEL = re.compile(r"^\W*(url|secret|salt)\s*:\s*(\S+)\s*$", re.IGNORECASE)
_API_MATE = re.compile(r"api-?mate", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was found so far; "" is what is still missing."""

    url: str = ""
    secret: str = ""

    @property
    def whole(self) -> bool:
        return bool(self.url and self.secret)


def read_paste(text: str) -> Pasted:
    """The last URL and secret in `text`, with their labels or without."""
    url = secret = ""
    for line in text.splitlines():
        if is_rest_of_paste(line):
            continue
        if label := _LABEL.match(line):
            name, value = label[1].lower(), label[2]
            url, secret = (value, secret) if name == "url" else (url, value)
            continue
        for word in line.split():
            if word.lower().startswith(("http://", "https://")):
                url = word
            else:
                secret = word
    return Pasted(url, secret)


def is_rest_of_paste(line: str) -> bool:
    """What follows the secret in the output: blank lines and the address of a test page."""
    return not line.strip() or _API_MATE.search(line) is not None
