"""The nodes as columns: what plugins read, what the cache writes.

Theory of operation: one row a node, the row being the last axis of each array, so that a plugin's
work is a few array operations whatever the number of nodes. Writes are one-step: a pod that comes
or goes touches the few numbers of its row, a node that goes is replaced by the last row. Nothing is
ever rebuilt for a cycle. An `overlay` is a small table of its own, made of some rows with pods
added or removed, on which plugins run unchanged: it answers what-if questions.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from pilotfish.api.node import ContainerImage, Node, Taint
from pilotfish.framework.arrays import Amounts, Mask, Scores
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.id_column import IdColumn
from pilotfish.framework.invariants import require
from pilotfish.framework.label_columns import LabelColumns
from pilotfish.framework.node_info import NodeInfo
from pilotfish.framework.pod_info import HostPort, PodInfo
from pilotfish.framework.ranked_pods import FIRST_REQUEST, RankedPods
from pilotfish.framework.rows import Column, Rows
from pilotfish.framework.volumes import Attachment, NodeDrivers, VolumeUse

CPU, MEMORY, EPHEMERAL_STORAGE = range(3)  # rows of `allocatable` and `requested` that always exist
FIRST_RESOURCES: Final = ("cpu", "memory", "ephemeral-storage")


class Changes(msgspec.Struct, frozen=True):
    """What if these pods were on a node, or not."""

    added: Sequence[PodInfo] = ()
    removed: Sequence[PodInfo] = ()


class NodeTable:
    """Columns over N nodes.

    Attributes:
        names, row_of: the node of each row, and the row of each node.
        pods: the pods on each row, by uid.
        resources: the row of `allocatable` and `requested` that a resource has, by name.
        taints, ports: each node's taints, and the host ports taken on it.
        images: each node's images under each of their names.
        declared_features: what each node's kubelet says that it can do.
        volumes: the claims and disks of the pods on each node.
        drivers: what CSI drivers say of each node, at most one entry.
        attachments: the volumes attached to each node.
        image_bytes: the size of an image name, as the first node that had it said.
        usage: what a node uses right now, by its name; absent where that is not known.
    """

    def __init__(self) -> None:
        self._rows = Rows()
        self.names: list[str] = []
        self.row_of: dict[str, int] = {}
        self.pods: list[dict[str, PodInfo]] = []
        self._ranked: list[RankedPods | None] = []
        self.resources: dict[str, int] = {name: i for i, name in enumerate(FIRST_RESOURCES)}
        self.image_bytes: dict[str, int] = {}
        self.usage: dict[str, dict[str, int]] = {}
        self.taints: IdColumn[Taint] = IdColumn(self._rows)
        self.ports: IdColumn[HostPort] = IdColumn(self._rows)
        self.images: IdColumn[str] = IdColumn(self._rows)
        self.declared_features: IdColumn[str] = IdColumn(self._rows)
        self.volumes: IdColumn[VolumeUse] = IdColumn(self._rows)
        self.drivers: IdColumn[NodeDrivers] = IdColumn(self._rows)
        self.attachments: IdColumn[Attachment] = IdColumn(self._rows)
        self._labels = LabelColumns(self._rows)
        column = self._rows.column
        self._allocatable = column(np.int64, height=len(FIRST_RESOURCES))
        self._requested = column(np.int64, height=len(FIRST_RESOURCES))
        self._non_zero_requested = column(np.int64, height=2)
        self._max_pods = column(np.int64)
        self._pod_count = column(np.int64)
        self._unschedulable = column(np.bool_)

    def __len__(self) -> int:
        return self._rows.count

    # What plugins read.

    @property
    def allocatable(self) -> Amounts:
        """int64[R, N]: milli-CPU, bytes or counts; `resources` names the rows."""
        return self._allocatable.view

    @property
    def requested(self) -> Amounts:
        """int64[R, N]: the sum of what the pods on each node request."""
        return self._requested.view

    @property
    def non_zero_requested(self) -> Amounts:
        """int64[2, N]: milli-CPU and memory bytes, with scoring defaults where nothing is asked."""
        return self._non_zero_requested.view

    @property
    def max_pods(self) -> Scores:
        """int64[N]: how many pods each node allows."""
        return self._max_pods.view

    @property
    def pod_count(self) -> Scores:
        """int64[N]: how many pods each node has."""
        return self._pod_count.view

    @property
    def unschedulable(self) -> Mask:
        """bool[N]: cordoned nodes."""
        return self._unschedulable.view

    @property
    def labels(self) -> Sequence[dict[str, str]]:
        """The labels of each row."""
        return self._labels.by_row

    def label(self, key: str) -> IdColumn[str]:
        """Return the values of one label, at most one a node."""
        return self._labels.column(key)

    def mask_of(self, names: frozenset[str]) -> Mask:
        """bool[N]: the rows of these nodes; unknown names are passed over."""
        mask = np.zeros(len(self), dtype=np.bool_)
        mask[[self.row_of[name] for name in names if name in self.row_of]] = True
        return mask

    def node(self, row: int) -> NodeInfo:
        """Return one node as an object, for plugins that look at nodes one by one."""
        return NodeInfo(self, row)

    def ranked(self, row: int) -> RankedPods:
        """Return the pods of a row by importance; kept until one comes or goes."""
        known = self._ranked[row]
        if known is None or len(known.amounts) != FIRST_REQUEST + len(self.resources):
            known = self._ranked[row] = RankedPods.of(self.pods[row].values(), self.resources)
        return known

    def freed(self, requests: Amounts, pods: Scores) -> NodeTable:
        """Return this table as if so many pods, int64[N], were gone, and requests, int64[R, N].

        Only `requested` and `pod_count` show it. It is good until this table is written to.
        """
        table = copy.copy(self)
        table._requested = self._requested.minus(requests)
        table._pod_count = self._pod_count.minus(pods)
        return table

    def overlay(self, changes: Mapping[int, Changes]) -> NodeTable:
        """Return a table of only these rows, in the order given, with pods added and removed.

        Ids of taints, ports, images and label values keep their meaning in it. It is good until
        this table is written to.
        """
        chosen = list(changes)
        table = copy.copy(self)
        table._rows = rows = Rows(len(chosen))
        table.names = [self.names[row] for row in chosen]
        table.row_of = {name: row for row, name in enumerate(table.names)}
        table._labels = self._labels.subset(rows, chosen)
        table.pods = [
            dict(self.pods[row]) if change.added or change.removed else self.pods[row]
            for row, change in changes.items()
        ]
        table.resources = dict(self.resources)
        table._ranked = [None] * len(chosen)
        for name, value in vars(self).items():
            if isinstance(value, Column | IdColumn):
                setattr(table, name, value.subset(rows, chosen))
        table._change_pods(changes.values())
        return table

    # What the cache writes.

    def column(self, dtype: Any, *, height: int | None = None) -> Column:
        """Add a column of the caller's own, zero at first, that follows the nodes' rows."""
        return self._rows.column(dtype, height=height)

    def set_node(self, node: Node) -> set[ClusterEvent]:
        """Insert a node, or bring its row up to date, and say what that changes; its pods stay.

        A node that differs in nothing touches no column.
        """
        row = self.row_of.get(node.name)
        if row is None:
            self._write_node(self._append(node.name), node)
            return {ClusterEvent.NODE_ADDED}
        return self._write_node(row, node)

    def remove_node(self, name: str) -> list[PodInfo]:
        """Remove a node and return the pods that were on it."""
        row = self.row_of.pop(name)
        orphans = list(self.pods[row].values())
        self._set_images(row, ())
        for column in self._id_columns():
            column.clear(row)  # also where it holds nothing: another row moves here
        last = self._rows.remove(row)
        self._labels.remove(row)
        if row != last:
            self.names[row] = self.names[last]
            self.pods[row] = self.pods[last]
            self._ranked[row] = self._ranked[last]
            self.row_of[self.names[row]] = row
        del self.names[last], self.pods[last], self._ranked[last]
        return orphans

    def add_pod(self, row: int, pod: PodInfo) -> None:
        """Count a pod on a row."""
        self._put(row, pod)
        self._ranked[row] = None
        self._account(row, pod, 1)

    def remove_pod(self, row: int, uid: str) -> PodInfo:
        """Stop counting a pod on its row, and return it."""
        pod = self.pods[row][uid]
        self._take(row, pod)
        self._ranked[row] = None
        self._account(row, pod, -1)
        return pod

    def resource_row(self, name: str) -> int:
        """Return a resource's row, making one for a resource that is new."""
        known = self.resources.get(name)
        if known is None:
            known = self.resources[name] = len(self.resources)
            self._allocatable.raise_height(known + 1)
            self._requested.raise_height(known + 1)
        return known

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError unless every number equals one made from nothing."""
        require(self.row_of == {n: row for row, n in enumerate(self.names)}, "rows have names")
        used_images = set(filter(self.images.uses_of, self.images.values))
        require(self.image_bytes.keys() == used_images, "images in use have a size")
        for column in self._id_columns():
            column.check_invariants()
        self._labels.check_invariants()
        fresh = NodeTable()
        for name in self.resources:
            fresh.resource_row(name)
        for name, pods in zip(self.names, self.pods, strict=True):
            row = fresh._append(name)
            for pod in pods.values():
                fresh.add_pod(row, pod)
            for mine, wanted_uses in ((self.ports, fresh.ports), (self.volumes, fresh.volumes)):
                uses = [sorted(map(repr, column.of(row))) for column in (mine, wanted_uses)]
                require(uses[0] == uses[1], f"node {name} has the ports and volumes of its pods")
        for sum_of in ("requested", "non_zero_requested", "pod_count"):
            mine, wanted_sum = getattr(self, sum_of), getattr(fresh, sum_of)
            require(np.array_equal(mine, wanted_sum), f"{sum_of} is the sum over the pods")

    def _id_columns(self) -> Iterator[IdColumn[Any]]:
        yield from (value for value in vars(self).values() if isinstance(value, IdColumn))
        yield from self._labels.columns()

    def _append(self, name: str) -> int:
        row = self.row_of[name] = self._rows.append()
        self.names.append(name)
        self._labels.append()
        self.pods.append({})
        self._ranked.append(None)
        return row

    def _write_node(self, row: int, node: Node) -> set[ClusterEvent]:
        """Write what differs.

        Source: kubernetes v1.36 pkg/scheduler/framework/events.go (NodeSchedulingPropertiesChange).
            differs: a change of images is an event; conditions and annotations, which no plugin
            reads, are none.
        """
        events = set()
        if self._set_allocatable(row, node):
            events.add(ClusterEvent.NODE_ALLOCATABLE_CHANGED)
        if self._labels.set(row, node.labels):
            events.add(ClusterEvent.NODE_LABELS_CHANGED)
        if self.taints.set(row, node.spec.taints):
            events.add(ClusterEvent.NODE_TAINTS_CHANGED)
        if self.declared_features.set(row, node.status.declared_features):
            events.add(ClusterEvent.NODE_FEATURES_CHANGED)
        if self._set_images(row, node.status.images):
            events.add(ClusterEvent.NODE_IMAGES_CHANGED)
        if self._unschedulable.buffer[row] and not node.spec.unschedulable:
            events.add(ClusterEvent.NODE_TAINTS_CHANGED)
        self._unschedulable.buffer[row] = node.spec.unschedulable
        return events

    def _set_allocatable(self, row: int, node: Node) -> bool:
        max_pods = 0
        amounts = [0] * len(self.resources)
        for name, quantity in node.status.allocatable.items():
            if name == "pods":
                max_pods = quantity.value()
                continue
            resource = self.resource_row(name)
            if resource == len(amounts):
                amounts.append(0)
            amounts[resource] = quantity.milli_value() if name == "cpu" else quantity.value()
        column = self._allocatable.buffer[:, row]
        if column.tolist() == amounts and self._max_pods.buffer[row] == max_pods:
            return False
        column[:] = amounts
        self._max_pods.buffer[row] = max_pods
        return True

    def _set_images(self, row: int, images: Sequence[ContainerImage]) -> bool:
        """Write the images' names and the sizes of those that are new in the cluster.

        Source: kubernetes v1.36 pkg/scheduler/backend/cache/cache.go (addNodeImageStates).
        """
        sizes: dict[str, int] = {}
        for image in images:
            for name in image.names:
                sizes.setdefault(name, image.size_bytes)
        before = self.images.of(row)
        if not self.images.set(row, list(sizes)):
            return False
        for name in before:
            if self.images.uses_of(name) == (name in sizes):  # no other node has it
                del self.image_bytes[name]
        for name, size in sizes.items():
            self.image_bytes.setdefault(name, size)
        return True

    def _change_pods(self, changes: Collection[Changes]) -> None:
        """Remove and add pods on all rows; lists add up quicker than single numbers of arrays."""
        count = len(changes)
        requested = defaultdict[str, list[int]](lambda: [0] * count)
        milli_cpu, memory_bytes, pod_count = ([0] * count for _ in range(3))
        for row, change in enumerate(changes):
            for sign, pods in ((-1, change.removed), (1, change.added)):
                pod_count[row] += sign * len(pods)
                for pod in pods:
                    shape = pod.shape
                    for name, amount in shape.requests.items():
                        requested[name][row] += sign * amount
                    milli_cpu[row] += sign * shape.non_zero_milli_cpu
                    memory_bytes[row] += sign * shape.non_zero_memory_bytes
            for pod in change.removed:
                self._take(row, pod)
            for pod in change.added:
                self._put(row, pod)
        for name, amounts in requested.items():
            resource = self.resource_row(name)
            self._requested.buffer[resource, :count] += np.array(amounts, dtype=np.int64)
        non_zero = np.array([milli_cpu, memory_bytes], dtype=np.int64)
        self._non_zero_requested.buffer[:, :count] += non_zero
        self._pod_count.buffer[:count] += np.array(pod_count, dtype=np.int64)

    def _put(self, row: int, pod: PodInfo) -> None:
        self.pods[row][pod.uid] = pod
        for port in pod.shape.host_ports:
            self.ports.add(row, port)
        for use in pod.volumes:
            self.volumes.add(row, use)

    def _take(self, row: int, pod: PodInfo) -> None:
        del self.pods[row][pod.uid]
        for port in pod.shape.host_ports:
            self.ports.discard(row, port)
        for use in pod.volumes:
            self.volumes.discard(row, use)

    def _account(self, row: int, pod: PodInfo, sign: int) -> None:
        shape = pod.shape
        for name, amount in shape.requests.items():
            resource = self.resource_row(name)  # before `.buffer`: a new row makes a new buffer
            self._requested.buffer[resource, row] += sign * amount
        self._non_zero_requested.buffer[0, row] += sign * shape.non_zero_milli_cpu
        self._non_zero_requested.buffer[1, row] += sign * shape.non_zero_memory_bytes
        self._pod_count.buffer[row] += sign
