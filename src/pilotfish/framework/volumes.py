"""What pods take of the world of volumes, and what plugins may ask about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol, TypeAlias

import msgspec

from pilotfish.api.pod import Pod, Volume
from pilotfish.api.volumes import (
    ISCSI,
    RBD,
    AWSElasticBlockStore,
    AzureDisk,
    Cinder,
    CSIDriver,
    CSIStorageCapacity,
    GCEPersistentDisk,
    MigratedSource,
    PersistentVolume,
    PersistentVolumeClaim,
    Portworx,
    StorageClass,
)

MigratedDisk: TypeAlias = GCEPersistentDisk | AWSElasticBlockStore | AzureDisk | Cinder | Portworx
Disk: TypeAlias = MigratedDisk | ISCSI | RBD


class ClaimUse(msgspec.Struct, frozen=True, gc=False):
    """A claim that a pod uses.

    Attributes:
        owner_uid: the pod that must control the claim, since it was made for one of its generic
            ephemeral volumes; empty for a claim that stands for itself.
    """

    namespace: str
    name: str
    owner_uid: str = ""

    @property
    def key(self) -> str:
        """`namespace/name` of the claim."""
        return f"{self.namespace}/{self.name}"


VolumeUse: TypeAlias = ClaimUse | Disk


class NodeDrivers(msgspec.Struct, frozen=True, gc=False):
    """What CSI drivers say of a node; nodes of a kind share one.

    Attributes:
        limits: how many volumes of a driver the node can hold, by driver; absent without a limit.
        migrated: the kinds of disks that CSI drivers serve there, by their old plugins' names.
    """

    limits: tuple[tuple[str, int], ...] = ()
    migrated: frozenset[str] = frozenset()


class Attachment(msgspec.Struct, frozen=True, gc=False):
    """A volume that is attached to a node, or is to be."""

    attacher: str
    volume_name: str


class Volumes(Protocol):
    """What is known of volumes and claims, with what binding cycles have assumed of them."""

    @property
    def classes(self) -> Mapping[str, StorageClass]:
        """All storage classes, by name."""

    @property
    def drivers(self) -> Mapping[str, CSIDriver]:
        """All CSI drivers, by name."""

    def volume(self, name: str) -> PersistentVolume | None:
        """Return a volume."""

    def claim(self, key: str) -> PersistentVolumeClaim | None:
        """Return a claim; the key is `namespace/name`."""

    def free_volumes(self, class_name: str) -> Collection[PersistentVolume]:
        """List the volumes of a class that belong to no claim."""

    def volumes_set_aside(self, claim: PersistentVolumeClaim) -> Collection[PersistentVolume]:
        """List the volumes of a claim's class that belong to the claim, or a namesake."""

    def capacities(self, class_name: str) -> Collection[CSIStorageCapacity]:
        """List what there is of room for volumes of a class."""


def claim_uses(pod: Pod) -> Iterator[ClaimUse]:
    """List the claims of a pod, in the order of its volumes.

    Source: kubernetes v1.36 staging/src/k8s.io/component-helpers/storage/ephemeral/ephemeral.go.
    """
    for volume in pod.spec.volumes:
        if volume.persistent_volume_claim is not None:
            yield ClaimUse(pod.namespace, volume.persistent_volume_claim.claim_name)
        elif volume.ephemeral is not None:
            yield ClaimUse(pod.namespace, f"{pod.name}-{volume.name}", pod.uid)


def disk_of(volume: Volume) -> Disk | None:
    """Return the disk of a volume, if it is one of the kinds that need care."""
    return volume.iscsi or volume.rbd or migrated_disk(volume)


def migrated_disk(source: MigratedSource) -> MigratedDisk | None:
    """Return the disk of a source, if it is one that a CSI driver serves now."""
    return (
        source.gce_persistent_disk
        or source.aws_elastic_block_store
        or source.azure_disk
        or source.cinder
        or source.portworx_volume
    )


def volume_uses(pod: Pod) -> tuple[VolumeUse, ...]:
    """List what a pod takes: its claims, and its disks that need care."""
    if not pod.spec.volumes:
        return ()
    disks = (disk_of(volume) for volume in pod.spec.volumes)
    return (*claim_uses(pod), *(disk for disk in disks if disk is not None))
