"""Volumes, claims and what belongs to them.

Theory of operation: objects are found by name; volumes and capacities also by class. What CSI
drivers say of nodes, and what is attached to them, is written into columns of the node table, also
when the node comes later. News that cannot make a pod schedulable, whichever it is, are no events.

Source: kubernetes v1.36 pkg/scheduler/framework/plugins: the queueing hints of volumebinding,
    volumezone, volumerestrictions and nodevolumelimits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Generic, TypeVar

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.volumes import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.invariants import require
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.volumes import Attachment, NodeDrivers

T = TypeVar("T", bound=KubernetesObject)

KINDS: Final[Mapping[str, type[KubernetesObject]]] = {
    "persistentvolumes": PersistentVolume,
    "persistentvolumeclaims": PersistentVolumeClaim,
    "storageclasses": StorageClass,
    "csinodes": CSINode,
    "csidrivers": CSIDriver,
    "csistoragecapacities": CSIStorageCapacity,
    "volumeattachments": VolumeAttachment,
}
"""The kinds that are known here, by plural."""


class _Known(Generic[T]):
    """Objects of a kind, by key; one that is gone does not take a namesake with it.

    Attributes:
        by_group: by group and key, where there are groups.
    """

    def __init__(self) -> None:
        self.by_key: dict[str, T] = {}
        self.by_group: dict[str, dict[str, T]] = {}
        self._places: dict[str, tuple[str, str]] = {}  # key and group, by uid

    def put(self, thing: T, group: str = "") -> T | None:
        """Insert or update; returns what was there before under this uid."""
        old = self.remove(thing.uid)
        namesake = self.by_key.get(thing.key)
        if namesake is not None:
            self.remove(namesake.uid)
        self.by_key[thing.key] = thing
        self.by_group.setdefault(group, {})[thing.key] = thing
        self._places[thing.uid] = (thing.key, group)
        return old

    def remove(self, uid: str) -> T | None:
        """Forget what is known by this uid."""
        place = self._places.pop(uid, None)
        if place is None:
            return None
        key, group = place
        of_group = self.by_group[group]
        del of_group[key]
        if not of_group:
            del self.by_group[group]
        return self.by_key.pop(key)


class VolumeIndex:
    """Volumes, claims and what belongs to them; implements framework.Volumes."""

    def __init__(self, nodes: NodeTable) -> None:
        self._nodes = nodes
        self._volumes: _Known[PersistentVolume] = _Known()  # in groups by class and claim
        self._claims: _Known[PersistentVolumeClaim] = _Known()
        self._classes: _Known[StorageClass] = _Known()
        self._csi_nodes: _Known[CSINode] = _Known()
        self._drivers: _Known[CSIDriver] = _Known()
        self._capacities: _Known[CSIStorageCapacity] = _Known()  # in groups by class
        self._attachments: _Known[VolumeAttachment] = _Known()  # in groups by node

    # What plugins ask.

    @property
    def classes(self) -> Mapping[str, StorageClass]:
        """All storage classes, by name."""
        return self._classes.by_key

    @property
    def drivers(self) -> Mapping[str, CSIDriver]:
        """All CSI drivers, by name."""
        return self._drivers.by_key

    def volume(self, name: str) -> PersistentVolume | None:
        """Return a volume."""
        return self._volumes.by_key.get(name)

    def claim(self, key: str) -> PersistentVolumeClaim | None:
        """Return a claim."""
        return self._claims.by_key.get(key)

    def free_volumes(self, class_name: str) -> Collection[PersistentVolume]:
        """List the volumes of a class that belong to no claim."""
        return self._volumes.by_group.get(_group(class_name), {}).values()

    def volumes_set_aside(self, claim: PersistentVolumeClaim) -> Collection[PersistentVolume]:
        """List the volumes of a claim's class that belong to the claim, or a namesake."""
        group = _group(claim.storage_class, claim.key)
        return self._volumes.by_group.get(group, {}).values()

    def capacities(self, class_name: str) -> Collection[CSIStorageCapacity]:
        """List what there is of room for volumes of a class."""
        return self._capacities.by_group.get(class_name, {}).values()

    # What the cache is told.

    def put(self, thing: KubernetesObject) -> set[ClusterEvent]:
        """Insert or update an object of one of the kinds, and say what that means."""
        match thing:
            case PersistentVolume():
                old_volume = self._volumes.put(thing, _group_of(thing))
                return {_one_of(old_volume, ClusterEvent.VOLUME_ADDED, ClusterEvent.VOLUME_CHANGED)}
            case PersistentVolumeClaim():
                old_claim = self._claims.put(thing)
                return {_one_of(old_claim, ClusterEvent.CLAIM_ADDED, ClusterEvent.CLAIM_CHANGED)}
            case StorageClass():
                return _of_class(self._classes.put(thing), thing)
            case CSINode():
                old_node = self._csi_nodes.put(thing)
                self._write_drivers(thing.name)
                return _of_csi_node(old_node, thing)
            case CSIDriver():
                old_driver = self._drivers.put(thing)
                is_free = old_driver is not None and old_driver.spec.storage_capacity
                is_free &= not thing.spec.storage_capacity
                return {ClusterEvent.CSI_DRIVER_CHANGED} if is_free else set()
            case CSIStorageCapacity():
                old_capacity = self._capacities.put(thing, thing.storage_class_name)
                return _of_capacity(old_capacity, thing)
            case VolumeAttachment():
                old = self._attachments.put(thing, thing.spec.node_name)
                self._write_attachments(thing.spec.node_name)
                if old is not None and old.spec.node_name != thing.spec.node_name:
                    self._write_attachments(old.spec.node_name)
        return set()

    def remove(self, kind: str, uid: str) -> set[ClusterEvent]:
        """Forget an object of one of the kinds, if it is known."""
        match kind:
            case "persistentvolumes":
                self._volumes.remove(uid)
            case "persistentvolumeclaims":
                self._claims.remove(uid)
            case "storageclasses":
                self._classes.remove(uid)
            case "csinodes":
                csi_node = self._csi_nodes.remove(uid)
                if csi_node is not None:
                    self._write_drivers(csi_node.name)
            case "csidrivers":
                self._drivers.remove(uid)
            case "csistoragecapacities":
                self._capacities.remove(uid)
            case "volumeattachments":
                attachment = self._attachments.remove(uid)
                if attachment is not None:
                    self._write_attachments(attachment.spec.node_name)
                    return {ClusterEvent.ATTACHMENT_DELETED}
        return set()

    def node_added(self, name: str) -> None:
        """Write down what is known of a node that is new in the table."""
        self._write_drivers(name)
        self._write_attachments(name)

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError unless the table has what is known of its nodes."""
        for row, name in enumerate(self._nodes.names):
            require(self._nodes.drivers.of(row) == self._drivers_of(name), f"{name} has drivers")
            attached = self._nodes.attachments.of(row)
            require(attached == self._attachments_of(name), f"{name} has its attachments")

    def _write_drivers(self, node_name: str) -> None:
        row = self._nodes.row_of.get(node_name)
        if row is not None:
            self._nodes.drivers.set(row, self._drivers_of(node_name))

    def _write_attachments(self, node_name: str) -> None:
        row = self._nodes.row_of.get(node_name)
        if row is not None:
            self._nodes.attachments.set(row, self._attachments_of(node_name))

    def _drivers_of(self, node_name: str) -> list[NodeDrivers]:
        csi_node = self._csi_nodes.by_key.get(node_name)
        if csi_node is None:
            return []
        return [NodeDrivers(tuple(sorted(_limits(csi_node).items())), _migrated(csi_node))]

    def _attachments_of(self, node_name: str) -> list[Attachment]:
        """List what is attached and can count; each volume once, whatever its attachments."""
        found = {
            Attachment(one.spec.attacher, one.spec.source.persistent_volume_name)
            for one in self._attachments.by_group.get(node_name, {}).values()
            if one.spec.attacher and one.spec.source.persistent_volume_name
        }
        return sorted(found, key=lambda one: (one.volume_name, one.attacher))


def _group(class_name: str, claim_key: str = "") -> str:
    return f"{class_name} {claim_key}"


def _group_of(volume: PersistentVolume) -> str:
    of = volume.spec.claim_ref
    return _group(volume.storage_class, "" if of is None else f"{of.namespace}/{of.name}")


def _one_of(old: object, added: ClusterEvent, changed: ClusterEvent) -> ClusterEvent:
    return added if old is None else changed


def _of_class(old: StorageClass | None, new: StorageClass) -> set[ClusterEvent]:
    if old is None:
        return {ClusterEvent.STORAGE_CLASS_ADDED}
    is_other = old.allowed_topologies != new.allowed_topologies
    return {ClusterEvent.STORAGE_CLASS_CHANGED} if is_other else set()


def _of_csi_node(old: CSINode | None, new: CSINode) -> set[ClusterEvent]:
    if old is None:
        return {ClusterEvent.CSI_NODE_ADDED}
    before = _limits(old)
    is_raised = any(limit > before.get(name, 0) for name, limit in _limits(new).items())
    annotations = (one.metadata.annotations.migrated_plugins or "" for one in (old, new))
    is_other = len(set(annotations)) > 1
    return {ClusterEvent.CSI_NODE_CHANGED} if is_raised or is_other else set()


def _of_capacity(old: CSIStorageCapacity | None, new: CSIStorageCapacity) -> set[ClusterEvent]:
    if old is None:
        return {ClusterEvent.STORAGE_CAPACITY_ADDED}
    before, now = old.largest_volume, new.largest_volume
    is_more = now is not None and (before is None or now > before)
    return {ClusterEvent.STORAGE_CAPACITY_CHANGED} if is_more else set()


def _limits(csi_node: CSINode) -> dict[str, int]:
    return {
        driver.name: driver.allocatable.count
        for driver in csi_node.spec.drivers
        if driver.allocatable.count is not None
    }


def _migrated(csi_node: CSINode) -> frozenset[str]:
    text = csi_node.metadata.annotations.migrated_plugins
    return frozenset(text.split(",")) if text else frozenset()
