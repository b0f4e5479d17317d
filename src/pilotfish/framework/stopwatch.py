"""How long plugins take: measured by whoever holds a clock, never part of a decision."""

from __future__ import annotations

from typing import Protocol


class Stopwatch(Protocol):
    """Is told what some plugins take."""

    def clock(self) -> float:
        """Return the time in seconds; only differences mean anything."""

    def cycle(self, pod: str) -> None:
        """Take note that a scheduling cycle begins, for the pod `namespace/name`."""

    def took(self, plugin: str, seconds: float) -> None:
        """Take note of one call of a plugin in this cycle."""
