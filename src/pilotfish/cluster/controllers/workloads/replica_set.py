"""ReplicaSets and ReplicationControllers: as many pods as wanted.

Source: kubernetes v1.36 pkg/controller/replicaset/replica_set.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Final

from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.conditions import (
    condition,
    find_condition,
    remove_condition,
    set_condition,
)
from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.owning import claim_pods, controller_of, read_selector
from pilotfish.cluster.controllers.pod_index import Key, PodIndex, PodInfo
from pilotfish.cluster.controllers.selector_index import SelectorIndex
from pilotfish.cluster.controllers.workloads.pod_control import PodControl, is_namespace_terminating
from pilotfish.cluster.controllers.workloads.pod_ranking import victims
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import REPLICA_SETS, REPLICATION_CONTROLLERS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.store import Change

BURST_REPLICAS: Final = 500  # pods that one sync creates or deletes; upstream BurstReplicas


class ReplicaSetController(Controller):
    """Keeps the number of pods of each ReplicaSet, and its status."""

    resource: ClassVar[Resource] = REPLICA_SETS
    component: ClassVar[str] = "replicaset-controller"
    watches = (REPLICA_SETS,)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        events = recorder.source(self.component, self.resource)
        self._control = PodControl(client, self.resource, events)
        self._selectors = SelectorIndex()

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give a workload, and note what it selects."""
        is_gone = change.type == "DELETED"
        key = (change.new.namespace, change.new.name)
        self._selectors.put(key, None if is_gone else self._selector(change.new.decode()))
        return super().observe(change, now)

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the owners of a pod, or for an orphan whoever may adopt it."""
        del now
        kind = self.resource.kind
        owners = [pod.owned_by(kind) for pod in (old, new) if pod is not None]
        if new is not None and new.owner is None and new.is_active:
            owners += self._matching(new, old)
        return [key for key in owners if key is not None]

    def sync(self, key: Key, now: float) -> float | None:
        """Create or delete pods until there are enough, and tell the status."""
        owner = self.client.get(self.resource, *key)
        selector = None if owner is None else self._selector(owner)
        if owner is None or selector is None:
            return None
        count = len(self.pods.owned(owner["metadata"]["uid"]))
        if (later := self.paced(key, count, now)) is not None:
            return later
        pods = claim_pods(self.client, self.pods, self.resource, owner, selector, now)
        active = [pod for pod in pods if pod.is_active]
        failure, changed = None, False
        if owner["metadata"].get("deletionTimestamp") is None:
            failure, changed = self._manage(owner, active, now)
        if not changed:
            terminating = sum(pod.is_terminating and not pod.is_finished for pod in pods)
            self._write_status(owner, active, terminating, failure, now)
        if failure is not None:
            raise failure
        return _next_availability(owner, active, now)

    def _selector(self, owner: JsonObject) -> LabelSelector | None:
        return read_selector(owner)

    def _matching(self, pod: PodInfo, old: PodInfo | None) -> Iterator[Key]:
        if old is not None and old.owner is None and dict(old.labels) == dict(pod.labels):
            return
        yield from self._selectors.choosing(pod.namespace, pod.labels)

    def _manage(
        self, owner: JsonObject, active: Sequence[PodInfo], now: float
    ) -> tuple[StatusError | None, bool]:
        """Create or delete pods; say what was refused, and whether pods were changed."""
        missing = owner["spec"].get("replicas", 1) - len(active)
        done = 0
        try:
            for _ in range(min(missing, BURST_REPLICAS)):
                made = self._control.pod_of(owner, owner["spec"]["template"])
                self._control.create(owner, made, now)
                done += 1
            if missing < 0:
                related = self._related(owner)
                for pod in victims(active, related, min(-missing, BURST_REPLICAS), now):
                    self._control.delete(owner, pod.name, now, pod.uid)
                    done += 1
        except StatusError as error:
            return (None if is_namespace_terminating(error) else error), done > 0
        return None, done > 0

    def _related(self, owner: JsonObject) -> Iterator[PodInfo]:
        """Give the pods of all workloads with the same controller."""
        reference = controller_of(owner)
        if reference is None:
            yield from self.pods.owned(owner["metadata"]["uid"])
            return
        for other in self.client.list(self.resource, owner["metadata"]["namespace"]):
            found = controller_of(other)
            if found is not None and found["uid"] == reference["uid"]:
                yield from self.pods.owned(other["metadata"]["uid"])

    def _write_status(
        self,
        owner: JsonObject,
        active: Sequence[PodInfo],
        terminating: int,
        failure: StatusError | None,
        now: float,
    ) -> None:
        old = owner.get("status") or {}
        status = {
            **{key: old[key] for key in ("conditions",) if key in old},
            **self._counts(owner, active, terminating, now),
            "observedGeneration": owner["metadata"].get("generation", 0),
        }
        if failure is not None and find_condition(status, "ReplicaFailure") is None:
            wanted = owner["spec"].get("replicas", 1)
            reason = "FailedCreate" if len(active) < wanted else "FailedDelete"
            made = condition("ReplicaFailure", "True", reason, failure.message, now)
            set_condition(status, made)
        elif failure is None:
            remove_condition(status, "ReplicaFailure")
        if status != old:
            self.client.update_status(self.resource, owner | {"status": status}, now)

    def _counts(
        self, owner: JsonObject, active: Sequence[PodInfo], terminating: int, now: float
    ) -> JsonObject:
        template_labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
        exact = LabelSelector(match_labels=template_labels)
        min_ready_seconds = owner["spec"].get("minReadySeconds", 0)
        counts = {
            "fullyLabeledReplicas": sum(exact.matches(pod.labels) for pod in active),
            "readyReplicas": sum(pod.is_ready for pod in active),
            "availableReplicas": sum(pod.is_available(min_ready_seconds, now) for pod in active),
        }
        filled = {name: count for name, count in counts.items() if count}
        return {"replicas": len(active), **filled, **self._terminating(terminating)}

    def _terminating(self, count: int) -> JsonObject:
        return {"terminatingReplicas": count}


class ReplicationControllerController(ReplicaSetController):
    """Does the same for ReplicationControllers, whose selectors are plain labels."""

    resource = REPLICATION_CONTROLLERS
    component = "replication-controller"
    watches = (REPLICATION_CONTROLLERS,)

    def _selector(self, owner: JsonObject) -> LabelSelector | None:
        labels = owner["spec"].get("selector")
        return LabelSelector(match_labels=labels) if labels else None

    def _terminating(self, count: int) -> JsonObject:
        del count
        return {}


def _next_availability(owner: JsonObject, active: Sequence[PodInfo], now: float) -> float | None:
    """Give when the next ready pod becomes available."""
    seconds = owner["spec"].get("minReadySeconds", 0)
    waiting = (
        pod.ready_since + seconds
        for pod in active
        if pod.ready_since is not None and not pod.is_available(seconds, now)
    )
    return min(waiting, default=None)
