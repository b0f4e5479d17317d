"""NodeName: a pod that names its node goes nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.api.pod import Pod
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import Reject

REASON: Final = "node(s) didn't match the requested node name"


class NodeName(Plugin):
    """Keep pods that name a node off all others.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/nodename/node_name.go.
    """

    name = "NodeName"
    requeue_on = frozenset({ClusterEvent.NODE_ADDED})
    reads_pods = False

    def filter(self, pod: Pod, nodes: NodeTable) -> Iterator[Reject]:
        """Reject every other node."""
        if pod.node_name:
            yield Reject(~nodes.mask_of(frozenset({pod.node_name})), REASON, resolvable=False)
