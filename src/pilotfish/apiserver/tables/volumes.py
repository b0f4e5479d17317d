"""The tables of volumes, storage drivers and devices.

Source: kubernetes v1.36 pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from pilotfish.apiserver.tables.cells import (
    access_modes,
    age_of,
    is_being_deleted,
    name_of,
    part,
)
from pilotfish.apiserver.tables.columns import (
    AGE,
    NAME,
    NONE,
    UNSET,
    Cells,
    Column,
    Object,
    Table,
    integers,
    texts,
    wide,
)

_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_CLASS = "volume.beta.kubernetes.io/storage-class"


def _annotations(obj: Object) -> Object:
    return part(obj, "metadata", "annotations")


def _phase(obj: Object) -> str:
    return "Terminating" if is_being_deleted(obj) else part(obj, "status").get("phase", "")


def _storage_class_name(obj: Object) -> str:
    name: str = _annotations(obj).get(_CLASS) or part(obj, "spec").get("storageClassName") or ""
    return name


def _persistent_volume(obj: Object, now: float) -> Cells:
    spec = part(obj, "spec")
    claim = spec.get("claimRef")
    return [
        name_of(obj),
        part(spec, "capacity").get("storage", "0"),
        access_modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _storage_class_name(obj),
        spec.get("volumeAttributesClassName", UNSET),
        part(obj, "status").get("reason", ""),
        age_of(obj, now),
        spec.get("volumeMode", UNSET),
    ]


def _persistent_volume_claim(obj: Object, now: float) -> Cells:
    spec, status = part(obj, "spec"), part(obj, "status")
    volume = spec.get("volumeName", "")
    return [
        name_of(obj),
        _phase(obj),
        volume,
        part(status, "capacity").get("storage", "0") if volume else "",
        access_modes(status.get("accessModes")) if volume else "",
        _storage_class_name(obj),
        spec.get("volumeAttributesClassName", UNSET),
        age_of(obj, now),
        spec.get("volumeMode", UNSET),
    ]


def _storage_class(obj: Object, now: float) -> Cells:
    annotations = _annotations(obj)
    is_default = any(annotations.get(key) == "true" for key in _DEFAULT_CLASS)
    return [
        name_of(obj) + (" (default)" if is_default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        obj.get("allowVolumeExpansion", False),
        age_of(obj, now),
    ]


def _csi_node(obj: Object, now: float) -> Cells:
    return [name_of(obj), len(part(obj, "spec").get("drivers") or ()), age_of(obj, now)]


def _csi_driver(obj: Object, now: float) -> Cells:
    spec = part(obj, "spec")
    requests = spec.get("tokenRequests")
    return [
        name_of(obj),
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        UNSET if requests is None else ",".join(each.get("audience", "") for each in requests),
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or ()) or NONE,
        age_of(obj, now),
    ]


def _volume_attachment(obj: Object, now: float) -> Cells:
    spec = part(obj, "spec")
    return [
        name_of(obj),
        spec.get("attacher", ""),
        part(spec, "source").get("persistentVolumeName") or "",
        spec.get("nodeName", ""),
        part(obj, "status").get("attached", False),
        age_of(obj, now),
    ]


def _resource_claim(obj: Object, now: float) -> Cells:
    states = ["deleted"] if is_being_deleted(obj) else []
    status = part(obj, "status")
    if status.get("allocation") is not None:
        states.append("allocated")
        if status.get("reservedFor"):
            states.append("reserved")
    elif not states:
        states.append("pending")
    return [name_of(obj), ",".join(states), age_of(obj, now)]


def _resource_slice(obj: Object, now: float) -> Cells:
    spec = part(obj, "spec")
    return [
        name_of(obj),
        spec.get("nodeName") or "",
        spec.get("driver", ""),
        part(spec, "pool").get("name", ""),
        age_of(obj, now),
    ]


def _flags(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "boolean") for name in names)


PERSISTENT_VOLUMES = Table(
    (
        NAME,
        *texts("Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim"),
        *texts("StorageClass", "VolumeAttributesClass", "Reason"),
        AGE,
        *wide("VolumeMode"),
    ),
    _persistent_volume,
)
PERSISTENT_VOLUME_CLAIMS = Table(
    (
        NAME,
        *texts("Status", "Volume", "Capacity", "Access Modes"),
        *texts("StorageClass", "VolumeAttributesClass"),
        AGE,
        *wide("VolumeMode"),
    ),
    _persistent_volume_claim,
)
STORAGE_CLASSES = Table(
    (
        NAME,
        *texts("Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion"),
        AGE,
    ),
    _storage_class,
)
CSI_NODES = Table((NAME, *integers("Drivers"), AGE), _csi_node)
CSI_DRIVERS = Table(
    (
        NAME,
        *_flags("AttachRequired", "PodInfoOnMount", "StorageCapacity"),
        *texts("TokenRequests"),
        *_flags("RequiresRepublish"),
        *texts("Modes"),
        AGE,
    ),
    _csi_driver,
)
VOLUME_ATTACHMENTS = Table(
    (
        NAME,
        Column("Attacher", format="name"),
        *texts("PV", "Node"),
        *_flags("Attached"),
        AGE,
    ),
    _volume_attachment,
)
RESOURCE_CLAIMS = Table((NAME, *texts("State"), AGE), _resource_claim)
RESOURCE_SLICES = Table((NAME, *texts("Node", "Driver", "Pool"), AGE), _resource_slice)
