"""The pool of pods that wait for an event: unschedulable and gated ones.

Theory of operation: the pool is indexed by kind of event, so that an event costs nothing for the
pods that it cannot help. A pod is indexed under the events that can undo what holds it: for a gated
pod those of the plugin that gates it, for others those of all plugins that rejected it. The pool is
in the order in which pods entered it, so the oldest is the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.invariants import require
from pilotfish.queue.queued_pod_info import QueuedPodInfo


class UnschedulablePods:
    """Waiting pods by uid and by event."""

    def __init__(self) -> None:
        self._pods: dict[str, QueuedPodInfo] = {}
        self._interests: dict[str, Collection[ClusterEvent]] = {}
        self._by_event: dict[ClusterEvent, dict[str, QueuedPodInfo]] = {}

    def __len__(self) -> int:
        return len(self._pods)

    def __iter__(self) -> Iterator[QueuedPodInfo]:
        return iter(self._pods.values())

    def get(self, uid: str) -> QueuedPodInfo | None:
        """Return a pod that is here."""
        return self._pods.get(uid)

    def add(self, info: QueuedPodInfo, interests: Collection[ClusterEvent], now: float) -> None:
        """Insert a pod that waits for one of these events."""
        info.waiting_since = now
        uid = info.uid
        self._pods[uid] = info
        self._interests[uid] = interests
        for event in interests:
            self._by_event.setdefault(event, {})[uid] = info

    def discard(self, uid: str) -> QueuedPodInfo | None:
        """Take out a pod."""
        info = self._pods.pop(uid, None)
        for event in self._interests.pop(uid, ()):
            waiting = self._by_event[event]
            del waiting[uid]
            if not waiting:
                del self._by_event[event]
        return info

    def waiting_for(self, event: ClusterEvent) -> list[QueuedPodInfo]:
        """List the pods that an event may help."""
        if event is ClusterEvent.WILDCARD:
            return list(self._pods.values())
        interested = self._by_event.get(event, {})
        in_anything = self._by_event.get(ClusterEvent.WILDCARD, {})
        return [*interested.values(), *(i for u, i in in_anything.items() if u not in interested)]

    def is_interested(self, uid: str, event: ClusterEvent) -> bool:
        """Say whether a waiting pod may be helped by an event."""
        interests = self._interests[uid]
        return event in interests or ClusterEvent.WILDCARD in interests

    def oldest(self) -> QueuedPodInfo | None:
        """Return the pod that is here for the longest time."""
        return next(iter(self._pods.values()), None)

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where index and pool differ, or the order is broken."""
        require(self._pods.keys() == self._interests.keys(), "a pod has no interests")
        indexed = {(event, uid) for event, pods in self._by_event.items() for uid in pods}
        wanted = {(event, uid) for uid, events in self._interests.items() for event in events}
        require(indexed == wanted, f"the index differs: {indexed ^ wanted}")
        times = [info.waiting_since for info in self._pods.values()]
        require(times == sorted(times), f"out of order: {times}")
