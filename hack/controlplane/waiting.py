"""Waiting for a cluster to reach a state, the only place where this package sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.03
WAIT_SECONDS = 120.0  # ends what will never be; a busy machine takes ten times its usual time


def wait_until(
    probe: Callable[[], T], what: str, timeout: float = WAIT_SECONDS, poll: float = POLL_SECONDS
) -> T:
    """Call the probe until it returns something true, and return that.

    Args:
        probe: what it raises ends the wait.
        what: completes "waited for ..." in the error.
        timeout: seconds.
        poll: seconds between two calls.

    Raises:
        TimeoutError: the last answer was still false; the message carries it.
    """
    deadline = time.monotonic() + timeout
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}; the last answer was {answer!r}")
        time.sleep(poll)
    return answer
