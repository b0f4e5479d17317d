"""NodeResourcesFit: a pod goes where its requests fit, rather where more is left."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import Scores
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import CPU, FIRST_RESOURCES, MEMORY, NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import Reject
from pilotfish.framework.resources import is_extended, pod_requests, scored_requests
from pilotfish.plugins.scoring_strategies import LeastAllocated, Strategy

CPU_AND_MEMORY: Final[Mapping[str, int]] = {"cpu": 1, "memory": 1}
LEAST_ALLOCATED: Final = LeastAllocated()
NON_ZERO_ROWS: Final = {"cpu": CPU, "memory": MEMORY}  # in `nodes.non_zero_requested`


class NodeResourcesFit(Plugin):
    """Keep pods off nodes without room for them; prefer the least allocated nodes, or others.

    Args:
        strategy: how the requests on a node become its score.
        resources: the weight of each resource in the score.
        ignored_resources: extended resources that need not fit.
        ignored_resource_groups: the same by what stands before the slash.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/noderesources/fit.go,
        resource_allocation.go. differs: the filter also reads the status of the pod, which a
        pending pod does not have; extended resources that a DeviceClass stands for are not looked
        for.
    """

    name = "NodeResourcesFit"
    requeue_on = frozenset(
        {
            ClusterEvent.NODE_ADDED,
            ClusterEvent.NODE_ALLOCATABLE_CHANGED,
            ClusterEvent.ASSIGNED_POD_DELETED,
            ClusterEvent.ASSIGNED_POD_SCALED_DOWN,
            ClusterEvent.POD_SCALED_DOWN,
        }
    )
    reads_pods = False
    is_verified = True

    def __init__(
        self,
        resources: Mapping[str, int] = CPU_AND_MEMORY,
        ignored_resources: Collection[str] = (),
        ignored_resource_groups: Collection[str] = (),
        strategy: Strategy = LEAST_ALLOCATED,
    ) -> None:
        self._strategy = strategy
        self._resources = resources
        self._ignored_resources = frozenset(ignored_resources)
        self._ignored_groups = frozenset(ignored_resource_groups)

    def filter(self, pod: Pod, nodes: NodeTable) -> Iterator[Reject]:
        """Reject nodes where something does not fit, for each thing that does not.

        A node is unresolvable as a whole once one request exceeds what it could ever offer.
        """
        needed = {n: amount for n, amount in pod_requests(pod).items() if self._counts(n, amount)}
        short = {"Too many pods": nodes.pod_count >= nodes.max_pods}
        for name, amount in needed.items():
            allocatable, requested = _columns(nodes, name)
            short[f"Insufficient {name}"] = allocatable - requested < amount
        short = {reason: mask for reason, mask in short.items() if mask.any()}
        if not short:
            return
        hopeless = np.zeros(len(nodes), dtype=np.bool_)
        for name, amount in needed.items():
            hopeless |= _columns(nodes, name)[0] < amount
        for reason, mask in short.items():
            yield Reject(mask & ~hopeless, reason)
            yield Reject(mask & hopeless, reason, resolvable=False)

    def score(self, pod: Pod, nodes: NodeTable) -> Scores:
        """Score nodes by the share of each resource with the pod in place, weighted."""
        requests = scored_requests(pod)
        total = np.zeros(len(nodes), dtype=np.int64)
        weights = np.zeros(len(nodes), dtype=np.int64)
        for name, weight in self._resources.items():
            request = requests.get(name, 0)
            if not request and name not in FIRST_RESOURCES:
                continue
            allocatable, requested = _columns(nodes, name)
            if name in NON_ZERO_ROWS:
                requested = nodes.non_zero_requested[NON_ZERO_ROWS[name]]
            share = self._strategy.share(requested + request, allocatable)
            counted = weight * self._strategy.counts(share, allocatable)
            total += counted * share
            weights += counted
        return self._strategy.mean(total, weights)

    def _counts(self, name: str, amount: int) -> bool:
        if not amount or not is_extended(name):
            return bool(amount)
        group = name.partition("/")[0]
        return name not in self._ignored_resources and group not in self._ignored_groups


def _columns(nodes: NodeTable, name: str) -> tuple[Scores, Scores]:
    """int64[N] each: what nodes offer of a resource, and what is requested of it already."""
    row = nodes.resources.get(name)
    if row is None:
        nothing = np.zeros(len(nodes), dtype=np.int64)
        return nothing, nothing
    return nodes.allocatable[row], nodes.requested[row]
