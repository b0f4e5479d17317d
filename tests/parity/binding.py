"""Bind volumes in the stead of the volume controller, once kube-scheduler has decided on them."""

from __future__ import annotations

from typing import Final

from controlplane import Api, ApiError
from parity.drawing.draw import HOSTNAME, ZONE, Manifest

SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
COMPLETED: Final = "pv.kubernetes.io/bind-completed"
VOLUMES: Final = "/api/v1/persistentvolumes"


def bind_claims(api: Api, pod: Manifest) -> list[Manifest]:
    """Bind the claims of a pod for which a volume or a node was chosen; return what changed."""
    namespace = pod["metadata"]["namespace"]
    changed: list[Manifest] = []
    for volume in pod["spec"].get("volumes", ()):
        if used := volume.get("persistentVolumeClaim"):
            path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{used['claimName']}"
            try:
                changed += _bind(api, path, api.get(path))
            except ApiError:
                continue  # it is missing, and kube-scheduler says so
    return changed


def _bind(api: Api, path: str, claim: Manifest) -> list[Manifest]:
    if claim["spec"].get("volumeName"):
        return []
    uid = claim["metadata"]["uid"]
    chosen = next((one for one in api.items(VOLUMES) if _claimed_by(one) == uid), None)
    if chosen is None:
        node = claim["metadata"].get("annotations", {}).get(SELECTED_NODE)
        if node is None:
            return []
        chosen = api.create(_provisioned(claim, api.get(f"/api/v1/nodes/{node}")))
    name = chosen["metadata"]["name"]
    status = {"status": {"phase": "Bound"}}
    volume = api.patch(f"{VOLUMES}/{name}/status", status, kind="merge")
    api.patch(f"{path}/status", status, kind="merge")
    bound = {"metadata": {"annotations": {COMPLETED: "yes"}}, "spec": {"volumeName": name}}
    # at last: kube-scheduler binds the pod as soon as it sees this
    return [{"kind": "PersistentVolume", **volume}, api.patch(path, bound, kind="merge")]


def _claimed_by(volume: Manifest) -> str:
    uid: str = volume["spec"].get("claimRef", {}).get("uid", "")
    return uid


def _provisioned(claim: Manifest, node: Manifest) -> Manifest:
    """Make the volume that a provisioner makes: in the zone of the node, or on the node alone."""
    meta, labels = claim["metadata"], node["metadata"].get("labels", {})
    key = next((one for one in (ZONE, HOSTNAME) if one in labels), "")
    wanted = {"key": key, "operator": "In", "values": [labels.get(key)]}
    required = {"required": {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}}
    reference = {"kind": "PersistentVolumeClaim", "namespace": meta["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{meta['uid']}"},
        "spec": {
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "accessModes": claim["spec"]["accessModes"],
            "storageClassName": claim["spec"]["storageClassName"],
            "claimRef": {**reference, "name": meta["name"], "uid": meta["uid"]},
            "csi": {"driver": "ebs.example.com", "volumeHandle": meta["uid"]},
            **({"nodeAffinity": required} if key else {}),
        },
    }
