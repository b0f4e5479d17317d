"""TaintToleration: taints keep away pods that do not tolerate them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pilotfish.api.node import Taint
from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import (
    MAX_NODE_SCORE,
    Mask,
    Scores,
    lookup,
)
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.id_column import IdColumn
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import Reject
from pilotfish.framework.scores import fewest_is_best

HARD: Final = frozenset({"NoSchedule", "NoExecute"})
SOFT: Final = frozenset({"PreferNoSchedule"})
REASON: Final = "node(s) had untolerated taint(s)"


class TaintToleration(Plugin):
    """Keep pods off nodes whose taints they do not tolerate; prefer fewer soft taints.

    Source: kubernetes v1.36
        pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go.
    """

    name = "TaintToleration"
    requeue_on = frozenset(
        {
            ClusterEvent.NODE_ADDED,
            ClusterEvent.NODE_TAINTS_CHANGED,
            ClusterEvent.POD_TOLERATIONS_CHANGED,
        }
    )
    reads_pods = False
    is_verified = True

    def filter(self, pod: Pod, nodes: NodeTable) -> Iterator[Reject]:
        """Reject nodes with a hard taint that the pod does not tolerate."""
        hard = untolerated(pod, nodes.taints, HARD)
        if hard.any():
            yield Reject(nodes.taints.any_of(hard), REASON, resolvable=False)

    def score(self, pod: Pod, nodes: NodeTable, feasible: Mask) -> Scores:
        """Score nodes by their soft taints that the pod does not tolerate, fewest best."""
        soft = untolerated(pod, nodes.taints, SOFT)
        if not soft.any():
            return np.full(len(nodes), MAX_NODE_SCORE, dtype=np.int64)
        return fewest_is_best(nodes.taints.count_of(soft), feasible)


def untolerated(pod: Pod, taints: IdColumn[Taint], effects: frozenset[str]) -> NDArray[np.bool_]:
    """bool[T + 1]: the taints of these effects that the pod does not tolerate."""
    return lookup(t.effect in effects and not pod.tolerates(t) for t in taints.values)
