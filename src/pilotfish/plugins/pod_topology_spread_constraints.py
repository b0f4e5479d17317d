"""Topology spread constraints with everything filled in, and which nodes they count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from pilotfish.api.affinity import TopologySpreadConstraint
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector, LabelSelectorRequirement
from pilotfish.framework.arrays import Ids, Mask
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.pod_terms import PodSelector
from pilotfish.plugins.node_selection import wanted_by
from pilotfish.plugins.taint_toleration import HARD, untolerated
from pilotfish.plugins.topology import HOSTNAME, ZONE

MUST: Final = "DoNotSchedule"
SHOULD: Final = "ScheduleAnyway"

SYSTEM_DEFAULTS: Final = (
    TopologySpreadConstraint(3, HOSTNAME, SHOULD),
    TopologySpreadConstraint(5, ZONE, SHOULD),
)
"""Source: kubernetes v1.36 pkg/scheduler/framework/plugins/podtopologyspread/plugin.go."""


class Constraint(msgspec.Struct, frozen=True):
    """A topology spread constraint of one pod.

    Attributes:
        selector: the pods that it counts.
        is_own: whether the pod to place is one of them.
        honors_affinity: nodes that the pod does not select do not count.
        honors_taints: nodes with hard taints that the pod does not tolerate do not count.
    """

    max_skew: int
    topology_key: str
    selector: PodSelector
    is_own: bool
    min_domains: int
    honors_affinity: bool
    honors_taints: bool

    @staticmethod
    def of(pod: Pod, given: TopologySpreadConstraint, selector: LabelSelector | None) -> Constraint:
        """Fill in what the constraint leaves open.

        Source: kubernetes v1.36 pkg/scheduler/framework/plugins/podtopologyspread/common.go
            (filterTopologySpreadConstraints).
        """
        return Constraint(
            max_skew=given.max_skew,
            topology_key=given.topology_key,
            selector=PodSelector(frozenset({pod.namespace}), selector),
            is_own=selector is not None and selector.matches(pod.labels),
            min_domains=1 if given.min_domains is None else given.min_domains,
            honors_affinity=given.node_affinity_policy != "Ignore",
            honors_taints=given.node_taints_policy == "Honor",
        )

    def pods_on_node(self, cluster: Cluster) -> Ids:
        """Count the pods on each node, int[N], without those that are being deleted.

        The empty selector counts none, though it selects every pod.

        Source: kubernetes v1.36 pkg/scheduler/framework/plugins/podtopologyspread/common.go
            (countPodsMatchSelector).
        """
        selector = self.selector.label_selector
        if selector is None or is_empty(selector):
            return np.zeros(len(cluster.nodes), dtype=np.int32)
        return cluster.matching_pods(self.selector).staying


def own_constraints(pod: Pod, when_unsatisfiable: str) -> list[Constraint]:
    """List the constraints of one kind that a pod has itself."""
    return [
        Constraint.of(pod, given, _with_label_keys(given, pod))
        for given in pod.spec.topology_spread_constraints
        if given.when_unsatisfiable == when_unsatisfiable
    ]


def default_constraints(
    pod: Pod, defaults: Sequence[TopologySpreadConstraint], cluster: Cluster
) -> list[Constraint]:
    """Make constraints of the defaults, for the pods of the same services and controller.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/podtopologyspread/common.go
        (buildDefaultConstraints).
    """
    if not defaults:
        return []
    selector = cluster.default_selector(pod)
    return [] if is_empty(selector) else [Constraint.of(pod, one, selector) for one in defaults]


def counted_nodes(
    pod: Pod, nodes: NodeTable, constraints: Sequence[Constraint], among: Mask
) -> Iterator[Mask]:
    """Say for each constraint which of these nodes it counts, bool[N]."""
    wanted = wanted_by(pod, nodes) if any(one.honors_affinity for one in constraints) else None
    tainted = None
    if any(one.honors_taints for one in constraints):
        tainted = nodes.taints.any_of(untolerated(pod, nodes.taints, HARD))
    for one in constraints:
        mask = among
        if one.honors_affinity and wanted is not None:
            mask = mask & wanted
        if one.honors_taints and tainted is not None:
            mask = mask & ~tainted
        yield mask


def has_all_keys(nodes: NodeTable, constraints: Sequence[Constraint]) -> Mask:
    """bool[N]: nodes that have the topology label of every constraint."""
    mask = np.ones(len(nodes), dtype=np.bool_)
    for one in constraints:
        mask &= nodes.label(one.topology_key).has_any()
    return mask


def is_empty(selector: LabelSelector) -> bool:
    """Say whether a selector has no condition."""
    return not selector.match_labels and not selector.match_expressions


def _with_label_keys(given: TopologySpreadConstraint, pod: Pod) -> LabelSelector | None:
    """Add what the pod's own labels say for matchLabelKeys; the absent selector stays absent."""
    selector = given.label_selector
    if selector is None:
        return None
    same = tuple(
        LabelSelectorRequirement(key, "In", (pod.labels[key],))
        for key in given.match_label_keys
        if key in pod.labels
    )
    if not same:
        return selector
    return LabelSelector(selector.match_labels, (*selector.match_expressions, *same))
