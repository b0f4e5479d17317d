"""One node as an object, for plugins that look at nodes one by one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from pilotfish.api.node import Taint
from pilotfish.framework.pod_info import HostPort, PodInfo

if TYPE_CHECKING:
    from pilotfish.framework.node_table import NodeTable


class NodeInfo:
    """A view of one row of a NodeTable; amounts are milli-CPU, bytes or counts, by resource."""

    __slots__ = ("_nodes", "_row")

    def __init__(self, nodes: NodeTable, row: int) -> None:
        self._nodes = nodes
        self._row = row

    @property
    def name(self) -> str:
        """The node's name."""
        return self._nodes.names[self._row]

    @property
    def labels(self) -> Mapping[str, str]:
        """The node's labels."""
        return MappingProxyType(self._nodes.labels[self._row])

    @property
    def taints(self) -> list[Taint]:
        """The node's taints."""
        return self._nodes.taints.of(self._row)

    @property
    def unschedulable(self) -> bool:
        """Whether the node is cordoned."""
        return bool(self._nodes.unschedulable[self._row])

    @property
    def pods(self) -> Collection[PodInfo]:
        """The pods on the node, assumed ones included."""
        return self._nodes.pods[self._row].values()

    @property
    def max_pods(self) -> int:
        """How many pods the node allows."""
        return int(self._nodes.max_pods[self._row])

    @property
    def allocatable(self) -> dict[str, int]:
        """What the node offers to pods."""
        return self._amounts(self._nodes.allocatable[:, self._row].tolist())

    @property
    def requested(self) -> dict[str, int]:
        """What the pods on the node request."""
        return self._amounts(self._nodes.requested[:, self._row].tolist())

    @property
    def non_zero_requested(self) -> tuple[int, int]:
        """Milli-CPU and memory bytes, with the scoring defaults for containers without requests."""
        milli_cpu, memory_bytes = self._nodes.non_zero_requested[:, self._row].tolist()
        return milli_cpu, memory_bytes

    @property
    def usage(self) -> Mapping[str, int] | None:
        """What the node uses right now, as metrics.k8s.io said last; None where it has not.

        A plugin that asks for it has `reads = {"nodes.metrics.k8s.io"}`.
        """
        return self._nodes.usage.get(self.name)

    @property
    def host_ports(self) -> list[HostPort]:
        """The host ports taken on the node."""
        return self._nodes.ports.of(self._row)

    @property
    def images(self) -> list[str]:
        """The names of the images that the node holds."""
        return self._nodes.images.of(self._row)

    @property
    def declared_features(self) -> list[str]:
        """What the node's kubelet says that it can do."""
        return self._nodes.declared_features.of(self._row)

    def _amounts(self, values: list[int]) -> dict[str, int]:
        return dict(zip(self._nodes.resources, values, strict=True))
