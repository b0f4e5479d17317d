"""A heap of deadlines for things that kubelets wait for."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

from pilotfish.framework.invariants import require

Key = TypeVar("Key", str, tuple[str, str])
_SLACK: Final = 64  # entries that do not count and are too few to sweep


class Timers(Generic[Key]):
    """At most one deadline a key; the newest one said counts.

    Entries of the heap that no longer count stay there until they come to its top, or until they
    are the greater part of it.
    """

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
        if len(self._heap) > 2 * len(self._deadlines) + _SLACK:
            self._heap = [(deadline, key) for key, deadline in self._deadlines.items()]
            heapq.heapify(self._heap)

    def pop(self, now: float) -> Key | None:
        """Take out the key whose deadline passed first, None where none has."""
        deadline = self.next()
        if deadline is None or deadline > now:
            return None
        _, key = heapq.heappop(self._heap)
        del self._deadlines[key]
        return key

    def due(self, now: float, most: int) -> Iterator[Key]:
        """Take out keys whose deadlines have passed, one by one and so many at most."""
        for _ in range(most):
            if (key := self.pop(now)) is None:
                return
            yield key

    def next(self) -> float | None:
        """Give the first deadline."""
        while self._heap:
            deadline, key = self._heap[0]
            if self._deadlines.get(key) == deadline:
                return deadline
            heapq.heappop(self._heap)
        return None

    def check_invariants(self) -> None:
        """Check that the heap holds every deadline, and not much else.

        Raises:
            BrokenInvariantError: It does not.
        """
        missing = {(at, key) for key, at in self._deadlines.items()} - set(self._heap)
        require(not missing, f"{missing} are not in the heap")
        size, count = len(self._heap), len(self._deadlines)
        require(size <= 2 * count + _SLACK, f"{size} entries for {count} deadlines")
