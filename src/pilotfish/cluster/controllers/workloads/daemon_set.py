"""DaemonSets: one pod on each node that may have it, placed by the scheduler.

Source: kubernetes v1.36 pkg/controller/daemon/daemon_controller.go.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Final

from pilotfish.api.codec import decode
from pilotfish.api.node import Node
from pilotfish.cluster.controllers.controller import Controller, earliest
from pilotfish.cluster.controllers.owning import claim_pods, read_selector
from pilotfish.cluster.controllers.pod_index import Key, PodIndex, PodInfo
from pilotfish.cluster.controllers.workloads.controller_revisions import REVISION_HASH, History
from pilotfish.cluster.controllers.workloads.daemon_pods import (
    DaemonPlacement,
    daemon_template,
    target_node,
)
from pilotfish.cluster.controllers.workloads.daemon_rollout import (
    GENERATION,
    GENERATION_LABEL,
    DaemonStep,
    crowded_out,
    rolling_update,
)
from pilotfish.cluster.controllers.workloads.pod_control import PodControl, is_namespace_terminating
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import DAEMON_SETS, NODES, PODS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.store import Change

BURST: Final = 250  # pods that one sync creates or deletes; upstream BurstReplicas
FIRST_RETRY_SECONDS: Final = 1.0  # of failed pods on one node
MAX_RETRY_SECONDS: Final = 900.0


class DaemonSetController(Controller):
    """Keeps the pods and the status of each DaemonSet."""

    watches = (DAEMON_SETS, NODES)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._events = recorder.source("daemonset-controller", DAEMON_SETS)
        self._control = PodControl(client, DAEMON_SETS, self._events)
        self._history = History(client, DAEMON_SETS)
        self._nodes: dict[str, Node] = {}
        self._retries: dict[tuple[str, str], tuple[float, float]] = {}

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give a DaemonSet itself, or all of them where a node's labels or taints changed."""
        if change.storage == DAEMON_SETS.storage:
            return super().observe(change, now)
        name, old = change.new.name, self._nodes.pop(change.new.name, None)
        if change.type != "DELETED":
            new = self._nodes[name] = decode(Node, change.new.body)
            if old and (old.labels, old.spec.taints) == (new.labels, new.spec.taints):
                return ()
        everyone = self.client.store.list(DAEMON_SETS.storage).items
        return [(stored.namespace, stored.name) for stored in everyone]

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the owners of a pod, or for an orphan whoever may adopt it."""
        del now
        keys = [pod.owned_by(DAEMON_SETS.kind) for pod in (old, new) if pod is not None]
        if new is not None and old is None and new.owner is None:
            keys += [
                (new.namespace, owner["metadata"]["name"])
                for owner in self.client.list(DAEMON_SETS, new.namespace)
                if (selector := read_selector(owner)) and selector.matches(new.labels)
            ]
        return [key for key in keys if key is not None]

    def sync(self, key: Key, now: float) -> float | None:
        """Create and delete pods, and tell the status."""
        owner = self.client.get(DAEMON_SETS, *key)
        selector = None if owner is None else read_selector(owner)
        if owner is None or selector is None:
            self._history.forget(key)
            return None
        if (later := self.paced(key, len(self._nodes), now)) is not None:
            return later
        by_node: dict[str, list[PodInfo]] = {}
        pods = claim_pods(self.client, self.pods, DAEMON_SETS, owner, selector, now)
        for pod in sorted(pods, key=lambda pod: (pod.created, pod.name)):
            by_node.setdefault(self._node_of(pod), []).append(pod)
        live = {f"{key[1]}-{pod.labels.get(REVISION_HASH)}" for pod in pods}
        digest = self._history.revision(key, owner, live, now).removeprefix(f"{key[1]}-")
        placement = DaemonPlacement(owner["spec"]["template"])
        places = {name: placement.on(node) for name, node in self._nodes.items()}
        step = DaemonStep(owner, places, digest, by_node, now)
        later = None
        if owner["metadata"].get("deletionTimestamp") is None:
            later, changed = self._manage(step)
            if not changed:
                self._roll(step)
        self._write_status(step)
        return earliest(later, step.next_available())

    def _node_of(self, pod: PodInfo) -> str:
        if pod.node_name:
            return pod.node_name
        obj = self.client.get(PODS, *pod.key)
        return target_node(obj) if obj is not None else ""

    def _manage(self, step: DaemonStep) -> tuple[float | None, bool]:
        """Bring each node in order; give when to look again, and whether pods changed."""
        doomed: list[PodInfo] = []
        missing: list[str] = []
        retries = []
        for name, (should_run, may_stay) in step.places.items():
            pods = step.by_node.get(name, ())
            runs = any(pod.is_active for pod in pods)
            if should_run and (not pods or (step.surges and not runs)):
                missing.append(name)
            if may_stay:
                gone, retry_at = self._surplus(step, name, pods)
                doomed += gone
                retries += [retry_at] if retry_at is not None else []
            else:
                doomed += [pod for pod in pods if not pod.is_terminating]
        for name, pods in step.by_node.items():
            if name not in step.places:
                doomed += [pod for pod in pods if not pod.node_name and not pod.is_terminating]
        for pod in doomed[:BURST]:
            self._control.delete(step.owner, pod.name, step.now, pod.uid)
        changed = self._create(step, missing[:BURST]) or bool(doomed)
        return min(retries, default=None), changed

    def _surplus(
        self, step: DaemonStep, node: str, pods: Sequence[PodInfo]
    ) -> tuple[list[PodInfo], float | None]:
        """Give finished and doubled pods of a node; failed ones wait for their back-off."""
        doomed, running, retry_at = [], [], None
        for pod in pods:
            where = f"daemon pod {pod.namespace}/{pod.name} on node {node}"
            if pod.is_terminating:
                continue
            if pod.phase == "Failed":
                retry_at = self._retry_at(step, node)
                if retry_at is None:
                    text = f"Found failed {where}, will try to kill it"
                    self._events.warning(step.owner, "FailedDaemonPod", text, step.now)
                    doomed.append(pod)
            elif pod.phase == "Succeeded":
                text = f"Found succeeded {where}, will try to delete it"
                self._events.normal(step.owner, "SucceededDaemonPod", text, step.now)
                doomed.append(pod)
            else:
                running.append(pod)
        return doomed + crowded_out(step, running), retry_at

    def _retry_at(self, step: DaemonStep, node: str) -> float | None:
        """Give when a failed pod of a node may be replaced; None for now, counting it."""
        place = (step.owner["metadata"]["uid"], node)
        last, delay = self._retries.get(place, (step.now - MAX_RETRY_SECONDS, 0.0))
        if step.now < last + delay:
            return last + delay
        is_forgotten = step.now >= last + 2 * MAX_RETRY_SECONDS
        longer = FIRST_RETRY_SECONDS if is_forgotten or not delay else 2 * delay
        self._retries[place] = (step.now, min(longer, MAX_RETRY_SECONDS))
        return None

    def _create(self, step: DaemonStep, nodes: Iterable[str]) -> bool:
        created = False
        for name in nodes:
            template = daemon_template(copy.deepcopy(step.owner["spec"]["template"]), name)
            pod = self._control.pod_of(step.owner, template)
            labels = pod["metadata"].setdefault("labels", {})
            labels[REVISION_HASH] = step.digest
            annotations = step.owner["metadata"].get("annotations") or {}
            if GENERATION in annotations:
                labels[GENERATION_LABEL] = annotations[GENERATION]
            try:
                self._control.create(step.owner, pod, step.now)
            except StatusError as error:
                if is_namespace_terminating(error):
                    return created
                raise
            created = True
        return created

    def _roll(self, step: DaemonStep) -> None:
        doomed, nodes = rolling_update(step)
        for pod in doomed[:BURST]:
            self._control.delete(step.owner, pod.name, step.now, pod.uid)
        self._create(step, nodes[:BURST])

    def _write_status(self, step: DaemonStep) -> None:
        desired = current = misscheduled = 0
        firsts: list[PodInfo] = []
        for name, (should_run, _) in step.places.items():
            pods = step.by_node.get(name, ())
            if should_run:
                desired += 1
                current += bool(pods)
                firsts += pods[:1]
            else:
                misscheduled += bool(pods)
        available = sum(map(step.is_available, firsts))
        optional = {
            "updatedNumberScheduled": sum(map(step.is_updated, firsts)),
            "numberAvailable": available,
            "numberUnavailable": desired - available,
        }
        status = {
            "currentNumberScheduled": current,
            "numberMisscheduled": misscheduled,
            "desiredNumberScheduled": desired,
            "numberReady": sum(pod.is_ready for pod in firsts),
            "observedGeneration": step.owner["metadata"].get("generation", 0),
            **{name: count for name, count in optional.items() if count},
        }
        if status != (step.owner.get("status") or {}):
            self.client.update_status(DAEMON_SETS, step.owner | {"status": status}, step.now)
