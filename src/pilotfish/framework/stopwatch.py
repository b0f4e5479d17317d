"""How long plugins take: measured by whoever holds a clock, never part of a decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

Lap: TypeAlias = Callable[[str, str], None]
"""Told the extension point that has just ended, and its status, both as upstream's metrics say."""


def unmeasured(_extension_point: str, _status: str) -> None:
    """Be told and measure nothing."""


class Stopwatch(Protocol):
    """Is told what some plugins take."""

    def clock(self) -> float:
        """Return the time in seconds; only differences mean anything."""

    def cycle(self, pod: str) -> None:
        """Take note that a scheduling cycle begins, for the pod `namespace/name`."""

    def took(self, plugin: str, seconds: float) -> None:
        """Take note of one call of a plugin in this cycle."""
