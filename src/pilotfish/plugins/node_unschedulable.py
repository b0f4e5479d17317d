"""NodeUnschedulable: cordoned nodes take no new pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.api.node import Taint
from pilotfish.api.pod import Pod
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import Reject

CORDON: Final = Taint("node.kubernetes.io/unschedulable", "NoSchedule")
REASON: Final = "node(s) were unschedulable"


class NodeUnschedulable(Plugin):
    """Keep pods off cordoned nodes, unless they tolerate the taint that stands for it.

    Source: kubernetes v1.36
        pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go.
    """

    name = "NodeUnschedulable"
    requeue_on = frozenset(
        {
            ClusterEvent.NODE_ADDED,
            ClusterEvent.NODE_TAINTS_CHANGED,
            ClusterEvent.POD_TOLERATIONS_CHANGED,
        }
    )
    reads_pods = False

    def filter(self, pod: Pod, nodes: NodeTable) -> Iterator[Reject]:
        """Reject cordoned nodes."""
        if nodes.unschedulable.any() and not pod.tolerates(CORDON):
            yield Reject(nodes.unschedulable, REASON, resolvable=False)
