"""PodDisruptionBudgets: how many of the selected pods may be disrupted now.

Source: kubernetes v1.36 pkg/controller/disruption/disruption.go. differs: Events are told once a
status changes, not at each look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pilotfish.api.meta import ApiStruct, OwnerReference
from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.conditions import condition, set_condition
from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.owning import controller_of
from pilotfish.cluster.controllers.pod_index import Key, PodIndex, PodInfo
from pilotfish.cluster.controllers.selector_index import SelectorIndex
from pilotfish.cluster.controllers.times import parse_time
from pilotfish.cluster.controllers.workloads.replica_counts import replicas_of, scaled_value
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import (
    DEPLOYMENTS,
    POD_DISRUPTION_BUDGETS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
)
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.store import Change

DELETION_TIMEOUT_SECONDS: Final = 120.0  # how long an eviction counts that deletes nothing
_SCALED: Final = (DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS)
COUNTS: Final = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


class _UnknownScaleError(Exception):
    """Nobody can say how many pods there should be; the text says why."""


class _Metadata(ApiStruct, frozen=True):
    labels: dict[str, str] = msgspec.field(default_factory=dict)


class _Template(ApiStruct, frozen=True):
    metadata: _Metadata = _Metadata()


class _WorkloadSpec(ApiStruct, frozen=True):
    template: _Template = _Template()


class _Workload(ApiStruct, frozen=True):
    spec: _WorkloadSpec = _WorkloadSpec()


class _BudgetSpec(ApiStruct, frozen=True):
    selector: LabelSelector | None = None


class _Budget(ApiStruct, frozen=True):
    spec: _BudgetSpec = _BudgetSpec()


_WORKLOADS = msgspec.json.Decoder(_Workload)
_BUDGETS = msgspec.json.Decoder(_Budget)


class DisruptionController(Controller):
    """Tells the status of each PodDisruptionBudget."""

    watches = (POD_DISRUPTION_BUDGETS, *_SCALED)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._events = recorder.source("controllermanager", POD_DISRUPTION_BUDGETS)
        self._selectors = SelectorIndex()
        self._chosen: dict[Key, dict[Key, None]] = {}

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give a budget itself; for a workload the budgets of its pods."""
        del now
        key = (change.new.namespace, change.new.name)
        if change.storage != POD_DISRUPTION_BUDGETS.storage:
            labels = _WORKLOADS.decode(change.new.body).spec.template.metadata.labels
            return self._selectors.choosing(change.new.namespace, labels)
        selector = None
        if change.type != "DELETED":
            selector = _BUDGETS.decode(change.new.body).spec.selector
        if self._selectors.put(key, selector):
            self._choose(key, selector)
        return [key]

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the budgets that choose the pod or did so."""
        del now
        budgets: dict[Key, None] = {}
        if old is not None:
            for budget in self._selectors.choosing(old.namespace, old.labels):
                self._chosen[budget].pop(old.key, None)
                budgets[budget] = None
        if new is not None:
            for budget in self._selectors.choosing(new.namespace, new.labels):
                self._chosen[budget][new.key] = None
                budgets[budget] = None
        return budgets

    def sync(self, key: Key, now: float) -> float | None:
        """Count the pods that a budget selects, and write what may be disrupted."""
        pdb = self.client.get(POD_DISRUPTION_BUDGETS, *key)
        if pdb is None:
            return None
        keys = self._chosen.get(key, {})
        if (later := self.paced(key, len(keys), now)) is not None:
            return later
        pods = map(self.pods.get, keys)
        chosen = [pod for pod in pods if pod is not None]
        old = pdb.get("status") or {}
        try:
            status, later = self._status(pdb, chosen, now)
            events = _events(pdb["spec"], chosen)
        except _UnknownScaleError as error:
            status, later = _failed(old, str(error), now), None
            text = f"Failed to calculate the number of expected pods: {error}"
            events = [("Warning", "CalculateExpectedPodCountFailed", text)]
        if status != old:
            for kind, reason, message in events:
                tell = self._events.normal if kind == "Normal" else self._events.warning
                tell(pdb, reason, message, now)
            self.client.update_status(POD_DISRUPTION_BUDGETS, pdb | {"status": status}, now)
        return later

    def _status(
        self, pdb: JsonObject, pods: Sequence[PodInfo], now: float
    ) -> tuple[JsonObject, float | None]:
        """Give the status, and when an eviction is given up."""
        expected, desired = self._expected(pdb, pods)
        old = pdb.get("status") or {}
        disrupted, expires = _still_disrupted(old.get("disruptedPods") or {}, pods, now)
        healthy = sum(
            pod.is_ready and not pod.is_terminating and pod.name not in disrupted for pod in pods
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
        return status, expires

    def _choose(self, key: Key, selector: LabelSelector | None) -> None:
        """Find the pods of a selector that is new."""
        self._chosen.pop(key, None)
        if selector is not None:
            pods = self.pods.in_namespace(key[0])
            self._chosen[key] = {pod.key: None for pod in pods if selector.matches(pod.labels)}

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
        """Sum up the sizes of the workloads that own the pods.

        Raises:
            _UnknownScaleError: One has no size, or is gone.
        """
        sizes: dict[str, int] = {}
        for pod in pods:
            if pod.owner is not None and pod.owner.uid not in sizes:
                sizes |= self._size_of(pod, pod.owner)
        return sum(sizes.values())

    def _size_of(self, pod: PodInfo, owner: OwnerReference) -> dict[str, int]:
        resource = TABLE.of_kind(owner.api_version, owner.kind)
        if resource is None:
            version, kind = owner.api_version, owner.kind
            raise _UnknownScaleError(f'no matches for kind "{kind}" in version "{version}"')
        if resource not in _SCALED:
            why = f"{resource.qualified} does not implement the scale subresource"
            raise _UnknownScaleError(why)
        found = self.client.get(resource, pod.namespace, owner.name)
        if found is None or found["metadata"]["uid"] != owner.uid:
            raise _UnknownScaleError(f'found no controllers for pod "{pod.name}"')
        above = controller_of(found)
        if resource is REPLICA_SETS and above is not None and above["kind"] == DEPLOYMENTS.kind:
            # a rollout's ReplicaSets share the size of their deployment, counted once
            deployment = self.client.get(DEPLOYMENTS, pod.namespace, above["name"])
            if deployment is not None:
                return {owner.uid: 0, above["uid"]: replicas_of(deployment)}
        return {owner.uid: replicas_of(found)}


def _failed(old: JsonObject, message: str, now: float) -> JsonObject:
    """Give a status that lets nobody be disrupted, since it is not known who may be."""
    made = condition("DisruptionAllowed", "False", "SyncFailed", message, now)
    if generation := old.get("observedGeneration"):
        made["observedGeneration"] = generation
    status: JsonObject = dict.fromkeys(COUNTS, 0) | old | {"disruptionsAllowed": 0}
    set_condition(status, made)
    return status


def _events(spec: JsonObject, pods: Sequence[PodInfo]) -> list[tuple[str, str, str]]:
    """Give what is to be told of a budget's pods."""
    if not pods:
        return [("Normal", "NoPods", "No matching pods found")]
    counts_owners = "maxUnavailable" in spec or isinstance(spec.get("minAvailable"), str)
    if not counts_owners or all(pod.owner is not None for pod in pods):
        return []
    text = (
        f"Pods selected by this PodDisruptionBudget (selector: {_as_go(spec['selector'])}) were "
        "found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, "
        "which may result in undefined behavior. To account for these pods please set "
        '".spec.minAvailable" field of the PDB to an integer value.'
    )
    return [("Warning", "UnmanagedPods", text)]


def _as_go(selector: JsonObject) -> str:
    """Write a selector as Go prints it."""
    labels = "".join(f"{k}: {v}," for k, v in sorted((selector.get("matchLabels") or {}).items()))
    rules = "".join(
        f"LabelSelectorRequirement{{Key:{rule['key']},Operator:{rule['operator']},"
        f"Values:[{' '.join(rule.get('values') or ())}],}},"
        for rule in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{rules}}},}}"
    )


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
