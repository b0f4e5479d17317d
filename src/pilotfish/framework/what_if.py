"""What-if questions: would a pod fit on some nodes if other pods were there, or were not?

Theory of operation: a question is a small table, an overlay of the rows asked about, and the
plugins' states for it; each row is a question of its own. The answer is that of the profile's
filters, so that no rule exists twice.

Room that was made for a pod is not for others: a node counts as feasible only if the pod fits
both beside the pods that are nominated there, of its own priority or a higher one, and without
them, since they may still go elsewhere.

Source: kubernetes v1.36 pkg/scheduler/framework/runtime/framework.go
    (RunFilterPluginsWithNominatedPods).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import Amounts, Mask, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.node_table import Changes, NodeTable
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.profile import Profile
from pilotfish.framework.profile_results import Filtered, RejectedBy


class WhatIf(msgspec.Struct, frozen=True):
    """A pod, a table, and the plugins' states for it.

    Attributes:
        nominated: pods to which the pod must leave their room, by node.
    """

    profile: Profile
    pod: Pod
    nodes: NodeTable
    states: Mapping[str, object]
    nominated: Mapping[str, Sequence[PodInfo]]

    @classmethod
    def of(
        cls, profile: Profile, pod: Pod, cluster: Cluster, states: Mapping[str, object]
    ) -> WhatIf:
        """Begin with the cluster as it is."""
        nominated: dict[str, Sequence[PodInfo]] = {}
        for node_name, others in cluster.nominated_pods.items():
            stronger = [p for p in others if p.priority >= pod.priority and p.uid != pod.uid]
            if stronger and node_name in cluster.nodes.row_of:
                nominated[node_name] = stronger
        return cls(profile, pod, cluster.nodes, states, nominated)

    def changed(self, changes: Mapping[int, Changes]) -> WhatIf:
        """Ask about these rows only, in this order, with pods added and removed."""
        states = {name: _changed(state, changes) for name, state in self.states.items()}
        nodes = self.nodes.overlay(changes)
        return WhatIf(self.profile, self.pod, nodes, states, self.nominated)

    def rows(self, rows: Iterable[int]) -> WhatIf:
        """Ask about these rows only, in this order."""
        return self.changed(dict.fromkeys(rows, Changes()))

    def freed(self, requests: Amounts, pods: Scores) -> WhatIf:
        """Ask as if so many pods were gone from each row, int64[N], with these requests.

        Only filters that do not read which pods are in place see it.

        Args:
            requests: int64[R, N].
            pods: int64[N].
        """
        return msgspec.structs.replace(self, nodes=self.nodes.freed(requests, pods))

    def fits_by_sums(self) -> Mask:
        """bool[N]: where no filter that does not read which pods are in place says no."""
        everywhere = np.ones(len(self.nodes), dtype=np.bool_)
        given = Filtered(everywhere, (), self.states)
        return self.profile.refilter(self.pod, self.nodes, given, by_sums=True).feasible

    def filtered(self) -> Filtered:
        """Run the filters on every row."""
        everywhere = np.ones(len(self.nodes), dtype=np.bool_)
        alone = self.profile.refilter(self.pod, self.nodes, Filtered(everywhere, (), self.states))
        return self.beside_nominated(alone)

    def beside_nominated(self, alone: Filtered) -> Filtered:
        """Take from the feasible rows those on which the pod fits only without nominated pods."""
        row_of = self.nodes.row_of
        added = {
            row_of[name]: Changes(added=pods)
            for name, pods in self.nominated.items()
            if name in row_of and (alone.searched is None or alone.searched[row_of[name]])
        }
        if not added:
            return alone
        beside = self.changed(added)
        everywhere = np.ones(len(added), dtype=np.bool_)
        given = Filtered(everywhere, (), beside.states)
        found = self.profile.refilter(self.pod, beside.nodes, given)
        rows = np.fromiter(added, np.intp, len(added))
        full = rows[~found.feasible]
        if not len(full):
            return alone
        feasible = alone.feasible.copy()
        feasible[full] = False
        rejections = [*_without(alone.rejections, full)]
        rejections += [_spread(one, rows, len(self.nodes)) for one in found.rejections]
        return Filtered(feasible, rejections, alone.states, alone.searched)


def _changed(state: Any, changes: Mapping[int, Changes]) -> object:
    return state.with_changes(changes) if hasattr(state, "with_changes") else state


def _without(rejections: Sequence[RejectedBy], rows: NDArray[np.intp]) -> list[RejectedBy]:
    """Leave these rows out of the rejections."""
    left = []
    for one in rejections:
        if one.mask is None:
            left.append(one)
            continue
        mask = one.mask.copy()
        mask[rows] = False
        if mask.any():
            left.append(msgspec.structs.replace(one, mask=mask))
    return left


def _spread(rejected: RejectedBy, rows: NDArray[np.intp], count: int) -> RejectedBy:
    """Carry a rejection over from an overlay of these rows to the whole table."""
    mask: Mask = np.zeros(count, dtype=np.bool_)
    mask[rows] = rejected.mask
    return msgspec.structs.replace(rejected, mask=mask)
