"""DefaultPreemption: which less important pods have to go so that a pod fits.

Theory of operation: a node is a candidate if its rejections are resolvable and it has pods of lower
priority. All candidates are asked at once whether the pod fits without these; where it does, they
are given back one by one, those first whose loss would break a disruption budget, then the more
important ones, and each with which the pod does not fit is a victim. What a node costs only grows
with each victim, so a node that is already worse than a finished one is dropped.

Source: kubernetes v1.36 pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go,
    pkg/scheduler/framework/preemption/preemption.go.
    differs: every candidate is considered; upstream stops at a tenth of the nodes, at least 100,
    from a random one on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import PodDisruptionBudget
from pilotfish.framework.arrays import Mask
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.fit_message import fit_message
from pilotfish.framework.node_table import Changes, NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.post_filter import Decline, Nominate
from pilotfish.framework.profile import RejectedBy
from pilotfish.framework.what_if import WhatIf

NEVER: Final = "not eligible due to preemptionPolicy=Never."
WAITS: Final = "not eligible due to a terminating pod on the nominated node."
NO_VICTIMS: Final = "No preemption victims found for incoming pod"
NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"
PRIORITY_OFFSET: Final = 2**31  # makes every priority a cost, so that fewer victims are cheaper

Budgets: TypeAlias = Mapping[str, Sequence[PodDisruptionBudget]]  # by namespace
Cost: TypeAlias = tuple[int, int, int, int, float]
FREE: Final[Cost] = (0, -PRIORITY_OFFSET, 0, 0, -np.inf)


@dataclass(slots=True, eq=False)
class _Candidate:
    """A node from which pods may be evicted.

    Attributes:
        pods: those of lower priority, in the order in which they are given back.
        violating: how many of them, the first ones, would break a budget.
        cost: of the victims so far: broken budgets, highest priority, sum of priorities, victims,
            and how early the first of the most important ones started.
        refused: the pod given back last, if that was a mistake.
    """

    row: int
    pods: list[PodInfo]
    violating: int
    victims: list[PodInfo] = field(default_factory=list)
    cost: Cost = FREE
    refused: tuple[PodInfo, ...] = ()


class DefaultPreemption(Plugin):
    """Makes room for a pod by evicting pods of lower priority."""

    name = "DefaultPreemption"
    reads = frozenset({"poddisruptionbudgets"})

    def post_filter(
        self, pod: Pod, cluster: Cluster, rejections: Sequence[RejectedBy], what_if: WhatIf
    ) -> Nominate | Decline:
        """Choose a node and its victims, or say why there are none."""
        nodes = cluster.nodes
        if pod.spec.preemption_policy == "Never":
            return Decline(f"preemption: {NEVER}")
        hopeless = _hopeless(rejections, len(nodes))
        if _waits_for_victims(pod, cluster, hopeless):
            return Decline(f"preemption: {WAITS}")
        candidates = _candidates(pod, cluster, ~hopeless)
        unfit: Sequence[RejectedBy] = ()
        if candidates:
            emptied = what_if.changed({one.row: Changes(removed=one.pods) for one in candidates})
            found = emptied.filtered()
            fitting = np.flatnonzero(found.feasible).tolist()
            if fitting:
                chosen = [candidates[place] for place in fitting]
                finished = _reprieve(emptied.rows(fitting), chosen)
                return _best(nodes, finished) if finished else _without_need(nodes, chosen)
            unfit = found.rejections
        rows = np.array([one.row for one in candidates], dtype=np.intp)
        why = _why_not(hopeless, rows, unfit)
        return Decline(f"preemption: {fit_message(len(nodes), why)}", forget_nomination=True)


def _hopeless(rejections: Iterable[RejectedBy], count: int) -> Mask:
    """bool[N]: the nodes on which evicting pods cannot help."""
    hopeless = np.zeros(count, dtype=np.bool_)
    for rejected in rejections:
        if not rejected.resolvable:
            hopeless |= True if rejected.mask is None else rejected.mask
    return hopeless


def _waits_for_victims(pod: Pod, cluster: Cluster, hopeless: Mask) -> bool:
    """Say whether victims of the pod's earlier attempt are still on their way out."""
    row = cluster.nodes.row_of.get(cluster.nominated_node(pod))
    if row is None or hopeless[row]:
        return False
    return any(
        other.priority < pod.priority and cluster.is_being_preempted(other)
        for other in cluster.nodes.pods[row].values()
    )


def _candidates(pod: Pod, cluster: Cluster, resolvable: Mask) -> list[_Candidate]:
    """List the nodes with pods of lower priority."""
    budgets: dict[str, list[PodDisruptionBudget]] = defaultdict(list)
    for budget in cluster.budgets.values():
        if budget.spec.selector not in (None, LabelSelector()):  # these select no pod
            budgets[budget.namespace].append(budget)
    candidates = []
    for row in np.flatnonzero(resolvable).tolist():
        lower = [one for one in cluster.nodes.pods[row].values() if one.priority < pod.priority]
        if lower:
            lower.sort(key=_importance)
            violating = _violating(lower, budgets) if budgets else []
            uids = {one.uid for one in violating}
            others = [one for one in lower if one.uid not in uids]
            candidates.append(_Candidate(row, violating + others, len(violating)))
    return candidates


def _importance(pod: PodInfo) -> tuple[int, float]:
    """Sort the most important pods first: by priority, then those that run for longer."""
    return -pod.priority, _started(pod)


def _started(pod: PodInfo) -> float:
    """Return when a pod started; one that did not will do so last."""
    return np.inf if pod.start_time is None else datetime.fromisoformat(pod.start_time).timestamp()


def _violating(pods: Iterable[PodInfo], budgets: Budgets) -> list[PodInfo]:
    """List the pods whose eviction would break a budget, if those before them were evicted."""
    violating = []
    left: dict[str, int] = {}
    for pod in pods:
        is_violating = False
        for budget in budgets.get(pod.namespace, ()) if pod.labels else ():
            selector, status = budget.spec.selector, budget.status
            if selector is None or not selector.matches(pod.labels):
                continue
            if pod.name in status.disrupted_pods:
                continue  # the API server has counted it
            left[budget.uid] = left.get(budget.uid, status.disruptions_allowed) - 1
            is_violating |= left[budget.uid] < 0
        if is_violating:
            violating.append(pod)
    return violating


def _reprieve(what_if: WhatIf, candidates: list[_Candidate]) -> list[_Candidate]:
    """Give back one pod after the other on all nodes at once, where the pod fits nevertheless.

    Returns:
        The candidates that may be the best; all of their victims are known.
    """
    finished: list[_Candidate] = []
    turn = 0
    while candidates:
        changes = {
            place: Changes(added=one.pods[turn : turn + 1], removed=one.refused)
            for place, one in enumerate(candidates)
        }
        what_if = what_if.changed(changes)
        for one, fits in zip(candidates, what_if.filtered().feasible.tolist(), strict=True):
            one.refused = () if fits else (one.pods[turn],)
            if not fits:
                one.cost = _with_victim(one, one.pods[turn], is_violating=turn < one.violating)
                one.victims.append(one.pods[turn])
        turn += 1
        finished += [one for one in candidates if turn == len(one.pods) and one.victims]
        best = min((one.cost for one in finished), default=None)
        left = [
            place
            for place, one in enumerate(candidates)
            if turn < len(one.pods) and (best is None or one.cost <= best)
        ]
        if len(left) < len(candidates):
            candidates = [candidates[place] for place in left]
            what_if = what_if.rows(left)
    return finished


def _with_victim(candidate: _Candidate, pod: PodInfo, *, is_violating: bool) -> Cost:
    violations, highest, total, count, earliness = candidate.cost
    started = -_started(pod)
    if pod.priority > highest:
        highest, earliness = pod.priority, started
    elif pod.priority == highest:
        earliness = max(earliness, started)
    total += pod.priority + PRIORITY_OFFSET
    return violations + is_violating, highest, total, count + 1, earliness


def _without_need(nodes: NodeTable, fitting: Iterable[_Candidate]) -> Decline:
    """Say that the pod fits with every pod in place: no filter, but a `pre_filter` rejected it."""
    names = sorted(nodes.names[one.row] for one in fitting)
    problems = [f'expected at least one victim pod on node "{name}"' for name in names]
    listed = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
    return Decline(f"preemption: {listed}", is_final=True)


def _best(nodes: NodeTable, finished: Sequence[_Candidate]) -> Nominate:
    """Choose the node whose victims cost least."""
    least = min(one.cost for one in finished)
    first, *others = (
        Nominate(nodes.names[one.row], tuple(sorted(one.victims, key=_importance)))
        for one in finished
        if one.cost == least
    )
    return Nominate(first.node_name, first.victims, tuple(others))


def _why_not(
    hopeless: Mask, rows: NDArray[np.intp], rejections: Sequence[RejectedBy]
) -> Iterable[RejectedBy]:
    """Say of each node why preemption does not help there."""
    name = DefaultPreemption.name
    without_victims = ~hopeless
    without_victims[rows] = False
    if without_victims.any():
        yield RejectedBy(name, NO_VICTIMS, resolvable=False, mask=without_victims)
    if hopeless.any():
        yield RejectedBy(name, NOT_HELPFUL, resolvable=False, mask=hopeless)
    for rejected in rejections:
        mask: Mask = np.zeros(len(hopeless), dtype=np.bool_)
        mask[rows] = rejected.mask
        yield RejectedBy(name, rejected.reason, resolvable=False, mask=mask)
