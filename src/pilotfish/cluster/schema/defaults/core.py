"""Defaults of namespaces, nodes, volumes, claims, secrets, config maps and replication controllers.

Source: kubernetes v1.36 pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pilotfish.cluster.schema.leaves import milli_quantity

JsonObject = dict[str, Any]

CORE: Final = "io.k8s.api.core.v1."
NAME_LABEL: Final = "kubernetes.io/metadata.name"


def round_resources(resources: JsonObject | None) -> None:
    """Round amounts up to thousandths."""
    if resources:
        resources.update((name, milli_quantity(amount)) for name, amount in resources.items())


def _namespace(obj: JsonObject) -> None:
    metadata = obj["metadata"]
    if name := metadata.get("name"):
        metadata.setdefault("labels", {})[NAME_LABEL] = name


def _namespace_status(status: JsonObject) -> None:
    status.setdefault("phase", "Active")


def _node_status(status: JsonObject) -> None:
    if "capacity" in status and "allocatable" not in status:
        status["allocatable"] = dict(status["capacity"])
    round_resources(status.get("capacity"))
    round_resources(status.get("allocatable"))


def _persistent_volume(obj: JsonObject) -> None:
    spec = obj["spec"]
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    round_resources(spec.get("capacity"))
    obj["status"].setdefault("phase", "Pending")


def _claim(obj: JsonObject) -> None:
    obj["status"].setdefault("phase", "Pending")


def _claim_spec(spec: JsonObject) -> None:
    spec.setdefault("volumeMode", "Filesystem")


def _claim_status(status: JsonObject) -> None:
    round_resources(status.get("capacity"))
    round_resources(status.get("allocatedResources"))


def _requirements(resources: JsonObject) -> None:
    round_resources(resources.get("limits"))
    round_resources(resources.get("requests"))


def _secret(obj: JsonObject) -> None:
    obj.setdefault("type", "Opaque")


def _replication_controller(obj: JsonObject) -> None:
    spec = obj["spec"]
    labels = (spec.get("template") or {}).get("metadata", {}).get("labels")
    if labels:
        spec.setdefault("selector", dict(labels))
        obj["metadata"].setdefault("labels", dict(labels))


RULES: Final[dict[str, Callable[[JsonObject], None]]] = {
    CORE + "Namespace": _namespace,
    CORE + "NamespaceStatus": _namespace_status,
    CORE + "NodeStatus": _node_status,
    CORE + "PersistentVolume": _persistent_volume,
    CORE + "PersistentVolumeClaim": _claim,
    CORE + "PersistentVolumeClaimSpec": _claim_spec,
    CORE + "PersistentVolumeClaimStatus": _claim_status,
    CORE + "ReplicationController": _replication_controller,
    CORE + "ResourceRequirements": _requirements,
    CORE + "Secret": _secret,
    CORE + "VolumeResourceRequirements": _requirements,
}
