"""How the topology spread constraints that must hold stand, and how they would stand if."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from pilotfish.framework.arrays import Ids, Mask, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.node_table import Changes
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.selector_set import SelectorSet
from pilotfish.plugins.pod_topology_spread_constraints import Constraint
from pilotfish.plugins.topology import DomainCounts, counted

NO_DOMAIN: Final = 2**31 - 1  # more pods than any domain has


class HardConstraint(msgspec.Struct, frozen=True):
    """A constraint that must hold, and how it stands.

    Attributes:
        most_above: how many pods more than the emptiest domain a domain may have before the pod
            comes to it.
        has_few_domains: whether there are fewer domains than wanted; then the emptiest counts as
            empty.
        counts: matching pods by domain, on nodes that count.
        is_counted: bool[N], the nodes that count.
        fewest_elsewhere: int64[N], the fewest pods that any domain but the node's own has.
    """

    most_above: int
    has_few_domains: bool
    counts: DomainCounts
    is_counted: Mask
    fewest_elsewhere: Scores

    @staticmethod
    def of(constraint: Constraint, is_counted: Mask, cluster: Cluster) -> HardConstraint:
        """Count the pods on the nodes that count."""
        column = cluster.nodes.label(constraint.topology_key)
        ids = column.flat_ids
        by_value = column.sums(constraint.pods_on_node(cluster) * is_counted)
        is_domain = column.found_in(is_counted)
        return HardConstraint(
            constraint.max_skew - constraint.is_own,
            int(np.count_nonzero(is_domain)) < constraint.min_domains,
            DomainCounts(column.has_any(), by_value[ids]),
            is_counted,
            _fewest_elsewhere(np.where(is_domain, by_value, NO_DOMAIN), ids),
        )

    def allows(self) -> Mask:
        """bool[N]: nodes on which the pod would not make its domain too full."""
        pods = self.counts.pods
        if self.has_few_domains:
            return pods <= self.most_above
        # A maxSkew is 1 or more, so the emptiest domain itself is never too full.
        return pods - self.fewest_elsewhere <= self.most_above

    def with_changes(self, rows: list[int], change: Scores | int) -> HardConstraint:
        """Give what it would be like on these rows, each changed on its own."""
        is_counted = self.is_counted[rows]
        return HardConstraint(
            self.most_above,
            self.has_few_domains,
            self.counts.on(rows).plus(change * is_counted),
            is_counted,
            self.fewest_elsewhere[rows],
        )


class SpreadState(msgspec.Struct, frozen=True):
    """The constraints that must hold, and which of them count a pod."""

    constraints: tuple[HardConstraint, ...]
    selectors: SelectorSet[int, int]

    @staticmethod
    def of(cluster: Cluster, constraints: Sequence[tuple[Constraint, Mask]]) -> SpreadState:
        """See how the constraints stand, each on the nodes that it counts."""
        selectors: SelectorSet[int, int] = SelectorSet(cluster.namespaces)
        for i, (constraint, _) in enumerate(constraints):
            selectors.put(i, (constraint.selector,), i)
        standing = (HardConstraint.of(one, mask, cluster) for one, mask in constraints)
        return SpreadState(tuple(standing), selectors)

    def with_changes(self, changes: Mapping[int, Changes]) -> SpreadState:
        """Give the state for an overlay of these rows.

        Source: kubernetes v1.36 pkg/scheduler/framework/plugins/podtopologyspread/filtering.go
            (updateWithPod): here pods that are being deleted count, and the empty selector counts
            every pod.
        """
        change = counted(changes, self._counting)
        rows = list(changes)
        constraints = (
            one.with_changes(rows, change.get(i, 0)) for i, one in enumerate(self.constraints)
        )
        return SpreadState(tuple(constraints), self.selectors)

    def _counting(self, pod: PodInfo) -> list[int]:
        return self.selectors.selecting(pod.namespace, pod.labels)


def _fewest_elsewhere(by_value: Scores, ids: Ids) -> Scores:
    """int64[N]: the least number of a value other than the row's own.

    Args:
        by_value: int64[D + 1], the last one for rows without a value.
        ids: int32[N].
    """
    emptiest = int(np.argmin(by_value))
    fewest = np.full(len(ids), by_value[emptiest])
    others = by_value.copy()
    others[emptiest] = NO_DOMAIN
    fewest[ids == emptiest] = others.min()
    return fewest
