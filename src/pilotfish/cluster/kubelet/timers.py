"""One heap of deadlines for everything that kubelets wait for."""

from __future__ import annotations

import heapq
from typing import TypeAlias

Key: TypeAlias = tuple[str, str]


class Timers:
    """At most one deadline a key; the newest one said counts."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, Key]] = []
        self._deadlines: dict[Key, float] = {}

    def set(self, key: Key, deadline: float | None) -> None:
        """Set, replace or (None) take away a deadline."""
        if deadline is None:
            self._deadlines.pop(key, None)
        elif self._deadlines.get(key) != deadline:
            self._deadlines[key] = deadline
            heapq.heappush(self._heap, (deadline, key))

    def pop(self, now: float) -> Key | None:
        """Take out the key whose deadline passed first, None where none has."""
        deadline = self.next()
        if deadline is None or deadline > now:
            return None
        _, key = heapq.heappop(self._heap)
        del self._deadlines[key]
        return key

    def next(self) -> float | None:
        """Give the first deadline."""
        while self._heap:
            deadline, key = self._heap[0]
            if self._deadlines.get(key) == deadline:
                return deadline
            heapq.heappop(self._heap)
        return None
