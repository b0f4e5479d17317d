"""The simple version of each plugin, node by node: the specification that the fast one must equal.

A twin is a PerNodePlugin, except where it gives a node several reasons or looks at other nodes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from pilotfish.api.affinity import NodeAffinity
from pilotfish.api.node import Taint
from pilotfish.api.pod import Pod
from pilotfish.framework import (
    SKIP,
    ClusterEvent,
    NodeInfo,
    NodeTable,
    PerNodePlugin,
    Plugin,
    Reject,
    Rejection,
    Scores,
    Skip,
    fewest_is_best,
    most_is_best,
    pod_requests,
)
from pilotfish.framework.resources import ANY_ADDRESS, host_ports, scored_requests

ANY_EVENT = frozenset({ClusterEvent.WILDCARD})
MEBIBYTE = 1024 * 1024


class NodeUnschedulable(PerNodePlugin):
    """A cordoned node needs a toleration."""

    name = "NodeUnschedulable"
    requeue_on = ANY_EVENT

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        """Ask about one node."""
        cordon = Taint("node.kubernetes.io/unschedulable", "NoSchedule")
        if node.unschedulable and not pod.tolerates(cordon):
            return Rejection("node(s) were unschedulable", resolvable=False)
        return None


class NodeName(PerNodePlugin):
    """The named node or none."""

    name = "NodeName"
    requeue_on = ANY_EVENT

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        """Ask about one node."""
        if pod.node_name and pod.node_name != node.name:
            return Rejection("node(s) didn't match the requested node name", resolvable=False)
        return None


class TaintToleration(PerNodePlugin):
    """Each hard taint needs a toleration, each soft one would like one."""

    name = "TaintToleration"
    requeue_on = ANY_EVENT
    normalize = staticmethod(fewest_is_best)

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        """Ask about one node."""
        hard = ("NoSchedule", "NoExecute")
        if any(t.effect in hard and not pod.tolerates(t) for t in node.taints):
            return Rejection("node(s) had untolerated taint(s)", resolvable=False)
        return None

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        """Score one node."""
        return sum(t.effect == "PreferNoSchedule" and not pod.tolerates(t) for t in node.taints)


class NodeAffinityTwin(PerNodePlugin):
    """The selector and a required term must match; preferred terms add up.

    It has no pre_filter, so it gives its reason also to nodes that no term names.
    """

    name = "NodeAffinity"
    requeue_on = ANY_EVENT
    normalize = staticmethod(most_is_best)

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        """Ask about one node."""
        required = _node_affinity(pod).required
        matches = pod.spec.node_selector.items() <= node.labels.items()
        if not matches or (required and not required.matches(node.labels, node.name)):
            return Rejection("node(s) didn't match Pod's node affinity/selector", resolvable=False)
        return None

    def pre_score(self, pod: Pod) -> Skip | None:
        """Skip pods without a wish."""
        return None if _node_affinity(pod).preferred else SKIP

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        """Score one node."""
        return sum(
            term.weight
            for term in _node_affinity(pod).preferred
            if term.preference.matches(node.labels, node.name)
        )


class NodeDeclaredFeatures(PerNodePlugin):
    """All that the pod needs has to be declared."""

    name = "NodeDeclaredFeatures"
    requeue_on = ANY_EVENT

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        """Ask about one node."""
        needed = set()
        for container in (*pod.spec.init_containers, *pod.spec.containers):
            for rule in container.restart_policy_rules:
                if rule.action == "RestartAllContainers":
                    needed.add("RestartAllContainersOnContainerExits")
        if pod.spec.host_network and pod.spec.host_users is not None and not pod.spec.host_users:
            needed.add("UserNamespacesHostNetworkSupport")
        if needed <= set(node.declared_features):
            return None
        return Rejection("node(s) didn't match Pod's required features", resolvable=False)


class NodePorts(PerNodePlugin):
    """No wanted port may be taken on the same address, or on all."""

    name = "NodePorts"
    requeue_on = ANY_EVENT

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        """Ask about one node."""
        for wanted in host_ports(pod):
            for taken in node.host_ports:
                if (wanted.protocol, wanted.port) != (taken.protocol, taken.port):
                    continue
                if wanted.ip == taken.ip or ANY_ADDRESS in (wanted.ip, taken.ip):
                    return Rejection("node(s) didn't have free ports for the requested pod ports")
        return None


class NodeResourcesFit(Plugin):
    """Everything requested must be free; the least allocated node is best."""

    name = "NodeResourcesFit"
    requeue_on = ANY_EVENT

    def filter(self, pod: Pod, nodes: NodeTable) -> Iterator[Reject]:
        """Ask about all nodes, one by one."""
        for row in range(len(nodes)):
            node = nodes.node(row)
            only = np.arange(len(nodes)) == row
            reasons, hopeless = self._insufficient(pod, node)
            for reason in reasons:
                yield Reject(only, reason, resolvable=not hopeless)

    def score(self, pod: Pod, nodes: NodeTable) -> Scores:
        """Score all nodes, one by one."""
        return np.array([_left(pod, nodes.node(row)) for row in range(len(nodes))], dtype=np.int64)

    def _insufficient(self, pod: Pod, node: NodeInfo) -> tuple[list[str], bool]:
        reasons = ["Too many pods"] if len(node.pods) + 1 > node.max_pods else []
        hopeless = False
        for name, amount in pod_requests(pod).items():
            allocatable = node.allocatable.get(name, 0)
            if amount > 0 and amount > allocatable - node.requested.get(name, 0):
                reasons.append(f"Insufficient {name}")
                hopeless = hopeless or amount > allocatable
        return reasons, hopeless


class NodeResourcesBalancedAllocation(PerNodePlugin):
    """How much the pod evens out the used fractions."""

    name = "NodeResourcesBalancedAllocation"

    def __init__(self, resources: Sequence[str] = ("cpu", "memory")) -> None:
        self.resources = resources

    def pre_score(self, pod: Pod) -> Skip | None:
        """Skip pods without a wish."""
        return None if any(pod_requests(pod).get(name) for name in self.resources) else SKIP

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        """Score one node."""
        more = pod_requests(pod)
        counted = [
            name
            for name in self.resources
            if node.allocatable.get(name) and (more.get(name) or "/" not in name)
        ]
        without = [node.requested[name] / node.allocatable[name] for name in counted]
        with_pod = [
            (node.requested[name] + more.get(name, 0)) / node.allocatable[name] for name in counted
        ]
        return 50 + (50 + _balance(with_pod) - _balance(without)) // 2


class ImageLocality(Plugin):
    """Bytes of the pod's images on the node, times the share of nodes that have them."""

    name = "ImageLocality"

    def score(self, pod: Pod, nodes: NodeTable) -> Scores:
        """Score all nodes, one by one."""
        everywhere = [nodes.node(row).images for row in range(len(nodes))]
        scores = [self._score_node(pod, nodes, here, everywhere) for here in everywhere]
        return np.array(scores, dtype=np.int64)

    def _score_node(
        self, pod: Pod, nodes: NodeTable, here: list[str], everywhere: list[list[str]]
    ) -> int:
        containers = (*pod.spec.init_containers, *pod.spec.containers)
        total = 0
        for container in containers:
            image = container.image
            if ":" not in image.rpartition("/")[2]:
                image += ":latest"
            if image in here:
                share = sum(image in images for images in everywhere) / len(everywhere)
                total += int(nodes.image_bytes[image] * share)
        least, most = 23 * MEBIBYTE, 1000 * MEBIBYTE * len(containers)
        return 100 * (min(max(total, least), most) - least) // (most - least)


def _node_affinity(pod: Pod) -> NodeAffinity:
    affinity = pod.spec.affinity
    return (affinity and affinity.node_affinity) or NodeAffinity()


def _left(pod: Pod, node: NodeInfo) -> int:
    """Return the mean over CPU and memory of the percentage that the pod leaves."""
    shares = []
    for name, requested in zip(("cpu", "memory"), node.non_zero_requested, strict=True):
        allocatable = node.allocatable[name]
        if allocatable:
            left = allocatable - requested - scored_requests(pod)[name]
            shares.append(max(left, 0) * 100 // allocatable)
    return sum(shares) // len(shares) if shares else 0


def _balance(fractions: Sequence[float]) -> int:
    used = [min(fraction, 1.0) for fraction in fractions]
    if len(used) < 2:
        return 100
    if len(used) == 2:
        return int((1 - abs((used[0] - used[1]) / 2)) * 100)
    mean = sum(used) / len(used)
    return int((1 - math.sqrt(sum((f - mean) * (f - mean) for f in used) / len(used))) * 100)
