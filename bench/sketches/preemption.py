"""A sketch of preemption: which pods would have to go from which node.

Simplified: no disruption budgets, and victims are given back in the order of their start only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.arrays import Mask
from pilotfish.framework.node_table import Changes, NodeTable
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.profile import Filtered, Profile


def find_victims(
    profile: Profile, cache: ClusterCache, pod: Pod, filtered: Filtered, most_candidates: int
) -> dict[int, list[PodInfo]]:
    """Find, by row, the pods that must go for the pod to fit.

    All candidate nodes are asked at once: each is a row of one overlay, and a question of its own.
    """
    lower = _lower_priority(cache, pod, filtered, most_candidates)
    what_if = _WhatIf(profile, pod, cache.nodes, filtered.states)
    what_if = what_if.changed({row: Changes(removed=pods) for row, pods in lower.items()})
    fits = what_if.feasible()
    spared = _reprieve(what_if, lower.values())
    return {
        row: [pod for pod in pods if pod.uid not in spared]
        for (row, pods), fit in zip(lower.items(), fits, strict=True)
        if fit
    }


def _lower_priority(
    cache: ClusterCache, pod: Pod, filtered: Filtered, most_candidates: int
) -> dict[int, list[PodInfo]]:
    hopeless = np.zeros(len(cache.nodes), dtype=np.bool_)
    for rejected in filtered.rejections:
        if not rejected.resolvable and rejected.mask is not None:
            hopeless |= rejected.mask
    rows = np.flatnonzero(~hopeless)[:most_candidates].tolist()
    on_rows = {row: cache.nodes.pods[row].values() for row in rows}
    lower = {row: [p for p in on_rows[row] if p.priority < pod.priority] for row in rows}
    return {row: pods for row, pods in lower.items() if pods}


def _reprieve(what_if: _WhatIf, victims: Collection[Sequence[PodInfo]]) -> set[str]:
    """Give back one pod after the other, on all nodes at once, where the pod fits nevertheless."""
    spared: set[str] = set()
    taken_again: list[Sequence[PodInfo]] = [()] * len(victims)
    for turn in range(max(map(len, victims), default=0)):
        given_back = [pods[turn : turn + 1] for pods in victims]
        both = zip(given_back, taken_again, strict=True)
        what_if = what_if.changed({i: Changes(*change) for i, change in enumerate(both)})
        fits = what_if.feasible().tolist()
        for pods, fit in zip(given_back, fits, strict=True):
            spared.update(pod.uid for pod in pods if fit)
        taken_again = [() if fit else pods for pods, fit in zip(given_back, fits, strict=True)]
    return spared


class _WhatIf(msgspec.Struct, frozen=True):
    """What if: a table, and the plugins' states for it."""

    profile: Profile
    pod: Pod
    nodes: NodeTable
    states: Mapping[str, object]

    def changed(self, changes: Mapping[int, Changes]) -> _WhatIf:
        states = {
            name: state.with_changes(changes) if hasattr(state, "with_changes") else state
            for name, state in self.states.items()
        }
        return _WhatIf(self.profile, self.pod, self.nodes.overlay(changes), states)

    def feasible(self) -> Mask:
        everywhere = np.ones(len(self.nodes), dtype=np.bool_)
        given = Filtered(everywhere, (), self.states)
        return self.profile.refilter(self.pod, self.nodes, given).feasible
