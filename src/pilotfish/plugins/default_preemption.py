"""DefaultPreemption: which less important pods have to go so that a pod fits.

Theory of operation: a node is a candidate if its rejections are resolvable and it has pods of lower
priority. Where the filters that the pod meets read no more of the pods in place than their sums,
all candidates are asked at once, as sums. Otherwise the sums tell how important a victim on each
node must be at least; the nodes are asked pod by pod, those first that may be cheapest, until no
other node can be cheaper.

Source: kubernetes v1.36 pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go,
    pkg/scheduler/framework/preemption/preemption.go.
    differs: every candidate is considered; upstream stops at a tenth of the nodes, at least 100,
    from a random one on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import Mask, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.fit_message import fit_message
from pilotfish.framework.node_table import Changes, NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.post_filter import Decline, Nominate
from pilotfish.framework.profile_results import RejectedBy
from pilotfish.framework.what_if import WhatIf
from pilotfish.plugins.preemption_candidates import PRIORITY_OFFSET, Candidates, Places

NEVER: Final = "not eligible due to preemptionPolicy=Never."
WAITS: Final = "not eligible due to a terminating pod on the nominated node."
NO_VICTIMS: Final = "No preemption victims found for incoming pod"
NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"


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
        candidates = Candidates.of(pod, cluster, ~hopeless)
        unfit: Sequence[RejectedBy] = ()
        if len(candidates):
            by_sums = not what_if.profile.reads_pods(what_if.states)
            victims = _victims_by_sums if by_sums else _victims_one_by_one
            can_fit, is_victim = victims(what_if, candidates)
            if is_victim.any():
                return _best(nodes, candidates, is_victim)
            if can_fit.any():
                return _without_need(nodes, candidates.rows[can_fit])
            emptied = _emptied_by_sums if by_sums else _emptied
            unfit = emptied(what_if, candidates).filtered().rejections
        why = _why_not(hopeless, candidates.rows, unfit)
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


def _emptied(what_if: WhatIf, candidates: Candidates) -> WhatIf:
    """Ask about the candidates without any of their pods of lower priority."""
    leaving = zip(candidates.rows.tolist(), candidates.pods, strict=True)
    return what_if.changed({row: Changes(removed=pods) for row, pods in leaving})


def _emptied_by_sums(what_if: WhatIf, candidates: Candidates) -> WhatIf:
    """Ask the same of filters that read sums only."""
    there = what_if.rows(candidates.rows.tolist())
    return there.freed(candidates.requests.sum(axis=0), candidates.is_there.sum(axis=0))


def _fits(what_if: WhatIf) -> Mask:
    return what_if.filtered().feasible


def _victims_by_sums(
    what_if: WhatIf, candidates: Candidates, fits: Callable[[WhatIf], Mask] = _fits
) -> tuple[Mask, Mask]:
    """Give pods back, one a turn on all nodes at once, as sums.

    Returns:
        bool[n]: where the pod fits without all of them, and bool[K, n]: the victims there.
    """
    there = what_if.rows(candidates.rows.tolist())
    freed: Scores = candidates.requests.sum(axis=0)
    gone: Scores = candidates.is_there.sum(axis=0)
    can_fit = fits(there.freed(freed, gone))
    is_victim = np.zeros_like(candidates.is_there)
    for turn, has_pod in enumerate(candidates.is_there if can_fit.any() else ()):
        less, fewer = freed - candidates.requests[turn], gone - has_pod
        stays = fits(there.freed(less, fewer))
        is_victim[turn] = has_pod & can_fit & ~stays
        freed, gone = np.where(stays, less, freed), np.where(stays, fewer, gone)
    return can_fit, is_victim


def _victims_one_by_one(what_if: WhatIf, candidates: Candidates) -> tuple[Mask, Mask]:
    """Give pods back one by one, on all nodes that may be cheapest; returns the same."""
    may_fit, by_sums = _victims_by_sums(what_if, candidates, WhatIf.fits_by_sums)
    least = candidates.costs(by_sums).highest
    least[candidates.violating > 0] = -PRIORITY_OFFSET  # these come back in another order
    is_victim = np.zeros_like(by_sums)
    can_fit = np.zeros_like(may_fit)
    for highest in np.unique(least[may_fit]).tolist():
        best = candidates.cheapest(is_victim)[:1]
        costs = candidates.costs(is_victim)
        if len(best) and not costs.violations[best] and costs.highest[best] < highest:
            break
        places = np.flatnonzero(may_fit & (least == highest))
        emptied = _emptied(what_if, candidates.at(places))
        fitting = np.flatnonzero(emptied.filtered().feasible)
        can_fit[places[fitting]] = True
        _reprieve(emptied.rows(fitting.tolist()), candidates, places[fitting], is_victim)
    return can_fit, is_victim


def _reprieve(emptied: WhatIf, candidates: Candidates, places: Places, is_victim: Mask) -> None:
    """Give pods back, one a turn on all nodes at once, and mark the victims.

    Args:
        emptied: asks about the candidates at these places, without their pods; the pod fits.
        candidates: all of them.
        places: see emptied.
        is_victim: bool[K, n], to be written to.
    """
    what_if, asked = emptied, places.tolist()
    refused: dict[int, Sequence[PodInfo]] = dict.fromkeys(asked, ())  # given back by mistake
    for turn, victims in enumerate(is_victim):
        changes = {
            row: Changes(added=candidates.pods[place][turn : turn + 1], removed=refused[place])
            for row, place in enumerate(asked)
            if turn < len(candidates.pods[place])
        }
        if not changes:
            break
        what_if, asked = what_if.changed(changes), [asked[row] for row in changes]
        stays = what_if.filtered().feasible
        victims[asked] = ~stays
        for change, place, fits in zip(changes.values(), asked, stays.tolist(), strict=True):
            refused[place] = () if fits else change.added


def _without_need(nodes: NodeTable, rows: Places) -> Decline:
    """Say that the pod fits with every pod in place: no filter, but a `pre_filter` rejected it."""
    names = sorted(nodes.names[row] for row in rows)
    problems = [f'expected at least one victim pod on node "{name}"' for name in names]
    listed = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
    return Decline(f"preemption: {listed}", is_final=True)


def _best(nodes: NodeTable, candidates: Candidates, is_victim: Mask) -> Nominate:
    """Choose the node whose victims cost least."""
    first, *others = (
        Nominate(nodes.names[candidates.rows[place]], candidates.victims(is_victim, place))
        for place in candidates.cheapest(is_victim).tolist()
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
