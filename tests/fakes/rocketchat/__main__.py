"""Run the test server by hand: prints one line of JSON, then serves until SIGTERM or Ctrl-C.

At its end it says which requests no schema of Rocket.Chat's allows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import ssl
import sys

from tests.fakes.rocketchat import PROFILES, RocketChat, strict
from tests.fakes.rocketchat.company import described, move_in


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.rocketchat", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="0 for any free one (default 3000)")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="streamer-6.14")
    parser.add_argument("--prefix", default="", help="a path before /api and /websocket")
    parser.add_argument("--certificate", help="PEM file; with --key the server speaks TLS")
    parser.add_argument("--key", help="PEM file of the certificate's key")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    tls = None
    if arguments.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(arguments.certificate, arguments.key)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = RocketChat(
        arguments.profile,
        host=arguments.host,
        port=arguments.port,
        prefix=arguments.prefix,
        tls=tls,
    )
    async with server:
        move_in(server)
        sys.stdout.write(json.dumps(described(server), ensure_ascii=False) + "\n")
        sys.stdout.flush()
        await stopped.wait()
    for problem in strict.taken():
        sys.stderr.write(f"against Rocket.Chat's schemas: {problem}\n")


def main() -> None:
    arguments = _arguments()
    try:
        asyncio.run(_serve(arguments))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        sys.exit(f"Cannot listen on {arguments.host}:{arguments.port}: {reason}")


if __name__ == "__main__":
    main()
