"""What is to be synced, and when: one queue and one timer heap for all controllers.

Theory of operation: a key is due at one time, the earliest that anyone asked for. A sync that fails
is repeated after a back-off that doubles; one that succeeds forgets it. A key that is synced over
and over without time passing (two controllers at odds) is put off in the same way, so that the
cluster stays responsive.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.controllers.pod_index import Key

FIRST_BACKOFF_SECONDS: Final = 0.005  # client-go's default rate limiter
MAX_BACKOFF_SECONDS: Final = 1000.0
_MAX_SHIFT: Final = 20  # beyond it every back-off is at its maximum
SYNCS_AT_ONE_TIME: Final = 50  # no honest story needs more


Item = tuple[int, Key]
"""Which controller, by its place, is to sync which key."""


class WorkQueue:
    """Keys by the time at which they are due; first come, first served at the same time."""

    def __init__(self) -> None:
        self._due: dict[Item, float] = {}
        self._heap: list[tuple[float, int, Item]] = []
        self._count = 0
        self._failures: dict[Item, int] = {}
        self._now = 0.0
        self._syncs: Counter[Item] = Counter()  # at the present time

    def add(self, item: Item, at: float) -> None:
        """Ask for a sync at a time; an earlier one that was asked for stays."""
        if self._due.get(item, at + 1) <= at:
            return
        self._due[item] = at
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, item))

    def pop_due(self, now: float) -> Iterator[Item]:
        """Take out what is due, one by one; what is added meanwhile waits for the next call."""
        newest = self._count
        while self._heap and self._heap[0][0] <= now and self._heap[0][1] <= newest:
            at, _, item = heapq.heappop(self._heap)
            if self._due.get(item) != at:
                continue
            del self._due[item]
            if self._is_spinning(item, now):
                self.retry(item, now)
            else:
                yield item

    def retry(self, item: Item, now: float) -> None:
        """Ask for another sync after the back-off."""
        failures = self._failures.get(item, 0)
        self._failures[item] = failures + 1
        backoff = FIRST_BACKOFF_SECONDS * 2.0 ** min(failures, _MAX_SHIFT)
        self.add(item, now + min(backoff, MAX_BACKOFF_SECONDS))

    def forget(self, item: Item) -> None:
        """Let the next back-off start anew."""
        self._failures.pop(item, None)

    def next_deadline(self) -> float | None:
        """Give when the next key is due."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _is_spinning(self, item: Item, now: float) -> bool:
        if now != self._now:
            self._now = now
            self._syncs.clear()
        self._syncs[item] += 1
        return self._syncs[item] > SYNCS_AT_ONE_TIME
