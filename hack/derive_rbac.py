"""Derive the bootstrap roles and bindings of the embedded cluster from a real API server.

python hack/derive_rbac.py

Starts the control plane, reads what its kube-apiserver made by itself, and writes
src/pilotfish/cluster/rbac/bootstrap.json: what a scheduler and its users need, without what is the
same everywhere. Rules of aggregated roles are left out: they follow from the others.
"""

import json
import sys
from pathlib import Path
from typing import Any

from controlplane import ControlPlane, ControlPlaneError

TARGET = Path(__file__).parents[1] / "src/pilotfish/cluster/rbac/bootstrap.json"
API = "/apis/rbac.authorization.k8s.io/v1"
ROLES = frozenset({
    "admin",
    "cluster-admin",
    "edit",
    "extension-apiserver-authentication-reader",
    "system::leader-locking-kube-controller-manager",
    "system::leader-locking-kube-scheduler",
    "system:aggregate-to-admin",
    "system:aggregate-to-edit",
    "system:aggregate-to-view",
    "system:auth-delegator",
    "system:basic-user",
    "system:discovery",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:monitoring",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
    "system:volume-scheduler",
    "view",
})  # fmt: skip
KINDS = {
    "clusterroles": "ClusterRole",
    "clusterrolebindings": "ClusterRoleBinding",
    "roles": "Role",
    "rolebindings": "RoleBinding",
}
BOOTSTRAP_LABEL = "kubernetes.io/bootstrapping"


def compact(kind: str, obj: dict[str, Any]) -> dict[str, Any]:
    """Keep of an object what is its own."""
    metadata = obj["metadata"]
    labels = {k: v for k, v in metadata["labels"].items() if k != BOOTSTRAP_LABEL}
    kept = {
        "kind": kind,
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "labels": labels,
        "aggregationRule": obj.get("aggregationRule"),
        "rules": None if "aggregationRule" in obj else obj.get("rules"),
        "roleRef": obj.get("roleRef"),
        "subjects": obj.get("subjects"),
    }
    return {key: value for key, value in kept.items() if value}


def derive(control_plane: ControlPlane) -> list[dict[str, Any]]:
    """Read the chosen roles and the bindings that grant them."""
    found = []
    for plural, kind in KINDS.items():
        items = sorted(
            control_plane.api.items(f"{API}/{plural}"),
            key=lambda item: (item["metadata"].get("namespace", ""), item["metadata"]["name"]),
        )
        for item in items:
            role = item["roleRef"]["name"] if "roleRef" in item else item["metadata"]["name"]
            if role in ROLES and BOOTSTRAP_LABEL in item["metadata"].get("labels", {}):
                found.append(compact(kind, item))
    return found


def render(objects: list[dict[str, Any]]) -> str:
    """Write one line for each object, one for each of its rules."""
    lines = []
    for obj in objects:
        head = json.dumps({key: value for key, value in obj.items() if key != "rules"})
        rules = [f"  {json.dumps(rule, sort_keys=True)}" for rule in obj.get("rules", ())]
        body = ",\n".join(rules)
        lines.append(f'{head[:-1]}, "rules": [\n{body}\n]}}' if rules else head)
    text = ",\n".join(lines)
    return f"[\n{text}\n]\n"


def main() -> int:
    """Derive and write."""
    try:
        with ControlPlane(controller_manager=False, kwok=False) as control_plane:
            objects = derive(control_plane)
    except ControlPlaneError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    TARGET.write_text(render(objects))
    print(f"{TARGET}: {len(objects)} objects")
    return 0


if __name__ == "__main__":
    sys.exit(main())
