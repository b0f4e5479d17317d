"""What a controller is: it says which keys a change concerns, and brings one key in order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Final

from pilotfish.cluster.controllers.pod_index import Key, PodIndex, PodInfo
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.store import Change

PODS_PER_SECOND: Final = 10_000.0
"""How many pods the syncs of one key may visit in a second; see `Controller.paced`."""

SMALL: Final = 100
"""Keys with fewer pods are synced at each change."""


class Controller(ABC):
    """Brings objects in order, one key at a time.

    Reads are of the store as it is; only the pod index lags behind it until the next sync. A write
    that is refused is raised as StatusError, and the key is synced again later.
    """

    watches: ClassVar[tuple[Resource, ...]] = ()
    """Resources whose changes `observe` is shown; pods are shown to `observe_pod`."""

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        self.client = client
        self.pods = pods
        self.recorder = recorder
        self._not_before: dict[Key, float] = {}

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give the keys to sync after a change; the changed object's own, unless said otherwise."""
        del now
        return [(change.new.namespace, change.new.name)]

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the keys to sync after a change of a pod."""
        del old, new, now
        return ()

    @abstractmethod
    def sync(self, key: Key, now: float) -> float | None:
        """Bring one key in order, and say when to look at it again; None waits for changes.

        Raises:
            StatusError: A write was refused.
        """

    def paced(self, key: Key, pods: int, now: float) -> float | None:
        """Give when a key may be synced, None for now; syncs of a large one are kept apart.

        A thousand pods that get ready one by one would otherwise be visited a million times.
        """
        if now < self._not_before.get(key, now):
            return self._not_before[key]
        if pods < SMALL:
            self._not_before.pop(key, None)
        else:
            self._not_before[key] = now + pods / PODS_PER_SECOND
        return None


def earliest(*times: float | None) -> float | None:
    """Give the first of the times that there are."""
    return min((time for time in times if time is not None), default=None)
