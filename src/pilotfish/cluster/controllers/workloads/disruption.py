"""PodDisruptionBudgets: how many of the selected pods may be disrupted now.

Source: kubernetes v1.36 pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.conditions import condition, set_condition
from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.owning import controller_of
from pilotfish.cluster.controllers.pod_index import Key, PodInfo
from pilotfish.cluster.controllers.times import parse_time
from pilotfish.cluster.controllers.workloads.replica_counts import replicas_of, scaled_value
from pilotfish.cluster.kinds import (
    DEPLOYMENTS,
    POD_DISRUPTION_BUDGETS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Change

DELETION_TIMEOUT_SECONDS: Final = 120.0  # how long an eviction counts that deletes nothing
_SCALED: Final = {
    resource.kind: resource
    for resource in (DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS)
}


class DisruptionController(Controller):
    """Tells the status of each PodDisruptionBudget."""

    watches = (POD_DISRUPTION_BUDGETS, *_SCALED.values())

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give a budget itself; for a workload all budgets of its namespace."""
        if change.storage == POD_DISRUPTION_BUDGETS.storage:
            return super().observe(change, now)
        return self._budgets(change.new.namespace)

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the budgets of the pod's namespace."""
        del now
        pod = new or old
        return () if pod is None else self._budgets(pod.namespace)

    def sync(self, key: Key, now: float) -> float | None:
        """Count the pods that a budget selects, and write what may be disrupted."""
        pdb = self.client.get(POD_DISRUPTION_BUDGETS, *key)
        if pdb is None:
            return None
        pods = self.pods.in_namespace(key[0])
        if (later := self.paced(key, len(pods), now)) is not None:
            return later
        selector = pdb["spec"].get("selector")
        chosen: Sequence[PodInfo] = []
        if selector is not None:
            matcher = msgspec.convert(selector, LabelSelector)
            chosen = [pod for pod in pods if matcher.matches(pod.labels) and not pod.is_finished]
        expected, desired = self._expected(pdb, chosen)
        old = pdb.get("status") or {}
        disrupted, expires = _still_disrupted(old.get("disruptedPods") or {}, chosen, now)
        healthy = sum(
            pod.is_ready and not pod.is_terminating and pod.name not in disrupted for pod in chosen
        )
        allowed = max(0, healthy - desired) if expected > 0 else 0
        status: JsonObject = {
            "observedGeneration": pdb["metadata"].get("generation", 0),
            **({"disruptedPods": disrupted} if disrupted else {}),
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            **({"conditions": old["conditions"]} if old.get("conditions") else {}),
        }
        value = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
        made = condition("DisruptionAllowed", *value, "", now) | {"message": ""}
        set_condition(status, made | {"observedGeneration": status["observedGeneration"]})
        if status != old:
            self.client.update_status(POD_DISRUPTION_BUDGETS, pdb | {"status": status}, now)
        return expires

    def _budgets(self, namespace: str) -> list[Key]:
        found = self.client.store.list(POD_DISRUPTION_BUDGETS.storage, namespace).items
        return [(namespace, stored.name) for stored in found]

    def _expected(self, pdb: JsonObject, pods: Sequence[PodInfo]) -> tuple[int, int]:
        """Give how many pods there should be, and how many of them healthy."""
        limit, least = pdb["spec"].get("maxUnavailable"), pdb["spec"].get("minAvailable")
        if limit is not None:
            expected = self._scale(pods)
            return expected, max(0, expected - scaled_value(limit, expected, round_up=True))
        if isinstance(least, str):
            expected = self._scale(pods)
            return expected, scaled_value(least, expected, round_up=True)
        return len(pods), int(least or 0)

    def _scale(self, pods: Iterable[PodInfo]) -> int:
        """Sum up the sizes of the workloads that own the pods."""
        sizes: dict[str, int] = {}
        for pod in pods:
            if pod.owner is not None and pod.owner.uid not in sizes:
                sizes |= self._size_of(pod.namespace, pod.owner.kind, pod.owner.name)
        return sum(sizes.values())

    def _size_of(self, namespace: str, kind: str, name: str) -> dict[str, int]:
        resource = _SCALED.get(kind)
        found = None if resource is None else self.client.get(resource, namespace, name)
        if found is None:
            return {}
        owner = controller_of(found)
        if kind == REPLICA_SETS.kind and owner is not None and owner["kind"] == DEPLOYMENTS.kind:
            # a rollout's ReplicaSets share the size of their deployment, counted once
            above = self.client.get(DEPLOYMENTS, namespace, owner["name"])
            if above is not None:
                return {found["metadata"]["uid"]: 0, owner["uid"]: replicas_of(above)}
        return {found["metadata"]["uid"]: replicas_of(found)}


def _still_disrupted(
    disrupted: dict[str, str], pods: Iterable[PodInfo], now: float
) -> tuple[dict[str, str], float | None]:
    """Give the evictions that have not deleted their pod yet, and when the first is given up."""
    lasting = {pod.name for pod in pods if not pod.is_terminating}
    ends = {
        name: (parse_time(text) or now) + DELETION_TIMEOUT_SECONDS
        for name, text in disrupted.items()
        if name in lasting
    }
    kept = {name: disrupted[name] for name, end in ends.items() if end > now}
    return kept, min((ends[name] for name in kept), default=None)
