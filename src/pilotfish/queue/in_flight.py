"""Pods that are being decided about, and the events that happen meanwhile.

Theory of operation: one log of events for all pods in flight; each pod remembers where the log
ended when it was popped. When it comes back, the events after that place are applied to it. The
part of the log that no pod in flight needs any more is dropped. Pods that wait on permit are in
flight for a long time: so a kind of event is noted once for each pod that was popped meanwhile, not
each time, and the log stays short.

Source: kubernetes v1.36 pkg/scheduler/backend/queue/active_queue.go (inFlightEvents).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.invariants import require
from pilotfish.queue.queued_pod_info import QueuedPodInfo


class InFlight:
    """Popped pods and the log of events since the first of them was popped."""

    def __init__(self) -> None:
        self._pods: dict[str, tuple[QueuedPodInfo, int]] = {}  # in the order in which they left
        self._events: deque[tuple[ClusterEvent, str]] = deque()
        self._dropped = 0
        self._last: dict[ClusterEvent, int] = {}  # where each kind stands last in the log

    def __len__(self) -> int:
        return len(self._pods)

    def __iter__(self) -> Iterator[QueuedPodInfo]:
        return (info for info, _ in self._pods.values())

    def get(self, uid: str) -> QueuedPodInfo | None:
        """Return a pod that is in flight."""
        info_and_place = self._pods.get(uid)
        return info_and_place[0] if info_and_place else None

    def start(self, info: QueuedPodInfo) -> None:
        """Take note that a pod was popped."""
        self._pods[info.uid] = (info, self._dropped + len(self._events))

    def record(self, event: ClusterEvent, uid: str = "") -> None:
        """Keep an event for the pods in flight; with a uid it concerns that pod alone."""
        if not self._pods:
            return
        if not uid:
            _, popped_last = next(reversed(self._pods.values()))
            if self._last.get(event, -1) >= popped_last:
                return
            self._last[event] = self._dropped + len(self._events)
        self._events.append((event, uid))

    def events_for(self, uid: str) -> Iterator[ClusterEvent]:
        """Yield what happened since a pod was popped, the latest first.

        It takes no time for what happened before, which is kept for pods that are long in flight.
        """
        if uid in self._pods:
            count = self._dropped + len(self._events) - self._pods[uid][1]
            for event, only in islice(reversed(self._events), count):
                if only in ("", uid):
                    yield event

    def done(self, uid: str) -> QueuedPodInfo | None:
        """Take note that a pod is no longer in flight."""
        info_and_place = self._pods.pop(uid, None)
        end = self._dropped + len(self._events)
        needed = next(iter(self._pods.values()))[1] if self._pods else end
        while self._dropped < needed:
            self._events.popleft()
            self._dropped += 1
        return info_and_place[0] if info_and_place else None

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where the log is longer than the pods in flight need."""
        end = self._dropped + len(self._events)
        places = [place for _, place in self._pods.values()]
        require(places == sorted(places), f"out of order: {places}")
        inside = all(self._dropped <= place <= end for place in places)
        require(inside, f"{places} outside {self._dropped}..{end}")
        require(places or not self._events, "events are kept for nobody")
