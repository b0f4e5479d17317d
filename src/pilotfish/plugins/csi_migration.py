"""Disks that had code of their own once, as the CSI drivers see them that serve them now.

Source: kubernetes v1.36 staging/src/k8s.io/csi-translation-lib/translate.go and plugins/*.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from pilotfish.api.selectors import NodeSelector, NodeSelectorRequirement, NodeSelectorTerm
from pilotfish.api.volumes import (
    AWSElasticBlockStore,
    AzureDisk,
    Cinder,
    CSIVolume,
    GCEPersistentDisk,
    PersistentVolume,
    Portworx,
)
from pilotfish.framework.volumes import Disk, MigratedDisk, migrated_disk

ZONE: Final = "topology.kubernetes.io/zone"
REGION: Final = "topology.kubernetes.io/region"
BETA_ZONE: Final = "failure-domain.beta.kubernetes.io/zone"
BETA_REGION: Final = "failure-domain.beta.kubernetes.io/region"
ZONE_DELIMITER: Final = "__"  # between the zones of one label


class Migration(msgspec.Struct, frozen=True):
    """A kind of disks and the CSI driver that serves them.

    Attributes:
        plugin: the name that the kind's own code had, and its provisioner.
        topology_key: the label by which the driver knows zones; empty where volumes keep theirs.
    """

    plugin: str
    driver: str
    topology_key: str = ""


MIGRATIONS: Final = {
    AWSElasticBlockStore: Migration(
        "kubernetes.io/aws-ebs", "ebs.csi.aws.com", "topology.ebs.csi.aws.com/zone"
    ),
    GCEPersistentDisk: Migration(
        "kubernetes.io/gce-pd", "pd.csi.storage.gke.io", "topology.gke.io/zone"
    ),
    AzureDisk: Migration("kubernetes.io/azure-disk", "disk.csi.azure.com"),
    Cinder: Migration(
        "kubernetes.io/cinder",
        "cinder.csi.openstack.org",
        "topology.cinder.csi.openstack.org/zone",
    ),
    Portworx: Migration("kubernetes.io/portworx-volume", "pxd.portworx.com"),
}

DRIVER_OF_PROVISIONER: Final[dict[str, str | None]] = {
    **{one.plugin: one.driver for one in MIGRATIONS.values()},
    "kubernetes.io/azure-file": None,  # known, but never taken for migrated by the scheduler
    "kubernetes.io/vsphere-volume": None,
}
"""The CSI drivers that make what these provisioners made."""

_AWS_VOLUME: Final = re.compile(r"vol-[^/]*")
_GCE_ZONE_PARTS: Final = 3  # locale, region, zone
_ANYWHERE: Final = "UNSPECIFIED"


class NotTranslatableError(ValueError):
    """A disk that its CSI driver cannot serve."""


def disk_as_csi(disk: Disk) -> CSIVolume | None:
    """Return a pod's own disk as its CSI driver names it; None for kinds that are not migrated.

    Raises:
        NotTranslatableError: the driver cannot serve it.
    """
    match disk:
        case AWSElasticBlockStore():
            return _csi(disk, _aws_volume(disk.volume_id))
        case GCEPersistentDisk():
            return _csi(disk, _gce_handle(f"zones/{_ANYWHERE}", disk.pd_name))
        case AzureDisk():
            return _csi(disk, _azure_uri(disk))
        case Cinder() | Portworx():
            return _csi(disk, disk.volume_id)
        case _:
            return None


def volume_as_csi(volume: PersistentVolume) -> CSIVolume | None:
    """Return what a CSI driver calls a volume; None where none serves it.

    Raises:
        NotTranslatableError: the driver of the volume's kind cannot serve it.
    """
    if volume.spec.csi is not None:
        return volume.spec.csi
    disk = migrated_disk(volume.spec)
    if isinstance(disk, GCEPersistentDisk):
        return _csi(disk, _gce_handle(_gce_place(volume), disk.pd_name))
    return None if disk is None else disk_as_csi(disk)


def migration_of(volume: PersistentVolume) -> Migration | None:
    """Return the migration that concerns a volume, if one does."""
    disk = None if volume.spec.csi is not None else migrated_disk(volume.spec)
    return None if disk is None else MIGRATIONS[type(disk)]


def translated_affinity(volume: PersistentVolume, migration: Migration) -> NodeSelector | None:
    """Return the node affinity that a volume has for its CSI driver.

    The driver's own zone label takes the place of the general one, and zones that only the volume's
    labels name become a condition.

    Source: kubernetes v1.36 staging/src/k8s.io/csi-translation-lib/plugins/in_tree_volume.go
        (translateTopologyFromInTreeToCSI).
    """
    volume_as_csi(volume)  # it is an error, too, where the affinity would be known
    required = volume.spec.node_affinity.required
    terms = () if required is None else required.node_selector_terms
    if not migration.topology_key:
        return required
    zone, region = _labels_in_use(terms, volume)
    if _values_of(terms, zone):
        terms = _renamed(terms, zone, migration.topology_key)
    else:
        parts = volume.labels.get(zone, "").split(ZONE_DELIMITER)
        zones = sorted({part.strip() for part in parts} - {""})
        if zones:
            condition = NodeSelectorRequirement(migration.topology_key, "In", tuple(zones))
            terms = tuple(
                NodeSelectorTerm((*term.match_expressions, condition), term.match_fields)
                for term in terms or (NodeSelectorTerm(),)
            )
    if region == BETA_REGION and _values_of(terms, region):
        terms = _renamed(terms, region, REGION)
    return NodeSelector(terms) if terms or required is not None else None


def _csi(disk: MigratedDisk, handle: str) -> CSIVolume:
    return CSIVolume(MIGRATIONS[type(disk)].driver, handle)


def _aws_volume(volume_id: str) -> str:
    if not volume_id.startswith("aws://"):
        return volume_id
    _, _, path = volume_id.removeprefix("aws://").partition("/")
    name = path.strip("/")
    if _AWS_VOLUME.fullmatch(name) is None:
        raise NotTranslatableError(f"{volume_id} is no volume of AWS; write aws://ZONE/vol-ID")
    return name


def _azure_uri(disk: AzureDisk) -> str:
    if disk.kind is not None and disk.kind.lower() != "managed":
        raise NotTranslatableError(f"disk {disk.disk_uri}: kind {disk.kind} is not migrated")
    return disk.disk_uri


def _gce_handle(place: str, name: str) -> str:
    return f"projects/{_ANYWHERE}/{place}/disks/{name}"


def _gce_place(volume: PersistentVolume) -> str:
    zones = (volume.labels.get(BETA_ZONE) or volume.labels.get(ZONE, "")).split(ZONE_DELIMITER)
    if len(zones) == 1:
        return f"zones/{zones[0] or _ANYWHERE}"
    regions = set()
    for zone in zones:
        parts = zone.split("-")
        if len(parts) != _GCE_ZONE_PARTS:
            raise NotTranslatableError(f"volume {volume.key}: {zone} is no zone of GCE")
        regions.add("-".join(parts[:2]))
    if len(regions) > 1:
        raise NotTranslatableError(f"volume {volume.key} is in several regions of GCE")
    return f"regions/{regions.pop()}"


def _labels_in_use(terms: Sequence[NodeSelectorTerm], volume: PersistentVolume) -> tuple[str, str]:
    """Return the labels for zone and region that a volume goes by."""
    keys = {requirement.key for requirement in _requirements(terms)}
    for known in (keys, volume.labels):
        if ZONE in known:
            return ZONE, REGION
        if BETA_ZONE in known:
            return BETA_ZONE, BETA_REGION
    return ZONE, REGION


def _requirements(terms: Sequence[NodeSelectorTerm]) -> Iterator[NodeSelectorRequirement]:
    for term in terms:
        yield from term.match_expressions


def _values_of(terms: Sequence[NodeSelectorTerm], key: str) -> set[str]:
    return {value for one in _requirements(terms) if one.key == key for value in one.values}


def _renamed(
    terms: Sequence[NodeSelectorTerm], key: str, new_key: str
) -> tuple[NodeSelectorTerm, ...]:
    return tuple(
        NodeSelectorTerm(
            tuple(
                NodeSelectorRequirement(new_key, one.operator, one.values)
                if one.key == key
                else one
                for one in term.match_expressions
            ),
            term.match_fields,
        )
        for term in terms
    )
