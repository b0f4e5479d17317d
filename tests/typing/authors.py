"""Plugins as people write them outside the project: mypy must accept this file as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pilotfish import (
    MAX_NODE_SCORE,
    SKIP,
    Allow,
    Assume,
    BindingError,
    Cluster,
    ClusterEvent,
    Deny,
    Mask,
    NodeInfo,
    NodeSubset,
    NodeTable,
    Patch,
    PerNodePlugin,
    Plugin,
    Pod,
    PreBind,
    Reject,
    Rejection,
    Scores,
    Skip,
    Wait,
    WaitingPod,
    most_is_best,
)
from pilotfish.api.workloads import Namespace
from pilotfish.framework import EnabledPlugin, Profile, Registry
from pilotfish.testing import decide, node, pod


class OldestFirst(Plugin):
    """A queue order without priorities."""

    name = "OldestFirst"

    def sort_key(self, pod: Pod, timestamp: float) -> tuple[float, str]:
        """Sort by time, then by name."""
        return timestamp, pod.key


class QuietHours(PerNodePlugin):
    """Both points of a per-node plugin, and a normalisation that the framework has."""

    name = "QuietHours"
    requeue_on = frozenset({ClusterEvent.NODE_LABELS_CHANGED})
    normalize = staticmethod(most_is_best)

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        """Keep pods off quiet nodes, unless they are important."""
        if node.labels.get("quiet") == "true" and pod.priority < 1000:
            return Rejection("node(s) were quiet", resolvable=False)
        return None

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        """Prefer large nodes for important pods."""
        return node.allocatable["cpu"] if pod.priority else 0


class Packed(PerNodePlugin):
    """A score alone, with a normalisation of its own."""

    name = "Packed"

    def score_node(self, _pod: Pod, node: NodeInfo) -> int:
        """Prefer nodes with many pods."""
        return len(node.pods)

    def normalize(self, raw: Scores, feasible: Mask) -> Scores:
        """Cap the numbers."""
        return np.minimum(raw, MAX_NODE_SCORE) * feasible


class Reserved(Plugin):
    """All points of a vectorised plugin, with typed arguments and a state of its own."""

    name = "Reserved"
    requeue_on = frozenset({ClusterEvent.NODE_ADDED, ClusterEvent.NAMESPACE_LABELS_CHANGED})
    reads = frozenset({"namespaces"})

    def __init__(self, label: str = "team") -> None:
        self._label = label

    def pre_enqueue(self, pod: Pod) -> Reject | None:
        """Hold pods back that say so."""
        held = "hold" in pod.labels
        return Reject(None, "pod is held", resolvable=False) if held else None

    def pre_filter(self, pod: Pod, cluster: Cluster) -> str | NodeSubset | Reject | Skip:
        """Find the team of the pod's namespace."""
        namespace = cluster.namespaces.get(pod.namespace)
        if namespace is None:
            return Reject(None, "namespace is unknown", resolvable=False)
        if "only-node" in namespace.labels:
            return NodeSubset(frozenset({namespace.labels["only-node"]}), state="")
        return namespace.labels.get(self._label, SKIP)

    def filter(self, nodes: NodeTable, state: str, alive: Mask) -> Iterator[Reject]:
        """Keep teams apart."""
        column = nodes.label(self._label)
        mine = (column.ids == column.id_of(state)).any(axis=0)
        yield Reject(alive & ~mine, "node(s) were reserved for another team", resolvable=False)

    def pre_score(self, pod: Pod) -> Skip | None:
        """Score batch pods only."""
        return None if pod.labels.get("kind") == "batch" else SKIP

    def score(self, nodes: NodeTable, feasible: Mask) -> Scores:
        """Prefer nodes with many pods."""
        return most_is_best(nodes.pod_count, feasible)


class Booked(Plugin):
    """The points between the choice of a node and the end of the bind."""

    name = "Booked"
    requeue_on = frozenset({ClusterEvent.NAMESPACE_LABELS_CHANGED, ClusterEvent.POD_ADDED})
    reads = frozenset({"namespaces"})
    assumes = frozenset({"namespaces"})

    def pre_filter(self, pod: Pod, cluster: Cluster) -> object:
        """Keep the namespace for `reserve`."""
        return cluster.namespaces.get(pod.namespace, SKIP)

    def reserve(self, node_name: str, state: Namespace | None) -> Assume | Rejection | None:
        """Book the namespace."""
        if state is None:
            return None
        if node_name in state.labels:
            return Rejection("namespace was booked", resolvable=False)
        return Assume((("namespaces", state),))

    def unreserve(self, waiting: Sequence[WaitingPod]) -> Deny | None:
        """Let nobody wait for a booking that failed."""
        return Deny(tuple(one.uid for one in waiting), "booking failed") if waiting else None

    def permit(self, pod: Pod, waiting: Sequence[WaitingPod]) -> Wait | Allow | None:
        """Go in pairs."""
        if "pair" not in pod.labels:
            return None
        return Allow(tuple(one.uid for one in waiting)) if waiting else Wait(timeout_seconds=5)

    def pre_bind(self, pod: Pod, node_name: str) -> PreBind | Rejection | None:
        """Write the booking, and wait until it is seen."""
        if "fail" in pod.labels:
            raise BindingError("no booking today")
        patch = Patch("namespaces", pod.namespace, {"metadata": {"labels": {node_name: "booked"}}})
        return PreBind((patch,), until=lambda cluster: pod.namespace in cluster.namespaces)


class Called(Plugin):
    """The points that may be asynchronous."""

    name = "Called"
    call_timeout_seconds = 1.5

    async def pre_bind(self, pod: Pod) -> Rejection | None:
        """Ask somebody."""
        return Rejection("somebody said no") if "no" in pod.labels else None

    async def post_bind(self, pod: Pod, node_name: str) -> None:
        """Tell somebody."""


def profile() -> Profile:
    """Build a profile by name."""
    registry = Registry(OldestFirst, QuietHours, Packed, Booked, Called)
    registry.add("Reserved", lambda label="squad": Reserved(label))
    names = ("OldestFirst", "QuietHours", "Packed", "Reserved", "Booked", "Called")
    return Profile("mine", [EnabledPlugin(registry.make(name), weight=2) for name in names])


def chosen_by_quiet_hours() -> str:
    """Test a policy as an author does."""
    nodes = [node("a", labels={"quiet": "true"}), node("b", cpu="8")]
    return decide(QuietHours, [pod("p", cpu="1")], nodes, only_policy=True)["p"].node_name
