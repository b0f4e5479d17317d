"""All controllers of a cluster as one actor: changes in, writes out, one timer heap.

Theory of operation: a sync first shows every change since the last one to the pod index and to the
controllers, which name keys; then it syncs the keys that are due, once each. What those syncs write
is seen by the next sync, so no controller acts on a half of its own work. Of much it does a part:
some changes, and no keys before all changes are seen; or some keys. So who calls can serve others
in between. An exception, which is a defect, ends the sync; the next one goes on behind the change
or key that raised it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.lifetimes.garbage_collector import GarbageCollector
from pilotfish.cluster.controllers.lifetimes.namespaces import NamespaceController
from pilotfish.cluster.controllers.lifetimes.service_accounts import ServiceAccountController
from pilotfish.cluster.controllers.lifetimes.token_secrets import TokenSecretController
from pilotfish.cluster.controllers.lifetimes.ttl_after_finished import TtlAfterFinishedController
from pilotfish.cluster.controllers.nodes.node_lifecycle import NodeLifecycleController
from pilotfish.cluster.controllers.nodes.pod_gc import PodGcController
from pilotfish.cluster.controllers.nodes.taint_eviction import TaintEvictionController
from pilotfish.cluster.controllers.pod_index import Key, PodIndex
from pilotfish.cluster.controllers.volumes.volume_binder import VolumeBinder
from pilotfish.cluster.controllers.volumes.volume_protection import VolumeProtectionController
from pilotfish.cluster.controllers.work_queue import WorkQueue
from pilotfish.cluster.controllers.workloads.daemon_set import DaemonSetController
from pilotfish.cluster.controllers.workloads.deployment import DeploymentController
from pilotfish.cluster.controllers.workloads.disruption import DisruptionController
from pilotfish.cluster.controllers.workloads.job import JobController
from pilotfish.cluster.controllers.workloads.replica_set import (
    ReplicaSetController,
    ReplicationControllerController,
)
from pilotfish.cluster.controllers.workloads.stateful_set import StatefulSetController
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import PODS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.resources import RESOURCES
from pilotfish.cluster.store import Change

SHORTEST_WAIT_SECONDS: Final = 0.001
CHANGES_PER_SYNC: Final = 1000  # some 20 ms
KEYS_PER_SYNC: Final = 100
WRITES_PER_SYNC: Final = 250  # some 50 ms; a key that writes more ends the sync

CONTROLLERS: Final[Sequence[type[Controller]]] = (
    ServiceAccountController,
    TokenSecretController,
    NodeLifecycleController,
    TaintEvictionController,
    PodGcController,
    VolumeBinder,
    VolumeProtectionController,
    DeploymentController,
    ReplicaSetController,
    ReplicationControllerController,
    StatefulSetController,
    DaemonSetController,
    JobController,
    TtlAfterFinishedController,
    DisruptionController,
    GarbageCollector,
    NamespaceController,
)


class Controllers:
    """An actor that runs controllers."""

    def __init__(
        self, client: LoopbackClient, pods: PodIndex, controllers: Sequence[Controller]
    ) -> None:
        self._client = client
        self._pods = pods
        self._controllers = controllers
        self._queue = WorkQueue()
        self._changes: deque[Change] = deque()
        self._has_started = False
        self._watchers: dict[str, list[tuple[int, Controller]]] = {}
        for place, controller in enumerate(controllers):
            for resource in controller.watches:
                self._watchers.setdefault(resource.storage, []).append((place, controller))
        client.store.on_change.append(self._changes.append)

    def sync(self, now: float) -> float | None:
        """Bring in order what is due, and give the time of the next thing to do."""
        if not self._has_started:
            self._start(now)
        for _ in range(min(CHANGES_PER_SYNC, len(self._changes))):
            self._observe(self._changes.popleft(), now)
        if self._changes:
            return now
        written = self._client.store.resource_version + WRITES_PER_SYNC
        for place, key in islice(self._queue.pop_due(now), KEYS_PER_SYNC):
            self._sync_key(place, key, now)
            if self._client.store.resource_version >= written:
                break
        return self._queue.next_deadline()

    def _start(self, now: float) -> None:
        """Take what is there for added."""
        self._has_started = True
        self._changes.clear()
        storages = dict.fromkeys(r.storage for r in RESOURCES if r.storage in self._storages())
        for storage in storages:
            for stored in self._client.store.list(storage).items:
                self._observe(Change(stored.resource_version, "ADDED", storage, stored, None), now)

    def _storages(self) -> set[str]:
        return {PODS.storage, *self._watchers}

    def _observe(self, change: Change, now: float) -> None:
        if change.storage == PODS.storage:
            old, new = self._pods.apply(change)
            for place, controller in enumerate(self._controllers):
                for key in controller.observe_pod(old, new, now):
                    self._queue.add((place, key), now)
        for place, controller in self._watchers.get(change.storage, ()):
            for key in controller.observe(change, now):
                self._queue.add((place, key), now)

    def _sync_key(self, place: int, key: Key, now: float) -> None:
        try:
            later = self._controllers[place].sync(key, now)
        except StatusError:
            self._queue.retry((place, key), now)
            return
        except Exception:
            self._queue.retry((place, key), now)
            raise
        self._queue.forget((place, key))
        if later is not None:
            self._queue.add((place, key), max(later, now + SHORTEST_WAIT_SECONDS))


def controllers_of(client: LoopbackClient) -> Sequence[Controllers]:
    """Give the controllers that a cluster runs."""
    pods, recorder = PodIndex(), Recorder(client)
    return [Controllers(client, pods, [kind(client, pods, recorder) for kind in CONTROLLERS])]
