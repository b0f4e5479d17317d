"""NodePorts: a host port can be taken once on a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import lookup
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.pod_info import HostPort
from pilotfish.framework.rejection import SKIP, Reject, Skip
from pilotfish.framework.resources import ANY_ADDRESS, host_ports

REASON: Final = "node(s) didn't have free ports for the requested pod ports"


class NodePorts(Plugin):
    """Keep pods off nodes where a host port that they want is taken.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/nodeports/node_ports.go.
    """

    name = "NodePorts"
    requeue_on = frozenset({ClusterEvent.ASSIGNED_POD_DELETED, ClusterEvent.NODE_ADDED})

    def pre_filter(self, pod: Pod) -> tuple[HostPort, ...] | Skip:
        """Return the ports that the pod wants."""
        return host_ports(pod) or SKIP

    def filter(self, nodes: NodeTable, state: tuple[HostPort, ...]) -> Iterator[Reject]:
        """Reject nodes on which a wanted port is taken."""
        taken = lookup(any(_conflict(p, wanted) for wanted in state) for p in nodes.ports.values)
        if taken.any():
            yield Reject(nodes.ports.any_of(taken), REASON)


def _conflict(one: HostPort, other: HostPort) -> bool:
    return (
        one.port == other.port
        and one.protocol == other.protocol
        and (one.ip == other.ip or ANY_ADDRESS in (one.ip, other.ip))
    )
