"""Times in objects, read leniently: whoever wrote them, a controller must go on."""

from __future__ import annotations

from functools import lru_cache

from pilotfish.cluster.timestamps import seconds_of


@lru_cache(maxsize=4096)
def parse_time(text: str | None) -> float | None:
    """Read a time; None for an absent or unreadable one."""
    try:
        return seconds_of(text) if text else None
    except ValueError:
        return None


def seconds_since(text: str | None, now: float) -> float:
    """Give how long ago a time was; zero for an absent one."""
    time = parse_time(text)
    return 0.0 if time is None else now - time
