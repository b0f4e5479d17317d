"""The volume that a simulated provisioner makes for a claim."""

from __future__ import annotations

from typing import Any, Final

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.metadata import driver_errors

PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
_TOPOLOGY_KEYS: Final = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")


def provisioned_volume(
    claim: JsonObject,
    storage_class: JsonObject,
    node: JsonObject | None,
    claim_reference: JsonObject,
) -> JsonObject:
    """Make the volume, reachable from the zone of a node, or from the node alone if it has none.

    Args:
        claim: What it is for.
        storage_class: The claim's class.
        node: The node that the scheduler selected; without one the class's topology counts.
        claim_reference: The reference to the claim.
    """
    name = f"pvc-{claim['metadata']['uid']}"
    provisioner = storage_class["provisioner"]
    terms = _node_terms(node) if node else _class_terms(storage_class)
    spec: JsonObject = {
        "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
        "accessModes": claim["spec"].get("accessModes") or [],
        "claimRef": claim_reference,
        **_source(provisioner, name),
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
        "storageClassName": storage_class["metadata"]["name"],
        "volumeMode": claim["spec"].get("volumeMode") or "Filesystem",
    }
    if storage_class.get("mountOptions"):
        spec["mountOptions"] = storage_class["mountOptions"]
    if terms:
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    annotations = {PROVISIONED_BY: provisioner}
    return {"metadata": {"name": name, "annotations": annotations}, "spec": spec}


def _source(provisioner: str, name: str) -> JsonObject:
    """Name what the volume is on; a provisioner like `rancher.io/local-path` is no CSI driver."""
    if any(driver_errors(provisioner, "provisioner")):
        return {"hostPath": {"path": f"/var/lib/volumes/{name}", "type": "DirectoryOrCreate"}}
    return {"csi": {"driver": provisioner, "volumeHandle": name}}


def _node_terms(node: JsonObject) -> list[Any]:
    labels = node["metadata"].get("labels") or {}
    key = next((key for key in _TOPOLOGY_KEYS if key in labels), None)
    return [] if key is None else [{"matchExpressions": [_is_in(key, [labels[key]])]}]


def _class_terms(storage_class: JsonObject) -> list[Any]:
    return [
        {"matchExpressions": [_is_in(e["key"], e["values"]) for e in expressions]}
        for term in storage_class.get("allowedTopologies") or ()
        if (expressions := term.get("matchLabelExpressions"))
    ]


def _is_in(key: str, values: list[str]) -> JsonObject:
    return {"key": key, "operator": "In", "values": values}
