"""What is known of the cluster: nodes, namespaces, workloads, and the pods that count on nodes.

Theory of operation: a pod that counts is assumed (we chose its node, the API server has not said
so yet) or bound. It stays until it is removed, forgotten or ended:

    absent   --assume-->          assumed
    absent   --set_pod-->         bound
    assumed  --set_pod-->         bound     the watch is right, also when it names another node
    assumed  --finish_binding-->  bound     the answer to our bind was success
    assumed  --forget-->          absent    our bind was surely refused
    bound    --set_pod-->         bound
    any      --remove_pod-->      absent    also set_pod of a pod that has ended

Lists and answers race, so what is already as wanted is no error: `finish_binding` of a bound pod,
and `finish_binding`, `forget` or `remove_pod` of an absent one, do nothing. A pod on a node that
is not known is kept aside and counts as soon as the node appears; when a node goes, its pods are
kept aside likewise, since news of pods and of nodes travel apart.

Every change returns the kinds of events that it means for waiting pods.

Source: kubernetes v1.36 pkg/scheduler/backend/cache/cache.go, pkg/scheduler/eventhandlers.go,
    pkg/scheduler/framework/events.go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pilotfish.api.node import Node
from pilotfish.api.node_metrics import NodeMetrics
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import (
    Namespace,
    PodDisruptionBudget,
)
from pilotfish.cache.errors import PodStateError
from pilotfish.cache.node_tree import NodeTree
from pilotfish.cache.nominations import Nominations
from pilotfish.cache.pod_shapes import PodShapes
from pilotfish.cache.selector_index import SelectorIndex
from pilotfish.cache.volume_index import VolumeIndex
from pilotfish.cache.workloads import Workload, Workloads
from pilotfish.framework.arrays import RowNumbers
from pilotfish.framework.cluster import PodCounts, TermCounts
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.invariants import require
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.pod_terms import PodSelector

TRANSITIONS_KEPT: Final = 1000  # of all pods together, for the stories in errors
MOVES: Final = {ClusterEvent.NODE_ADDED, ClusterEvent.NODE_LABELS_CHANGED}


class ClusterCache:
    """The cluster as the scheduler sees it; implements framework.Cluster.

    Attributes:
        nodes: all nodes, and the pods on them.
        namespaces: all namespaces, by name.
        budgets: all disruption budgets, by uid.
        nominations: the pending pods for which room is being made.
        volumes: all volumes and claims, and what belongs to them.
    """

    def __init__(self) -> None:
        self.nodes = NodeTable()
        self.namespaces: dict[str, Namespace] = {}
        self.budgets: dict[str, PodDisruptionBudget] = {}
        self.nominations = Nominations()
        self.volumes = VolumeIndex(self.nodes)
        self._pods: dict[str, PodInfo] = {}
        self._assumed: set[str] = set()
        self._aside: dict[str, dict[str, PodInfo]] = {}  # by the node that is not known
        self._shapes = PodShapes()
        self._tree = NodeTree()
        self._workloads = Workloads()
        self._selectors = SelectorIndex(self.nodes, self.namespaces)
        self._transitions: deque[tuple[str, str]] = deque(maxlen=TRANSITIONS_KEPT)

    # Nodes, namespaces and workloads.

    def set_node(self, node: Node) -> set[ClusterEvent]:
        """Insert or update a node; one that differs in nothing means no event."""
        events = self.nodes.set_node(node)
        if events & MOVES:
            self._tree.set(node.name, node.labels)
        if ClusterEvent.NODE_ADDED in events:
            self.volumes.node_added(node.name)
        for pod in self._aside.pop(node.name, {}).values():
            self._place(pod)
        return events

    def remove_node(self, name: str) -> set[ClusterEvent]:
        """Remove a node and keep its pods aside."""
        if name not in self.nodes.row_of:
            return set()
        row = self.nodes.row_of[name]
        for pod in self.nodes.pods[row].values():
            self._selectors.remove(row, pod)
        pods = self.nodes.remove_node(name)
        self._tree.remove(name)
        if pods:
            self._aside[name] = {pod.uid: pod for pod in pods}
        return {ClusterEvent.NODE_DELETED}

    def set_namespace(self, namespace: Namespace) -> set[ClusterEvent]:
        """Insert or update a namespace."""
        old = self.namespaces.get(namespace.name)
        self.namespaces[namespace.name] = namespace
        if old is None:
            self._selectors.namespaces_changed()
            return {ClusterEvent.NAMESPACE_ADDED}
        if old.labels == namespace.labels:
            return set()
        self._selectors.namespaces_changed()
        return {ClusterEvent.NAMESPACE_LABELS_CHANGED}

    def remove_namespace(self, name: str) -> set[ClusterEvent]:
        """Remove a namespace, which makes no pod schedulable."""
        if self.namespaces.pop(name, None) is not None:
            self._selectors.namespaces_changed()
        return set()

    def set_workload(self, workload: Workload) -> set[ClusterEvent]:
        """Insert or update a service or controller, which makes no pod schedulable."""
        self._workloads.set(workload)
        return set()

    def remove_workload(self, uid: str) -> set[ClusterEvent]:
        """Remove a service or controller."""
        self._workloads.remove(uid)
        return set()

    def set_budget(self, budget: PodDisruptionBudget) -> set[ClusterEvent]:
        """Insert or update a disruption budget, which makes no pod schedulable."""
        self.budgets[budget.uid] = budget
        return set()

    def remove_budget(self, uid: str) -> set[ClusterEvent]:
        """Remove a disruption budget."""
        self.budgets.pop(uid, None)
        return set()

    def set_usage(self, metrics: NodeMetrics) -> set[ClusterEvent]:
        """Note what a node uses, which makes no pod schedulable."""
        self.nodes.usage[metrics.name] = metrics.amounts
        return set()

    def remove_usage(self, name: str) -> set[ClusterEvent]:
        """Forget what a node uses."""
        self.nodes.usage.pop(name, None)
        return set()

    # Pods.

    def pod_info(self, pod: Pod, node_name: str | None = None) -> PodInfo:
        """Make what counts of a pod, on its own node or on the one given."""
        return self._shapes.pod_info(pod, pod.node_name if node_name is None else node_name)

    def pod(self, uid: str) -> PodInfo | None:
        """Return a pod that counts, be it assumed, bound or kept aside."""
        return self._pods.get(uid)

    def pod_uids(self) -> list[str]:
        """List the pods that count."""
        return list(self._pods)

    def counts(self) -> dict[str, int]:
        """Count what is in the cache, under the labels of upstream's metric cache_size."""
        return {
            "nodes": len(self.nodes),
            "pods": len(self._pods),
            "assumed_pods": len(self._assumed),
        }

    def is_assumed(self, uid: str) -> bool:
        """Say whether we chose the pod's node and the API server has not confirmed it."""
        return uid in self._assumed

    def set_pod(self, pod: Pod) -> set[ClusterEvent]:
        """Take what the API server says of a bound pod; one that has ended is removed.

        Raises:
            PodStateError: the pod is not bound.
        """
        uid = pod.uid
        if pod.is_terminal:
            return self.remove_pod(uid)
        if not pod.node_name:
            raise self._violation(uid, pod.key, "is not bound, so it counts on no node")
        new = self.pod_info(pod)
        old = self._pods.get(uid)
        if old is None:
            self._enter(new, "set")
            return {ClusterEvent.ASSIGNED_POD_ADDED}
        was_assumed = uid in self._assumed
        if old == new:
            self.finish_binding(uid)
            return {ClusterEvent.ASSIGNED_POD_ADDED} if was_assumed else set()
        self._leave(old, "replaced")
        self._enter(new, "set")
        if old.node_name != new.node_name:
            return {ClusterEvent.ASSIGNED_POD_ADDED, ClusterEvent.ASSIGNED_POD_DELETED}
        return {ClusterEvent.ASSIGNED_POD_ADDED} if was_assumed else _changes(old, new)

    def remove_pod(self, uid: str) -> set[ClusterEvent]:
        """Stop counting a pod that is gone or has ended, whatever its state."""
        pod = self._pods.get(uid)
        if pod is None:
            return set()
        self._leave(pod, "removed")
        self.nominations.evicting.discard(uid)
        return {ClusterEvent.ASSIGNED_POD_DELETED}

    def assume(self, pod: Pod, node_name: str) -> PodInfo:
        """Count a pod on the node chosen for it, before the API server knows.

        Raises:
            PodStateError: the pod counts already.
        """
        if pod.uid in self._pods:
            raise self._violation(pod.uid, pod.key, "cannot be assumed: it counts already")
        assumed = self.pod_info(pod, node_name)
        self.nominations.forget(pod.uid)
        self._enter(assumed, "assumed")
        self._assumed.add(pod.uid)
        return assumed

    def finish_binding(self, uid: str) -> None:
        """Take an assumed pod for bound: our bind succeeded."""
        if uid in self._assumed:
            self._assumed.remove(uid)
            self._transitions.append((uid, "binding finished"))

    def forget(self, uid: str) -> set[ClusterEvent]:
        """Stop counting an assumed pod: our bind was surely refused.

        Raises:
            PodStateError: the pod is bound; only the API server may take it away.
        """
        pod = self._pods.get(uid)
        if pod is None:
            return set()
        if uid not in self._assumed:
            raise self._violation(uid, pod.key, "cannot be forgotten: it is bound")
        self._leave(pod, "forgotten")
        self.nominations.evicting.discard(uid)
        return {ClusterEvent.ASSIGNED_POD_DELETED}

    # What plugins ask beyond the nodes' columns.

    def matching_pods(self, *selectors: PodSelector) -> PodCounts:
        """Count the pods in place that all these selectors select."""
        return self._selectors.matching_pods(selectors)

    def terms_on(self, pod: Pod) -> Iterator[TermCounts]:
        """List the affinity terms of pods in place that select this pod."""
        return self._selectors.terms_on(pod)

    def default_selector(self, pod: Pod) -> LabelSelector:
        """Select the pods of the same services and controller; empty where there are none."""
        return self._workloads.default_selector(pod)

    @property
    def search_order(self) -> RowNumbers:
        """intp[N]: the rows in the order in which a sample of the nodes is searched."""
        return self._tree.rows(self.nodes.row_of)

    @property
    def nominated_pods(self) -> Mapping[str, Sequence[PodInfo]]:
        """The pending pods for which room is being made, by the node."""
        return self.nominations.by_node

    def nominated_node(self, pod: Pod) -> str:
        """Return the node on which room is being made for a pod; empty without one."""
        return self.nominations.node_of(pod.uid)

    def is_being_preempted(self, pod: PodInfo) -> bool:
        """Say whether a pod in place is on its way out because preemption wants it so."""
        return pod.is_preempted or pod.uid in self.nominations.evicting

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError unless what is kept incrementally equals a rebuilt one."""
        nodes = self.nodes
        nodes.check_invariants()
        self._selectors.check_invariants()
        self._tree.check_invariants(nodes.row_of)
        self.nominations.check_invariants()
        self.volumes.check_invariants()
        counted = [uid for pods in (*nodes.pods, *self._aside.values()) for uid in pods]
        require(len(counted) == len(self._pods), "a pod counts once")
        require(self._assumed <= self._pods.keys(), "an assumed pod counts")
        require(not self._aside.keys() & nodes.row_of.keys(), "no pod of a known node is aside")
        for pod in self._pods.values():
            row = nodes.row_of.get(pod.node_name)
            holder = self._aside[pod.node_name] if row is None else nodes.pods[row]
            require(holder.get(pod.uid) is pod, f"pod {pod.key} is on the node that it names")

    def _enter(self, pod: PodInfo, transition: str) -> None:
        self._pods[pod.uid] = pod
        if pod.is_terminating:
            self.nominations.evicting.discard(pod.uid)
        self._place(pod)
        self._transitions.append((pod.uid, f"{transition} on {pod.node_name}"))

    def _leave(self, pod: PodInfo, transition: str) -> None:
        del self._pods[pod.uid]
        self._assumed.discard(pod.uid)
        row = self.nodes.row_of.get(pod.node_name)
        if row is not None:
            self.nodes.remove_pod(row, pod.uid)
            self._selectors.remove(row, pod)
        else:
            aside = self._aside[pod.node_name]
            del aside[pod.uid]
            if not aside:
                del self._aside[pod.node_name]
        self._transitions.append((pod.uid, f"{transition} on {pod.node_name}"))

    def _place(self, pod: PodInfo) -> None:
        row = self.nodes.row_of.get(pod.node_name)
        if row is not None:
            self.nodes.add_pod(row, pod)
            self._selectors.add(row, pod)
        else:
            self._aside.setdefault(pod.node_name, {})[pod.uid] = pod

    def _violation(self, uid: str, key: str, problem: str) -> PodStateError:
        story = [transition for of, transition in self._transitions if of == uid]
        return PodStateError(key, problem, story)


def _changes(old: PodInfo, new: PodInfo) -> set[ClusterEvent]:
    """Name what differs in a bound pod."""
    events = set()
    if old.labels != new.labels:
        events.add(ClusterEvent.ASSIGNED_POD_LABELS_CHANGED)
    requests = new.shape.requests
    if any(requests.get(name, 0) < amount for name, amount in old.shape.requests.items()):
        events.add(ClusterEvent.ASSIGNED_POD_SCALED_DOWN)
    return events or {ClusterEvent.ASSIGNED_POD_CHANGED}
