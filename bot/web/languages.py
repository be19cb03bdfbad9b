"""Which language a page speaks: the one chosen, else what the browser asks for. Pure."""

from commands.i18n import LANGUAGES

NAMES = {"en": "English", "fr": "Français", "de": "Deutsch"}
"""Each language in its own words, as the menu shows it."""


def best_language(*, chosen: str | None, accepted: str, otherwise: str) -> str:
    """One of ours. `accepted` is an Accept-Language header, `otherwise` is taken when none fits."""
    if chosen in LANGUAGES:
        return str(chosen)
    ranked = sorted(_wishes(accepted), key=lambda wish: -wish[1])
    return next((language for language, quality in ranked if quality > 0), otherwise)


def _wishes(accepted: str) -> list[tuple[str, float]]:
    """Our languages among those asked for, with their quality, in the order of the header."""
    parts = (part.partition(";") for part in accepted.split(","))
    wishes = ((tag.strip().lower().partition("-")[0], q) for tag, _, q in parts)
    return [(language, _quality(q)) for language, q in wishes if language in LANGUAGES]


def _quality(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
