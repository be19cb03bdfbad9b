"""The reactions we offer and read, by Rocket.Chat's shortnames. Pure.

Rocket.Chat knows a reaction by its shortname only; these are in its emoji list since before 6.0
(names of JoyPixels, formerly EmojiOne, as in the npm package emoji-toolkit 5.0.3 to 11.0.0).
"""

from collections.abc import Mapping

SHORTNAMES: Mapping[str, str] = {
    "▶": ":arrow_forward:",
    "⏹": ":stop_button:",
    "👀": ":eyes:",
    "✅": ":white_check_mark:",
    "⛔": ":no_entry:",
}
"""By reaction key, without the variation selector."""

KEYS: Mapping[str, str] = {shortname: key for key, shortname in SHORTNAMES.items()}
"""By shortname, with its colons, as the `reactions` of a message name it."""
