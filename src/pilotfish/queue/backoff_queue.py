"""Pods that wait for their back-off to end: rejected ones, and apart those that met an error.

Theory of operation: a back-off ends with the second in which it expires: expiries are cut down to
whole seconds, and a pod leaves once the clock is in a later second. So all pods of one second leave
together, in the order of the active queue. Rejected pods may be taken out early when nothing else
is left to do; pods that met an error may not.

Source: kubernetes v1.36 pkg/scheduler/backend/queue/backoff_queue.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from pilotfish.config.settings import SchedulerSettings
from pilotfish.framework.invariants import require
from pilotfish.queue.pod_heap import PodHeap
from pilotfish.queue.queued_pod_info import QueuedPodInfo

WINDOW_SECONDS: Final = 1.0  # upstream backoffQOrderingWindowDuration
MAX_SHIFT: Final = 60  # beyond it every back-off is at its maximum, and floats stay finite


class BackoffQueue:
    """backoff_q: two heaps by expiry."""

    def __init__(self, settings: SchedulerSettings) -> None:
        self._initial_seconds = settings.pod_initial_backoff_seconds
        self._max_seconds = settings.pod_max_backoff_seconds
        self._rejected = PodHeap(lambda info: (self._expiration(info), info.order))
        self._failed = PodHeap(self._expiration)

    def __len__(self) -> int:
        return len(self._rejected) + len(self._failed)

    def __iter__(self) -> Iterator[QueuedPodInfo]:
        yield from self._rejected
        yield from self._failed

    def is_backing_off(self, info: QueuedPodInfo, now: float) -> bool:
        """Say whether a pod should not be tried yet."""
        return self._expiration(info) >= _window(now)

    def add(self, info: QueuedPodInfo) -> None:
        """Insert a pod; whoever nobody rejected is taken to have met an error."""
        (self._rejected if info.rejector_plugins else self._failed).push(info)

    def get(self, uid: str) -> QueuedPodInfo | None:
        """Return a pod that is here."""
        return self._rejected.get(uid) or self._failed.get(uid)

    def discard(self, uid: str) -> QueuedPodInfo | None:
        """Take out a pod wherever it is."""
        return self._rejected.discard(uid) or self._failed.discard(uid)

    def pop_rejected(self) -> QueuedPodInfo | None:
        """Take out the rejected pod whose back-off ends first, without waiting for its end."""
        return self._rejected.pop()

    def has_rejected(self) -> bool:
        """Say whether `pop_rejected` would find a pod."""
        return len(self._rejected) > 0

    def pop_completed(self, now: float) -> Iterator[QueuedPodInfo]:
        """Take out the pods whose back-off is over."""
        for heap in (self._rejected, self._failed):
            while (info := heap.peek()) is not None and not self.is_backing_off(info, now):
                heap.pop()
                yield info

    def next_deadline(self) -> float | None:
        """Return when the next back-off is over."""
        if not len(self):
            return None
        firsts = [heap.peek() for heap in (self._rejected, self._failed)]
        ends = [self._expiration(info) + WINDOW_SECONDS for info in firsts if info is not None]
        return min(ends, default=None)

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where a pod is in the wrong heap, or in two."""
        self._rejected.check_invariants()
        self._failed.check_invariants()
        rightly = all(info.rejector_plugins for info in self._rejected)
        require(rightly, "a pod that nobody rejected is among the rejected")
        rightly = not any(info.rejector_plugins for info in self._failed)
        require(rightly, "a rejected pod is among those that met an error")

    def _expiration(self, info: QueuedPodInfo) -> float:
        count = info.consecutive_errors_count or info.unschedulable_count
        if not self._max_seconds or not count:
            return -math.inf
        if info.backoff_expiration is None:
            seconds = self._initial_seconds * 2.0 ** min(count - 1, MAX_SHIFT)
            info.backoff_expiration = _window(info.timestamp + min(seconds, self._max_seconds))
        return info.backoff_expiration


def _window(time: float) -> float:
    """Return the start of the window that a time lies in."""
    return time // WINDOW_SECONDS * WINDOW_SECONDS
