"""Makers of volumes, claims and what belongs to them, beside those of tests/make.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from pilotfish.api.codec import dec_hook
from pilotfish.api.volumes import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)

WAIT = "WaitForFirstConsumer"


def volume(
    name: str,
    *,
    size: str = "1Gi",
    class_name: str = "slow",
    modes: Sequence[str] = ("ReadWriteOnce",),
    on: Mapping[str, Sequence[str]] | None = None,
    claim: str = "",
    claim_uid: str | None = None,
    phase: str = "",
    version: str = "1",
    handle: str = "",
    driver: str = "ebs.example.com",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    **spec: Any,
) -> PersistentVolume:
    """Make a volume.

    Args:
        name: Its name; the uid is `uid-<name>`.
        size: Its capacity.
        class_name: Its storage class.
        modes: Its access modes.
        on: The labels of the nodes that reach it, each with the values that will do.
        claim: The claim that it belongs to, as `name` or `namespace/name`.
        claim_uid: That claim's uid; `uid-<name>` unless given, empty for none.
        phase: Available without a claim, Bound with one, unless given.
        version: Its resourceVersion.
        handle: Its name for its CSI driver; without one it has no such source.
        driver: That driver.
        labels: Its labels.
        annotations: Its annotations.
        metadata: Further fields of `metadata`, as in JSON.
        **spec: Further fields of `spec`, as in JSON.
    """
    content: dict[str, Any] = {
        "capacity": {"storage": size},
        "storageClassName": class_name,
        "accessModes": list(modes),
        **spec,
    }
    if on is not None:
        conditions = [{"key": k, "operator": "In", "values": list(v)} for k, v in on.items()]
        terms = [{"matchExpressions": conditions}]
        content["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    if claim:
        namespace, _, of = claim.rpartition("/")
        uid = f"uid-{of}" if claim_uid is None else claim_uid
        content["claimRef"] = {"namespace": namespace or "default", "name": of, "uid": uid}
    if handle:
        content["csi"] = {"driver": driver, "volumeHandle": handle}
    meta = _meta(name, "", version, labels, annotations, metadata)
    status = {"phase": phase or ("Bound" if claim else "Available")}
    whole = {"metadata": meta, "spec": content, "status": status}
    return msgspec.convert(whole, PersistentVolume, dec_hook=dec_hook)


def claim(
    name: str,
    *,
    namespace: str = "default",
    size: str | None = "1Gi",
    class_name: str | None = "slow",
    modes: Sequence[str] = ("ReadWriteOnce",),
    bound_to: str = "",
    volume_name: str = "",
    node: str = "",
    owner: str = "",
    phase: str = "",
    version: str = "1",
    annotations: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    **spec: Any,
) -> PersistentVolumeClaim:
    """Make a claim.

    Args:
        name: Its name; the uid is `uid-<name>`.
        namespace: Its namespace.
        size: What it requests; None for nothing.
        class_name: Its storage class; None for none.
        modes: Its access modes.
        bound_to: The volume that it is fully bound to.
        volume_name: The volume that it names without being fully bound.
        node: The node chosen for its pod.
        owner: The uid of the pod that it was made for.
        phase: Pending, or Bound where it is, unless given.
        version: Its resourceVersion.
        annotations: Further annotations.
        metadata: Further fields of `metadata`, as in JSON.
        **spec: Further fields of `spec`, as in JSON.
    """
    notes = dict(annotations or {})
    if bound_to:
        notes["pv.kubernetes.io/bind-completed"] = "yes"
    if node:
        notes["volume.kubernetes.io/selected-node"] = node
    meta = _meta(name, namespace, version, None, notes, metadata)
    if owner:
        meta["ownerReferences"] = [{"kind": "Pod", "uid": owner, "controller": True}]
    content: dict[str, Any] = {
        "accessModes": list(modes),
        "volumeName": bound_to or volume_name,
        **spec,
    }
    if class_name is not None:
        content["storageClassName"] = class_name
    if size is not None:
        content["resources"] = {"requests": {"storage": size}}
    status = {"phase": phase or ("Bound" if bound_to else "Pending")}
    whole = {"metadata": meta, "spec": content, "status": status}
    return msgspec.convert(whole, PersistentVolumeClaim, dec_hook=dec_hook)


def storage_class(
    name: str,
    *,
    mode: str | None = WAIT,
    provisioner: str = "ebs.example.com",
    topologies: Iterable[Mapping[str, Sequence[str]]] = (),
) -> StorageClass:
    """Make a storage class; each topology says which labels with which values a node must have."""
    terms = [
        {"matchLabelExpressions": [{"key": k, "values": list(v)} for k, v in one.items()]}
        for one in topologies
    ]
    content = {
        "metadata": _meta(name),
        "provisioner": provisioner,
        "allowedTopologies": terms,
        **({} if mode is None else {"volumeBindingMode": mode}),
    }
    return msgspec.convert(content, StorageClass)


def csi_node(
    name: str, limits: Mapping[str, int | None] | None = None, migrated: str = ""
) -> CSINode:
    """Make what CSI drivers say of a node: a limit a driver, None for none."""
    drivers = [
        {"name": k, **({} if v is None else {"allocatable": {"count": v}})}
        for k, v in (limits or {}).items()
    ]
    notes = {"storage.alpha.kubernetes.io/migrated-plugins": migrated} if migrated else {}
    content = {"metadata": _meta(name, annotations=notes), "spec": {"drivers": drivers}}
    return msgspec.convert(content, CSINode)


def csi_driver(name: str, *, capacity: bool) -> CSIDriver:
    """Make a CSI driver that publishes how much room it has, or not."""
    content = {"metadata": _meta(name), "spec": {"storageCapacity": capacity}}
    return msgspec.convert(content, CSIDriver)


def capacity(
    name: str,
    size: str | None,
    *,
    class_name: str = "slow",
    largest: str | None = None,
    topology: Mapping[str, str] | None = None,
    has_topology: bool = True,
) -> CSIStorageCapacity:
    """Make what there is of room: from nodes with these labels, or from none."""
    content: dict[str, Any] = {
        "metadata": _meta(name, "kube-system"),
        "storageClassName": class_name,
    }
    if has_topology:
        content["nodeTopology"] = {"matchLabels": dict(topology or {})}
    if size is not None:
        content["capacity"] = size
    if largest is not None:
        content["maximumVolumeSize"] = largest
    return msgspec.convert(content, CSIStorageCapacity, dec_hook=dec_hook)


def attachment(
    name: str, node_name: str, volume_name: str | None, attacher: str = "ebs.example.com"
) -> VolumeAttachment:
    """Make an attachment of a volume to a node."""
    source = {} if volume_name is None else {"persistentVolumeName": volume_name}
    spec = {"attacher": attacher, "nodeName": node_name, "source": source}
    return msgspec.convert({"metadata": _meta(name), "spec": spec}, VolumeAttachment)


def using(*claims: str, ephemeral: Sequence[str] = (), **disks: Any) -> list[dict[str, Any]]:
    """Make the volumes of a pod: these claims, generic ephemeral volumes, a disk of each kind."""
    volumes: list[dict[str, Any]] = [
        {"name": f"v{i}", "persistentVolumeClaim": {"claimName": name}}
        for i, name in enumerate(claims)
    ]
    volumes += [{"name": name, "ephemeral": {"volumeClaimTemplate": {}}} for name in ephemeral]
    return volumes + [{"name": kind, kind: source} for kind, source in disks.items()]


def _meta(
    name: str,
    namespace: str = "",
    version: str = "1",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{name}",
        "resourceVersion": version,
        "labels": dict(labels or {}),
        "annotations": dict(annotations or {}),
        **(metadata or {}),
    }
