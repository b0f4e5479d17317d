"""Nodes from which pods may be evicted, as arrays, and the pods that preemption would evict there.

Theory of operation: on each candidate all pods of lower priority leave first. They come back one by
one, those first whose loss would break a disruption budget, then the more important ones; each with
which the pod does not fit is a victim. All candidates are asked at once, a turn being one pod of
each. Who asks decides what "fits" means; here is only the order and what the victims cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import PodDisruptionBudget
from pilotfish.framework.arrays import Amounts, Mask, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.pod_terms import PodSelector
from pilotfish.framework.ranked_pods import FIRST_REQUEST, NOT_STARTED, PRIORITY, STARTED
from pilotfish.framework.selector_set import SelectorSet

PRIORITY_OFFSET: Final = 2**31  # makes every priority a cost, so that fewer victims are cheaper

Places: TypeAlias = NDArray[np.intp]  # indexes of candidates
Budgets: TypeAlias = SelectorSet[str, PodDisruptionBudget]  # by uid


class Costs(NamedTuple):
    """What the victims of each node cost, n numbers each; the first that differ decide.

    Attributes:
        violations: broken budgets.
        highest: the highest priority.
        total: the sum of priorities.
        victims: how many there are.
        earliness: how early the first of the most important ones started.
    """

    violations: Scores
    highest: Scores
    total: Scores
    victims: Scores
    earliness: NDArray[np.float64]


class Candidates(msgspec.Struct, frozen=True):
    """n nodes with pods of lower priority, at most K each.

    Attributes:
        rows: int[n], their rows in the table.
        pods: of each node, in the order in which they come back.
        violating: int64[n], how many of them, the first ones, would break a budget.
        is_there: bool[K, n], whether the node has a pod for this turn.
        priority: int64[K, n].
        started: float64[K, n], in seconds.
        requests: int64[K, R, n], by row of the table; 0 where there is no pod.
    """

    rows: Places
    pods: Sequence[Sequence[PodInfo]]
    violating: Scores
    is_there: Mask
    priority: Scores
    started: NDArray[np.float64]
    requests: Amounts

    def __len__(self) -> int:
        return len(self.rows)

    @staticmethod
    def of(pod: Pod, cluster: Cluster, resolvable: Mask) -> Candidates:
        """Find the resolvable nodes, bool[N], that have pods of lower priority than this one."""
        nodes = cluster.nodes
        rows = np.flatnonzero(resolvable & (nodes.pod_count > 0))
        ranked = [nodes.ranked(row) for row in rows.tolist()]
        height = FIRST_REQUEST + len(nodes.resources)
        amounts = np.concatenate([np.empty((height, 0)), *(one.amounts for one in ranked)], axis=1)
        sizes = np.array([len(one.pods) for one in ranked], dtype=np.intp)
        places = np.repeat(np.arange(len(rows)), sizes)
        is_lower = amounts[PRIORITY] < pod.priority
        lower = np.bincount(places[is_lower], minlength=len(rows))
        first = np.cumsum(sizes) - lower  # the last ones of each node are those of lower priority
        turns = np.arange(len(places)) - first[places]
        dense = np.zeros((height, lower.max(initial=0), len(rows)))
        dense[:, turns[is_lower], places[is_lower]] = amounts[:, is_lower]
        kept = np.flatnonzero(lower)
        dense = dense[:, :, kept]
        pods = [ranked[place].pods[sizes[place] - lower[place] :] for place in kept.tolist()]
        found = Candidates(
            rows[kept],
            pods,
            np.zeros(len(kept), dtype=np.int64),
            np.arange(dense.shape[1])[:, np.newaxis] < lower[kept],
            dense[PRIORITY].astype(np.int64),
            dense[STARTED],
            dense[FIRST_REQUEST:].astype(np.int64).swapaxes(0, 1),
        )
        budgets = _budgets(cluster)
        return found._by_budgets(budgets) if budgets else found

    def at(self, places: Places) -> Candidates:
        """Return some of the candidates."""
        return Candidates(
            self.rows[places],
            [self.pods[place] for place in places.tolist()],
            self.violating[places],
            self.is_there[:, places],
            self.priority[:, places],
            self.started[:, places],
            self.requests[:, :, places],
        )

    def _by_budgets(self, budgets: Budgets) -> Candidates:
        """Put those first whose eviction would break a budget."""
        pods = list(self.pods)
        turns = np.repeat(np.arange(len(self.is_there))[:, np.newaxis], len(self), axis=1)
        violating = self.violating.copy()
        for place, of_node in enumerate(pods):
            is_violating = _violating(of_node, budgets)
            if any(is_violating):
                order = np.argsort(~np.array(is_violating), kind="stable").tolist()
                pods[place] = [of_node[i] for i in order]
                turns[: len(order), place] = order
                violating[place] = sum(is_violating)
        return Candidates(
            self.rows,
            pods,
            violating,
            self.is_there,
            np.take_along_axis(self.priority, turns, 0),
            np.take_along_axis(self.started, turns, 0),
            np.take_along_axis(self.requests, turns[:, np.newaxis], 0),
        )

    def victims(self, is_victim: Mask, place: int) -> tuple[PodInfo, ...]:
        """List the victims of one node, the most important first."""
        turns = np.flatnonzero(is_victim[:, place])
        order = np.lexsort((self.started[turns, place], -self.priority[turns, place]))
        return tuple(self.pods[place][turn] for turn in turns[order].tolist())

    def costs(self, is_victim: Mask) -> Costs:
        """Weigh the victims of each node, bool[K, n].

        Source: kubernetes v1.36 pkg/scheduler/framework/preemption/preemption.go
            (pickOneNodeForPreemption).
        """
        turns = np.arange(len(is_victim))[:, np.newaxis]
        highest = self.priority.max(axis=0, where=is_victim, initial=-PRIORITY_OFFSET)
        is_highest = is_victim & (self.priority == highest)
        return Costs(
            (is_victim & (turns < self.violating)).sum(axis=0),
            highest,
            (self.priority + PRIORITY_OFFSET).sum(axis=0, where=is_victim),
            is_victim.sum(axis=0),
            -self.started.min(axis=0, where=is_highest, initial=NOT_STARTED),
        )

    def cheapest(self, is_victim: Mask) -> Places:
        """Find the nodes whose victims, bool[K, n], cost least, of those that have any."""
        best: Places = np.flatnonzero(is_victim.any(axis=0))
        for cost in self.costs(is_victim) if len(best) else ():
            of_best = cost[best]
            best = best[of_best == of_best.min()]
        return best


def _budgets(cluster: Cluster) -> Budgets:
    budgets: Budgets = SelectorSet({})
    for uid, budget in cluster.budgets.items():
        if budget.spec.selector not in (None, LabelSelector()):  # these select no pod
            namespace = frozenset({budget.namespace})
            budgets.put(uid, (PodSelector(namespace, budget.spec.selector),), budget)
    return budgets


def _violating(pods: Sequence[PodInfo], budgets: Budgets) -> list[bool]:
    """Say of each pod whether its eviction would break a budget, after those before it."""
    violating = []
    left: dict[str, int] = {}
    for pod in pods:
        is_violating = False
        for budget in budgets.selecting(pod.namespace, pod.labels) if pod.labels else ():
            if pod.name in budget.status.disrupted_pods:
                continue  # the API server has counted it
            left[budget.uid] = left.get(budget.uid, budget.status.disruptions_allowed) - 1
            is_violating |= left[budget.uid] < 0
        violating.append(is_violating)
    return violating
