"""A process that answers GETs of `huge` with megabytes and all others never; prints its port.

A process of its own: what it does is not to be seen in the event loop of the test.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MESSAGES = 20_000

WORDS = "about as many words as people write " * 5
MESSAGE = {
    "rid": "room",
    "u": {"_id": "user", "username": "ana", "name": "Ana"},
    "msg": WORDS,
    "md": [{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": WORDS}]}],
    "ts": "2026-11-21T12:00:00.000Z",
    "_updatedAt": "2026-11-21T12:00:00.000Z",
    "mentions": [],
    "channels": [],
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body = b""

    def do_GET(self) -> None:
        if not self.path.startswith("/api/v1/huge"):
            threading.Event().wait()
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    updated = [{"_id": str(number), **MESSAGE} for number in range(MESSAGES)]
    Handler.body = json.dumps({"success": True, "updated": updated}).encode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
