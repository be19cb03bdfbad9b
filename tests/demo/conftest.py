"""A local chat for every test of the demo's windows."""

import pytest

from bot.chat.console import LocalChat
from tests.demo.local_chat import local_chat


@pytest.fixture
def chat() -> LocalChat:
    return local_chat()
