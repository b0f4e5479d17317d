"""The search for feasible nodes that stops when a share of all nodes is found.

Theory of operation: nodes are searched in an order in which zones take turns, beginning where the
last search ended, so that every node gets its turn. The filters have looked at all nodes at once by
then; what the search would not have reached is taken out again. So a sample costs no less than all
nodes do; it is there for those who want the spread that it brings.

Source: kubernetes v1.36 pkg/scheduler/schedule_one.go (findNodesThatFitPod,
    findNodesThatPassFilters, numFeasibleNodesToFind).
    differs: upstream's workers race, so it may look at a few nodes beyond the last one, and of the
    nodes to which `pre_filter` narrows the search it takes any first. Here the search is that of
    one worker, in order. A percentage of 0 is every node, where upstream chooses one itself.
"""

from __future__ import annotations

import msgspec
import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.profile import Profile
from pilotfish.framework.profile_results import Filtered, RejectedBy

MIN_FEASIBLE_NODES = 100  # upstream minFeasibleNodesToFind: fewer are never enough


class NodeSearch:
    """Where the next search begins; one for all profiles.

    Attributes:
        start: a place in the order of all nodes.
    """

    def __init__(self) -> None:
        self.start = 0

    def found(self, pod: Pod, profile: Profile, cluster: Cluster, filtered: Filtered) -> Filtered:
        """Leave of all feasible and rejected nodes those that the search comes to, and move on."""
        if any(rejection.mask is None for rejection in filtered.rejections):
            return filtered  # the pod is rejected as a whole: there was no search
        order = cluster.search_order
        if filtered.searched is not None:
            order = order[filtered.searched[order]]
        if not len(order):
            return filtered
        order = np.roll(order, -self.start % len(order))
        places = np.flatnonzero(filtered.feasible[order])
        wanted = _wanted(profile, len(order))
        end = int(places[wanted]) if len(places) > wanted else len(order)
        reached = np.zeros(len(cluster.nodes), dtype=np.bool_)
        reached[order[:end]] = True
        tried = cluster.nodes.row_of.get(cluster.nominated_node(pod))  # before the search, in vain
        is_extra = tried is not None and not reached[tried]
        self.start = (self.start + end + is_extra) % len(cluster.nodes)
        if filtered.searched is not None:
            reached |= ~filtered.searched
        masked = [(one, one.mask & reached) for one in filtered.rejections if one.mask is not None]
        rejections: list[RejectedBy] = [
            msgspec.structs.replace(one, mask=mask) for one, mask in masked if mask.any()
        ]
        feasible = filtered.feasible & reached
        return msgspec.structs.replace(filtered, feasible=feasible, rejections=rejections)


def _wanted(profile: Profile, count: int) -> int:
    """Say how many feasible nodes are enough."""
    if not profile.has("score"):
        return 1
    if count < MIN_FEASIBLE_NODES:
        return count
    return max(count * profile.percentage_of_nodes_to_score // 100, MIN_FEASIBLE_NODES)
