"""Stored messages in words: rendered when they are sent, one renderer per language."""

from commands.i18n import Renderer
from commands.links import Links
from commands.messages import Document, from_json
from commands.ports import Policy
from storage.records import Json


class Unreadable(Exception):
    """A stored message has no words; the text says no more than which kind of error it was."""


class Words:
    """Renders what the outbox and the cards hold."""

    def __init__(self, policy: Policy, links: Links) -> None:
        self._policy = policy
        self._links = links
        self._renderers: dict[str, Renderer] = {}

    def document(self, content: Json) -> Document:
        """The stored message in words. Raises Unreadable."""
        try:
            message = from_json(content)
            return self._renderer(message.language or self._policy.language).document(message)
        except Exception as error:  # whatever it is: the row is poison, and no other one is
            raise Unreadable(type(error).__name__) from error

    def _renderer(self, language: str) -> Renderer:
        if language not in self._renderers:
            self._renderers[language] = Renderer(
                language=language,
                zone=self._policy.time_zone,
                prefix=self._policy.prefixes[0],
                links=self._links.address,
            )
        return self._renderers[language]
