"""Ports for servers that are told theirs before they start."""

import itertools
import os
import socket
from collections.abc import Iterator

FIRST, COUNT = 10_000, 20_000  # systems hand out ports above 32,000 to whoever asks for any
STRIDE = 41  # processes with neighbouring ids choose far from each other

_numbers = itertools.count(os.getpid() * STRIDE)


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens, all different, also from those returned before.

    None is one that a client's connection could have: kube-apiserver is killed and started again
    on its port, while its clients connect without end, which could give one of them that port.
    """
    return list(itertools.islice(_free(), count))


def _free() -> Iterator[int]:
    for _ in range(COUNT):
        port = FIRST + next(_numbers) % COUNT
        try:
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            continue
        yield port
