"""PodTopologySpread: matching pods lie evenly over the domains of a topology."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotfish.api.affinity import TopologySpreadConstraint
from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import MAX_NODE_SCORE, Ids, Mask, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import SKIP, Reject, Skip
from pilotfish.plugins.pod_topology_spread_constraints import (
    MUST,
    SHOULD,
    SYSTEM_DEFAULTS,
    Constraint,
    counted_nodes,
    default_constraints,
    has_all_keys,
    own_constraints,
)
from pilotfish.plugins.pod_topology_spread_state import SpreadState
from pilotfish.plugins.topology import HOSTNAME

REASON: Final = "node(s) didn't match pod topology spread constraints"
REASON_LABEL: Final = f"{REASON} (missing required label)"


class SpreadScore(msgspec.Struct, frozen=True):
    """How crowded each node's domains are.

    Attributes:
        raw: int64[N], fewer is better.
        is_scored: bool[N], the feasible nodes that are judged by it; others score 0.
    """

    raw: Scores
    is_scored: Mask


class PodTopologySpread(Plugin):
    """Keep matching pods even over domains, by the pod's own constraints or by default ones.

    Args:
        default_constraints: for pods without constraints of their own, where `defaulting_type` is
            "List".
        defaulting_type: "System" spreads the pods of a service or controller softly, over nodes
            and zones.

    Raises:
        ValueError: default constraints are given that the defaulting type passes over.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/podtopologyspread/.
    """

    name = "PodTopologySpread"
    requeue_on = frozenset(
        {
            ClusterEvent.ASSIGNED_POD_ADDED,
            ClusterEvent.ASSIGNED_POD_DELETED,
            ClusterEvent.ASSIGNED_POD_LABELS_CHANGED,
            ClusterEvent.POD_LABELS_CHANGED,
            ClusterEvent.POD_TOLERATIONS_CHANGED,
            ClusterEvent.NODE_ADDED,
            ClusterEvent.NODE_DELETED,
            ClusterEvent.NODE_LABELS_CHANGED,
            ClusterEvent.NODE_TAINTS_CHANGED,
        }
    )
    is_verified = True

    def __init__(
        self,
        *,
        default_constraints: Sequence[TopologySpreadConstraint] = (),
        defaulting_type: Literal["System", "List"] = "System",
    ) -> None:
        self._has_system_defaults = defaulting_type == "System"
        if self._has_system_defaults and default_constraints:
            raise ValueError('default constraints need the defaulting type "List"')
        defaults = SYSTEM_DEFAULTS if self._has_system_defaults else tuple(default_constraints)
        self._defaults = {
            kind: [one for one in defaults if one.when_unsatisfiable == kind]
            for kind in (MUST, SHOULD)
        }
        if defaults:
            self.reads = frozenset(
                {"services", "replicationcontrollers", "replicasets", "statefulsets"}
            )

    def pre_filter(self, pod: Pod, cluster: Cluster, nodes: NodeTable) -> SpreadState | Skip:
        """Count the matching pods of each constraint that must hold."""
        must = self._constraints(pod, MUST, cluster)
        if not must:
            return SKIP
        among = has_all_keys(nodes, must)
        counted = counted_nodes(pod, nodes, must, among)
        return SpreadState.of(cluster, list(zip(must, counted, strict=True)))

    def filter(self, state: SpreadState, alive: Mask) -> Iterator[Reject]:
        """Reject nodes without a label, and nodes whose domain would be too full.

        A node is rejected for the first constraint that it does not meet.
        """
        left = alive
        for constraint in state.constraints:
            has_domain = constraint.counts.has_domain
            yield Reject(left & ~has_domain, REASON_LABEL, resolvable=False)
            left = left & has_domain
            allowed = constraint.allows()
            yield Reject(left & ~allowed, REASON)
            left = left & allowed

    def pre_score(
        self, pod: Pod, cluster: Cluster, nodes: NodeTable, feasible: Mask
    ) -> SpreadScore | Skip:
        """Weigh the matching pods of each constraint that should hold.

        Nodes without the label of a constraint are not scored; by the system's defaults, those of
        its labels count that a node has.
        """
        should = self._constraints(pod, SHOULD, cluster)
        if not should:
            return SKIP
        among = np.ones(len(nodes), dtype=np.bool_)
        if pod.spec.topology_spread_constraints or not self._has_system_defaults:
            among = has_all_keys(nodes, should)
        is_scored = feasible & among
        total = np.zeros(len(nodes), dtype=np.float64)
        counted = counted_nodes(pod, nodes, should, among)
        for constraint, is_counted in zip(should, counted, strict=True):
            pods: Ids | Scores = constraint.pods_on_node(cluster)
            has_domain = nodes.label(constraint.topology_key).has_any()
            if constraint.topology_key == HOSTNAME:  # each node is a domain, and counts
                domains = int(np.count_nonzero(is_scored))
            else:
                pods, domains = _by_domain(nodes, constraint, pods * is_counted, is_scored)
            crowd = pods * math.log(domains + 2) + (constraint.max_skew - 1)
            total += np.where(has_domain, crowd, 0.0)
        return SpreadScore(_rounded(total), is_scored)

    def score(self, state: SpreadScore) -> Scores:
        """Turn the weights around, over the nodes that are scored.

        Source: kubernetes v1.36 pkg/scheduler/framework/plugins/podtopologyspread/scoring.go
            (NormalizeScore).
        """
        raw, is_scored = state.raw, state.is_scored
        highest = int(np.max(raw, where=is_scored, initial=0))
        if not highest:
            return is_scored * np.int64(MAX_NODE_SCORE)
        lowest = int(np.min(raw, where=is_scored, initial=highest))
        return is_scored * (MAX_NODE_SCORE * (highest + lowest - raw) // highest)

    def _constraints(self, pod: Pod, kind: str, cluster: Cluster) -> list[Constraint]:
        if pod.spec.topology_spread_constraints:
            return own_constraints(pod, kind)
        return default_constraints(pod, self._defaults[kind], cluster)


def _by_domain(
    nodes: NodeTable, constraint: Constraint, pods_on_node: Ids | Scores, is_scored: Mask
) -> tuple[Scores, int]:
    """Give the pods of each node's domain, int64[N], and the number of domains with scored nodes.

    Nodes without the label are one domain, and the same as that of the empty value: they matter
    where not every label is needed.
    """
    column = nodes.label(constraint.topology_key)
    ids = column.flat_ids
    empty = column.id_of("")
    places = np.where(ids < 0, max(empty, -1), ids) + 1
    sums = np.bincount(places, pods_on_node).astype(np.int64)
    return sums[places], int(np.count_nonzero(np.bincount(places[is_scored])))


def _rounded(numbers: NDArray[np.float64]) -> Scores:
    """Round non-negative numbers, halves up; NumPy would round them to even."""
    whole = np.floor(numbers)
    return whole.astype(np.int64) + (2 * (numbers - whole) >= 1)
