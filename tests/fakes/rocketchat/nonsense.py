"""A test that breaks the rules behind its own back: test_rocketchat_strict.py wants it caught.

Collected only when named.
"""

from __future__ import annotations

import threading

from tests.fakes.rocketchat import strict


def test_behind_its_back() -> None:
    ask = threading.Thread(target=strict.check_request, args=("GET no.such", [], b""))
    ask.start()
    ask.join()


def test_of_something_else() -> None:
    pass
