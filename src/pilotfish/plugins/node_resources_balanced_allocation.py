"""NodeResourcesBalancedAllocation: a pod goes where it evens out what is used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import MAX_NODE_SCORE, Scores
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
        rows = list(state)
        requests = np.array(list(state.values()), dtype=np.int64).reshape(-1, 1)  # int64[R, 1]
        allocatable = nodes.allocatable[rows]  # int64[R, N]
        requested = nodes.requested[rows]
        change = _balance(requested + requests, allocatable) - _balance(requested, allocatable)
        half = MAX_NODE_SCORE // 2
        return half + (half + change) // 2


def _balance(requested: Scores, allocatable: Scores) -> Scores:
    """int64[R, N] each -> int64[N], 50..100; a resource that a node lacks does not count."""
    has = allocatable > 0
    fractions = np.minimum(requested / np.maximum(allocatable, 1), 1)  # float64[R, N]
    if len(fractions) == PAIR:
        deviation = np.abs(fractions[0] - fractions[1]) / 2 * (has[0] & has[1])
    else:
        deviation = _deviation(fractions, has)
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
