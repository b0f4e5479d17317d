"""A sketch of PodTopologySpread.

Simplified: minDomains, matchLabelKeys, the node inclusion policies and default constraints are
left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec
import numpy as np
from bench.sketches.domains import DomainCounts, counted
from bench.sketches.workload import HOSTNAME

from pilotfish.api.affinity import TopologySpreadConstraint
from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import MAX_NODE_SCORE, Mask, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import Changes
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.pod_terms import PodSelector
from pilotfish.framework.rejection import SKIP, Reject, Skip
from pilotfish.framework.selector_set import SelectorSet

HARD, SOFT = "DoNotSchedule", "ScheduleAnyway"
REASON = "node(s) didn't match pod topology spread constraints"


class HardConstraint(msgspec.Struct, frozen=True):
    """A constraint that must hold, and how it stands.

    Attributes:
        counts: matching pods by domain.
        fewest_elsewhere: int64[N], the fewest that any domain but the node's own has.
        own: 1 if the pod to place matches itself.
    """

    max_skew: int
    counts: DomainCounts
    fewest_elsewhere: Scores
    own: int

    def allows(self) -> Mask:
        """bool[N]: nodes on which the pod would not make its domain too full."""
        fewest = np.minimum(self.counts.pods, self.fewest_elsewhere)
        return self.counts.pods + self.own - fewest <= self.max_skew

    def with_changes(self, rows: list[int], change: Scores) -> HardConstraint:
        """Give what it would be like on these rows, each changed on its own."""
        return HardConstraint(
            self.max_skew,
            self.counts.with_changes(rows, change),
            self.fewest_elsewhere[rows],
            self.own,
        )


class SpreadState(msgspec.Struct, frozen=True):
    """The constraints that must hold, and which of them count a pod."""

    constraints: tuple[HardConstraint, ...]
    selectors: SelectorSet[int, int]

    def with_changes(self, changes: Mapping[int, Changes]) -> SpreadState:
        """Give the state for an overlay of these rows."""
        by_constraint = counted(changes, len(self.constraints), self._counting)
        rows = list(changes)
        constraints = tuple(
            one.with_changes(rows, change)
            for one, change in zip(self.constraints, by_constraint, strict=True)
        )
        return SpreadState(constraints, self.selectors)

    def _counting(self, pod: PodInfo) -> list[int]:
        return [] if pod.is_terminating else self.selectors.selecting(pod.namespace, pod.labels)


class PodTopologySpread(Plugin):
    """Keep matching pods even over the domains of a topology."""

    name = "PodTopologySpread"
    requeue_on = frozenset({ClusterEvent.ASSIGNED_POD_ADDED, ClusterEvent.ASSIGNED_POD_DELETED})

    def pre_filter(self, pod: Pod, cluster: Cluster) -> SpreadState | Skip:
        """Count the matching pods of each hard constraint."""
        hard = _constraints(pod, HARD)
        if not hard:
            return SKIP
        selectors: SelectorSet[int, int] = SelectorSet(cluster.namespaces)
        for i, constraint in enumerate(hard):
            selectors.put(i, (_selector(pod, constraint),), i)
        return SpreadState(tuple(_standing(pod, c, cluster) for c in hard), selectors)

    def filter(self, state: SpreadState) -> Iterator[Reject]:
        """Reject nodes without the label, and nodes whose domain would be too full."""
        for constraint in state.constraints:
            missing = ~constraint.counts.has_domain
            if missing.any():
                yield Reject(missing, f"{REASON} (missing required label)", resolvable=False)
            yield Reject(~constraint.allows() & ~missing, REASON)

    def pre_score(self, pod: Pod, cluster: Cluster, feasible: Mask) -> Scores | Skip:
        """Weigh the matching pods of each soft constraint; fewer is better."""
        soft = _constraints(pod, SOFT)
        if not soft:
            return SKIP
        total = np.zeros(len(feasible), dtype=np.float64)
        for constraint in soft:
            on_node = cluster.matching_pods(_selector(pod, constraint)).staying
            if constraint.topology_key == HOSTNAME:
                total += on_node * math.log(np.count_nonzero(feasible) + 2)
            else:
                pods = DomainCounts.of(cluster.nodes, constraint.topology_key, on_node).pods
                ids = cluster.nodes.label(constraint.topology_key).flat_ids[feasible]
                total += pods * math.log(len(np.unique(ids[ids >= 0])) + 2)
            total += constraint.max_skew - 1
        return np.rint(total).astype(np.int64)

    def score(self, state: Scores, feasible: Mask) -> Scores:
        """Turn the weights around, over the feasible nodes."""
        highest, lowest = int(state[feasible].max()), int(state[feasible].min())
        if highest == 0:
            return np.full(len(state), MAX_NODE_SCORE, dtype=np.int64)
        return MAX_NODE_SCORE * (highest + lowest - state) // highest


def _constraints(pod: Pod, kind: str) -> list[TopologySpreadConstraint]:
    return [c for c in pod.spec.topology_spread_constraints if c.when_unsatisfiable == kind]


def _standing(pod: Pod, given: TopologySpreadConstraint, cluster: Cluster) -> HardConstraint:
    selector = _selector(pod, given)
    column = cluster.nodes.label(given.topology_key)
    ids = column.flat_ids
    by_value = column.sums(cluster.matching_pods(selector).staying)
    domains = np.unique(ids[ids >= 0])
    emptiest = domains[np.argsort(by_value[domains], kind="stable")][:2]
    fewest = np.full(len(ids), by_value[emptiest[0]] if len(emptiest) else 0)
    if len(emptiest) > 1:
        fewest[ids == emptiest[0]] = by_value[emptiest[1]]
    return HardConstraint(
        given.max_skew,
        DomainCounts(ids >= 0, by_value[ids]),
        fewest,
        int(selector.matches(pod.namespace, pod.labels, cluster.namespaces)),
    )


def _selector(pod: Pod, constraint: TopologySpreadConstraint) -> PodSelector:
    return PodSelector(frozenset({pod.namespace}), constraint.label_selector)
