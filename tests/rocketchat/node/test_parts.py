"""The parts of Rocket.Chat's own clients load in the Node that is locked with them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.node import node_of
from tests.requirements import require_rocketchat_node

HERE = Path(__file__).parent

pytestmark = pytest.mark.node

SCRIPT = """
import {parse} from "@rocket.chat/message-parser";
import client from "@rocket.chat/ddp-client";
console.log(JSON.stringify([parse("*x*")[0].value[0].type, typeof client.DDPSDK.create]));
"""


def test_the_parser_reads_and_the_client_loads() -> None:
    require_rocketchat_node()
    said = subprocess.run(
        [node_of(HERE), "--input-type=module", "--eval", SCRIPT],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.stderr == ""
    assert json.loads(said.stdout) == ["BOLD", "function"]
