"""StatefulSets: numbered pods with names and volumes that last.

Theory of operation: each sync walks over the ordinals. With the policy OrderedReady it stops at the
first pod that is not yet available, so that pods come up one by one from the lowest ordinal and go
one by one from the highest; with Parallel it does not wait. Once all pods are in place, pods of
another revision are deleted one at a time, the highest ordinal first, and made anew by a later
sync.

Source: kubernetes v1.36 pkg/controller/statefulset/stateful_set_control.go and
stateful_set_utils.go (newVersionedStatefulSetPod).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.owning import (
    claim_pods,
    controller_reference,
    read_selector,
)
from pilotfish.cluster.controllers.pod_index import Key, PodIndex, PodInfo
from pilotfish.cluster.controllers.workloads.controller_revisions import REVISION_HASH, History
from pilotfish.cluster.controllers.workloads.replica_counts import replicas_of
from pilotfish.cluster.controllers.workloads.stateful_claims import StatefulClaims, claim_name
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import PODS, STATEFUL_SETS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


class _Step(msgspec.Struct, frozen=True):
    """One stateful set in one sync."""

    owner: JsonObject
    revision: str
    replicas: Mapping[int, PodInfo | None]
    condemned: Sequence[PodInfo]
    now: float

    @property
    def is_ordered(self) -> bool:
        return bool(self.owner["spec"].get("podManagementPolicy") != "Parallel")

    def is_below_partition(self, number: int) -> bool:
        """Say whether an update leaves the pod of this ordinal as it is."""
        strategy = self.owner["spec"].get("updateStrategy") or {}
        partition: int = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        return number - min(self.replicas) < partition

    def is_available(self, pod: PodInfo | None) -> bool:
        """Say whether a pod runs, is ready for long enough, and stays."""
        seconds = self.owner["spec"].get("minReadySeconds", 0)
        if pod is None or pod.phase != "Running" or pod.is_terminating:
            return False
        return bool(pod.is_available(seconds, self.now))


class StatefulSetController(Controller):
    """Keeps the pods, claims and status of each StatefulSet."""

    watches = (STATEFUL_SETS,)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._events = recorder.source("statefulset-controller", STATEFUL_SETS)
        self._history = History(client, STATEFUL_SETS, "controller.kubernetes.io/hash")
        self._claims = StatefulClaims(client, self._events)

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the owners of a pod, or for an orphan the set that its name tells of."""
        del now
        keys = [pod.owned_by(STATEFUL_SETS.kind) for pod in (old, new) if pod is not None]
        if new is not None and new.owner is None and ordinal(new.name) is not None:
            keys.append((new.namespace, new.name.rpartition("-")[0]))
        return [key for key in keys if key is not None]

    def sync(self, key: Key, now: float) -> float | None:
        """Take the next step, and tell the status."""
        owner = self.client.get(STATEFUL_SETS, *key)
        selector = None if owner is None else read_selector(owner)
        if owner is None or selector is None:
            self._history.forget(key)
            return None
        count = len(self.pods.owned(owner["metadata"]["uid"]))
        if (later := self.paced(key, count, now)) is not None:
            return later
        claimed = claim_pods(
            self.client,
            self.pods,
            STATEFUL_SETS,
            owner,
            selector,
            now,
            name_prefix=f"{key[1]}-",
        )
        pods = {ordinal(pod.name): pod for pod in claimed if _is_member(owner, pod)}
        start = (owner["spec"].get("ordinals") or {}).get("start", 0)
        wanted = range(start, start + replicas_of(owner))
        condemned = [pod for n, pod in pods.items() if n is not None and n not in wanted]
        step = _Step(
            owner,
            self._revision(key, owner, pods.values(), now),
            {n: pods.get(n) for n in wanted},
            sorted(condemned, key=lambda pod: ordinal(pod.name) or 0, reverse=True),
            now,
        )
        changed = owner["metadata"].get("deletionTimestamp") is None and self._manage(step)
        if not changed:
            self._write_status(step, list(pods.values()))
        return _next_availability(step)

    def _revision(self, key: Key, owner: JsonObject, pods: Iterable[PodInfo], now: float) -> str:
        status = owner.get("status") or {}
        is_observed = status.get("observedGeneration") == owner["metadata"].get("generation")
        told = status.get("updateRevision", "") if is_observed else ""
        live = {status.get("currentRevision", ""), *(pod.labels.get(REVISION_HASH) for pod in pods)}
        return self._history.revision(key, owner, live, now, told=told)

    def _manage(self, step: _Step) -> bool:
        """Create, delete or update pods; True where any was changed, and another sync follows."""
        self._assign_claims(step)
        changed = False
        for number, pod in step.replicas.items():
            if pod is None or (pod.is_finished and not pod.is_terminating):
                if pod is None:
                    self._create(step, number)
                else:
                    self._delete(step, pod)
                changed = True
            if step.is_ordered and not step.is_available(pod):
                return changed
        return self._shrink(step) or changed or self._update(step)

    def _assign_claims(self, step: _Step) -> None:
        for number, pod in step.replicas.items():
            if pod is not None:
                self._claims.assign(step.owner, number, pod, step.now, is_condemned=False)
        for pod in step.condemned:
            number = ordinal(pod.name) or 0
            self._claims.assign(step.owner, number, pod, step.now, is_condemned=True)

    def _shrink(self, step: _Step) -> bool:
        first_unhealthy = next(
            (
                pod
                for pod in (*step.replicas.values(), *reversed(step.condemned))
                if pod is not None and not step.is_available(pod)
            ),
            None,
        )
        changed = False
        for pod in step.condemned:
            if pod.is_terminating:
                if step.is_ordered:
                    return True
                continue
            if step.is_ordered and not step.is_available(pod) and pod is not first_unhealthy:
                return False
            self._delete(step, pod)
            changed = True
            if step.is_ordered:
                return True
        return changed

    def _update(self, step: _Step) -> bool:
        """Delete the highest pod of another revision, unless one above it is not available yet."""
        strategy = step.owner["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return False
        for number, pod in sorted(step.replicas.items(), reverse=True):
            if step.is_below_partition(number) or pod is None:
                return False
            if pod.labels.get(REVISION_HASH) != step.revision and not pod.is_terminating:
                self._delete(step, pod)
                return True
            if not step.is_available(pod):
                return False
        return False

    def _create(self, step: _Step, number: int) -> None:
        owner, now = step.owner, step.now
        pod = self._make_pod(step, number)
        name = pod["metadata"]["name"]
        try:
            self._claims.make(owner, number, name, now)
            self.client.create(PODS, pod, now)
        except StatusError as error:
            self._tell(owner, "Create", name, now, error)
            raise
        self._tell(owner, "Create", name, now)

    def _make_pod(self, step: _Step, number: int) -> JsonObject:
        """Make a pod; one below the partition is made from the template that was there before."""
        owner = step.owner
        current = (owner.get("status") or {}).get("currentRevision", "")
        if step.is_below_partition(number) and current != step.revision:
            template = self._history.template(owner["metadata"]["namespace"], current)
            if template is not None:
                return _pod_of(owner, number, current, template)
        return _pod_of(owner, number, step.revision, owner["spec"]["template"])

    def _delete(self, step: _Step, pod: PodInfo) -> None:
        try:
            self.client.delete(PODS, pod.namespace, pod.name, step.now, uid=pod.uid)
        except StatusError as error:
            self._tell(step.owner, "Delete", pod.name, step.now, error)
            raise
        self._tell(step.owner, "Delete", pod.name, step.now)

    def _tell(
        self, owner: JsonObject, verb: str, pod: str, now: float, error: StatusError | None = None
    ) -> None:
        text = f"{verb} Pod {pod} in StatefulSet {owner['metadata']['name']}"
        if error is None:
            self._events.normal(owner, f"Successful{verb}", f"{text} successful", now)
        else:
            message = f"{text} failed error: {error.message}"
            self._events.warning(owner, f"Failed{verb}", message, now)

    def _write_status(self, step: _Step, pods: Sequence[PodInfo]) -> None:
        owner = step.owner
        old = owner.get("status") or {}
        current = old.get("currentRevision") or step.revision
        lasting = [pod for pod in pods if not pod.is_terminating]
        ready = [pod for pod in pods if pod.phase == "Running" and pod.is_ready]
        counts = {
            "readyReplicas": len(ready),
            "currentReplicas": _of_revision(lasting, current),
            "updatedReplicas": _of_revision(lasting, step.revision),
        }
        rolls = (owner["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"
        if rolls and counts["updatedReplicas"] == len(ready) == len(pods):
            current = step.revision
            counts["currentReplicas"] = counts["updatedReplicas"]
        seconds = owner["spec"].get("minReadySeconds", 0)
        status = {
            "observedGeneration": owner["metadata"].get("generation", 0),
            "replicas": len(pods),
            **{name: count for name, count in counts.items() if count},
            "currentRevision": current,
            "updateRevision": step.revision,
            "collisionCount": 0,
            "availableReplicas": sum(pod.is_available(seconds, step.now) for pod in ready),
        }
        if status != old:
            self.client.update_status(STATEFUL_SETS, owner | {"status": status}, step.now)


def ordinal(name: str) -> int | None:
    """Read the number at the end of a pod's name."""
    digits = name.rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _is_member(owner: JsonObject, pod: PodInfo) -> bool:
    return bool(pod.name.rpartition("-")[0] == owner["metadata"]["name"])


def _of_revision(pods: Iterable[PodInfo], revision: str) -> int:
    return sum(pod.labels.get(REVISION_HASH) == revision for pod in pods)


def _pod_of(owner: JsonObject, number: int, revision: str, template: JsonObject) -> JsonObject:
    meta, template = owner["metadata"], copy.deepcopy(template)
    name = f"{meta['name']}-{number}"
    metadata: JsonObject = {
        key: value
        for key, value in (template.get("metadata") or {}).items()
        if key in ("labels", "annotations", "finalizers") and value
    }
    labels = {POD_NAME: name, POD_INDEX: str(number), REVISION_HASH: revision}
    metadata |= {
        "name": name,
        "generateName": f"{meta['name']}-",
        "namespace": meta["namespace"],
        "labels": {**metadata.get("labels", {}), **labels},
        "ownerReferences": [controller_reference(STATEFUL_SETS, owner)],
    }
    spec = template["spec"]
    spec["hostname"] = name
    if owner["spec"].get("serviceName"):
        spec["subdomain"] = owner["spec"]["serviceName"]
    templates = owner["spec"].get("volumeClaimTemplates") or []
    mounted = [
        {
            "name": template["metadata"].get("name", ""),
            "persistentVolumeClaim": {"claimName": claim_name(template, owner, number)},
        }
        for template in templates
    ]
    names = {volume["name"] for volume in mounted}
    volumes = [volume for volume in spec.get("volumes") or [] if volume["name"] not in names]
    if mounted or volumes:
        spec["volumes"] = [*mounted, *volumes]
    return {"metadata": metadata, "spec": spec}


def _next_availability(step: _Step) -> float | None:
    seconds = step.owner["spec"].get("minReadySeconds", 0)
    pods = (pod for pod in step.replicas.values() if pod is not None)
    waiting = (
        pod.ready_since + seconds
        for pod in pods
        if pod.ready_since is not None and pod.ready_since + seconds > step.now
    )
    return min(waiting, default=None)
