"""One GET over plain HTTP on loopback."""

from __future__ import annotations

import http.client
import random
import socket
from contextlib import closing


def get(port: int, path: str) -> tuple[int, str]:
    """Return the status and the body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def free_port() -> int:
    """Return a port on which nobody listens, below those that systems hand out for any."""
    return next(port for port in random.sample(range(10_000, 30_000), 100) if _is_free(port))


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
