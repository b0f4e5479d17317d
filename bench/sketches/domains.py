"""Pods counted by topology domain, with what-if questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec
import numpy as np

from pilotfish.framework.arrays import Amounts, Ids, Mask, Scores
from pilotfish.framework.node_table import Changes, NodeTable
from pilotfish.framework.pod_info import PodInfo


class DomainCounts(msgspec.Struct, frozen=True):
    """How many pods the topology domain of each node has.

    Attributes:
        has_domain: bool[N], the nodes with the topology label.
        pods: int64[N], 0 where there is no domain.
    """

    has_domain: Mask
    pods: Scores

    @staticmethod
    def of(nodes: NodeTable, topology_key: str, pods_on_node: Ids | Scores) -> DomainCounts:
        """Sum counts a node, int[N], over the domains."""
        column = nodes.label(topology_key)
        ids = column.flat_ids
        return DomainCounts(ids >= 0, column.sums(pods_on_node)[ids])

    def with_changes(self, rows: list[int], change: Scores) -> DomainCounts:
        """Give the counts of these rows' domains, int64[len(rows)], each changed on its own."""
        has_domain = self.has_domain[rows]
        return DomainCounts(has_domain, self.pods[rows] + np.where(has_domain, change, 0))


def counted(
    changes: Mapping[int, Changes], counts: int, counting: Callable[[PodInfo], Iterable[int]]
) -> Amounts:
    """Sum up what changes on each row: int64[counts, len(changes)].

    Args:
        changes: pods added and removed, by row.
        counts: how many things are counted.
        counting: which of them a pod counts for.
    """
    sums = [[0] * len(changes) for _ in range(counts)]
    for row, change in enumerate(changes.values()):
        for pod in change.added:
            for i in counting(pod):
                sums[i][row] += 1
        for pod in change.removed:
            for i in counting(pod):
                sums[i][row] -= 1
    return np.array(sums, dtype=np.int64).reshape(counts, len(changes))
