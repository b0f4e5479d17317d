"""NodeResourcesBalancedAllocation: a pod goes where it evens out what is used."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import MAX_NODE_SCORE, Mask, Scores
from pilotfish.framework.node_table import FIRST_RESOURCES, NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import SKIP, Skip
from pilotfish.framework.resources import pod_requests

PAIR: Final = 2  # so many fractions have a formula of their own, which rounds differently


class NodeResourcesBalancedAllocation(Plugin):
    """Prefer nodes whose resources the pod makes more evenly used.

    The score is the change of the balance, around 75 for none; the balance is 100 times one minus
    the standard deviation of the used fractions of the resources that the node offers.

    Args:
        resources: what to balance.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go.
    """

    name = "NodeResourcesBalancedAllocation"
    is_verified = True

    def __init__(self, resources: Collection[str] = ("cpu", "memory")) -> None:
        self._resources = tuple(resources)

    def pre_score(self, pod: Pod, nodes: NodeTable) -> Mapping[int, int] | Skip:
        """Return the requests by row of the table; skip a pod that requests nothing of them."""
        requests = {name: pod_requests(pod).get(name, 0) for name in self._resources}
        if not any(requests.values()):
            return SKIP
        return {
            nodes.resources[name]: amount
            for name, amount in requests.items()
            if name in nodes.resources and (amount or name in FIRST_RESOURCES)
        }

    def score(self, nodes: NodeTable, state: Mapping[int, int]) -> Scores:
        """Score nodes by how much more balanced the pod makes them."""
        allocatable = [nodes.allocatable[row] for row in state]
        has = [offered > 0 for offered in allocatable]
        whole = [np.maximum(offered, 1) for offered in allocatable]
        requested = [nodes.requested[row] for row in state]
        with_pod = [taken + more for taken, more in zip(requested, state.values(), strict=True)]
        change = _balance(with_pod, whole, has) - _balance(requested, whole, has)
        half = MAX_NODE_SCORE // 2
        return half + (half + change) // 2


def _balance(requested: Sequence[Scores], whole: Sequence[Scores], has: Sequence[Mask]) -> Scores:
    """Give each node's balance, 50..100; a resource that a node lacks does not count.

    Args:
        requested: int64[N] of each resource.
        whole: the same, what there is of it, 1 where there is nothing.
        has: bool[N] of each resource, whether there is any.
    """
    fractions = [np.minimum(part / of, 1) for part, of in zip(requested, whole, strict=True)]
    if len(fractions) == PAIR:
        deviation = np.abs(fractions[0] - fractions[1]) / 2 * (has[0] & has[1])
    else:
        count = len(fractions), len(has[0]) if has else 0
        deviation = _deviation(np.reshape(fractions, count), np.reshape(has, count))
    balance: Scores = ((1 - deviation) * MAX_NODE_SCORE).astype(np.int64)
    return balance


def _deviation(fractions: NDArray[np.float64], has: NDArray[np.bool_]) -> NDArray[np.float64]:
    """float64[R, N], bool[R, N] -> float64[N]; sums resource by resource, as upstream rounds."""
    count = np.maximum(np.add.reduce(has, axis=0, dtype=np.int64), 1)
    mean = sum(np.where(has, fractions, 0)) / count
    squares = sum(np.where(has, np.square(fractions - mean), 0))
    widest = np.max(fractions, axis=0, where=has, initial=0)
    narrowest = np.min(fractions, axis=0, where=has, initial=1)
    deviation: NDArray[np.float64] = np.sqrt(squares / count)
    return np.where(count == PAIR, (widest - narrowest) / 2, deviation)
