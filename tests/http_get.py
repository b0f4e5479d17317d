"""One GET over plain HTTP on loopback."""

from __future__ import annotations

import http.client
from contextlib import closing

from controlplane.ports import free_ports


def get(port: int, path: str) -> tuple[int, str]:
    """Return the status and the body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def free_port() -> int:
    """Return a port on which nobody listens."""
    (port,) = free_ports(1)
    return port
