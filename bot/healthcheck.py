"""Ask the bot on this machine whether it is alive, for container health checks."""

from http.client import HTTPConnection, HTTPException

PATIENCE = 4.0


def alive(host: str, port: int) -> bool:
    """Whether `/healthz` answers 200 within 4 s."""
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
