"""Pods counted by topology domain: the nodes with one value of a label are one domain."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec
import numpy as np

from pilotfish.framework.arrays import Ids, Mask, Scores
from pilotfish.framework.node_table import Changes, NodeTable
from pilotfish.framework.pod_info import PodInfo

HOSTNAME: Final = "kubernetes.io/hostname"
ZONE: Final = "topology.kubernetes.io/zone"

K = TypeVar("K", bound=Hashable)


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
        return DomainCounts(column.has_any(), column.sums(pods_on_node)[column.flat_ids])

    @staticmethod
    def none(labels: Sequence[Mapping[str, str]], topology_key: str) -> DomainCounts:
        """Make the counts of domains without pods, for nodes with these labels."""
        has_domain = np.array([topology_key in of_node for of_node in labels], dtype=np.bool_)
        return DomainCounts(has_domain, np.zeros(len(labels), dtype=np.int64))

    def on(self, rows: list[int]) -> DomainCounts:
        """Give the counts of these rows only."""
        return DomainCounts(self.has_domain[rows], self.pods[rows])

    def plus(self, change: Scores | int) -> DomainCounts:
        """Give the counts when each row's domain has that many more, each row on its own."""
        return DomainCounts(self.has_domain, self.pods + np.where(self.has_domain, change, 0))


def counted(
    changes: Mapping[int, Changes], counting: Callable[[PodInfo], Iterable[K]]
) -> dict[K, Scores]:
    """Sum up what changes on each row: int64[len(changes)] by what is counted.

    Args:
        changes: pods added and removed, by row.
        counting: what a pod counts for; what no pod counts for is absent from the result.
    """
    sums: dict[K, list[int]] = {}
    for place, change in enumerate(changes.values()):
        for sign, pods in ((1, change.added), (-1, change.removed)):
            for pod in pods:
                for thing in counting(pod):
                    if thing not in sums:
                        sums[thing] = [0] * len(changes)
                    sums[thing][place] += sign
    return {thing: np.array(amounts, dtype=np.int64) for thing, amounts in sums.items()}
