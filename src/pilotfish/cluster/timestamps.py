"""Times as the API writes them, from seconds since the epoch."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=256)
def _whole_seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def timestamp(now: float) -> str:
    """Write a time in whole seconds, cut as upstream cuts them."""
    return _whole_seconds(int(now))


def seconds_of(text: str) -> float:
    """Read a time that the API wrote.

    Raises:
        ValueError: The text is no time.
    """
    return datetime.fromisoformat(text).timestamp()
