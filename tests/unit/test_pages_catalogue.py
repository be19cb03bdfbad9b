"""The texts of the pages: the same keys and placeholders in every language, each translated."""

import re
from importlib.resources import files

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from commands.i18n import LANGUAGES


def catalogue(language: str) -> Catalog:
    source = files("commands") / "locales" / language / "LC_MESSAGES" / "pages.po"
    with source.open("rb") as file:
        return read_po(file)


def texts(language: str) -> dict[str, str]:
    return {str(m.id): str(m.string) for m in catalogue(language) if m.id}


def used_in(text: str) -> list[str]:
    """Placeholders and code of a text: what a translation may move but not lose."""
    return sorted(re.findall(r"\{[a-z_]+\}|`[^`]+`|\*\*", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_header_says_which_language_it_is(language: str) -> None:
    found = catalogue(language)
    assert str(found.locale) == language
    assert found.charset.lower() == "utf-8"
    assert found.num_plurals == 2


@pytest.mark.parametrize("language", ["fr", "de"])
def test_keys_and_placeholders_are_those_of_english(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert list(other) == list(english)
    assert {k: used_in(v) for k, v in other.items()} == {k: used_in(v) for k, v in english.items()}


@pytest.mark.parametrize("language", ["fr", "de"])
def test_everything_is_translated(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert [key for key, text in other.items() if not text or text == english[key]] == []


@pytest.mark.parametrize(
    ("language", "familiar"),
    [("fr", r"\b(tu|toi|te|ton|ta|tes)\b"), ("de", r"\b([Dd]u|[Dd]ich|[Dd]ir|[Dd]eine?\w?)\b")],
)
def test_nobody_is_addressed_familiarly(language: str, familiar: str) -> None:
    assert [text for text in texts(language).values() if re.search(familiar, text)] == []


def test_every_text_of_the_pages_is_used() -> None:
    folder = files("bot.web")
    sources = [f for f in folder.iterdir() if f.name.endswith(".py")]
    sources += list((folder / "templates").iterdir())
    core = files("commands") / "services" / "joining.py"
    written = " ".join(f.read_text() for f in [*sources, core])
    assert [key for key in texts("en") if not _is_used(key, written)] == []


def _is_used(key: str, written: str) -> bool:
    """Named whole, or joined of a beginning and the rest."""
    parts = key.split(".")
    beginnings = [".".join(parts[:i]) for i in range(1, len(parts))]
    joined = any(f'{b}." ~' in written or f"{b}.{{" in written for b in beginnings)
    return key in written or (joined and parts[-1] in written)
