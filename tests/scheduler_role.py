"""The permissions that the stories' schedulers run with: those that deploy/ gives."""

from __future__ import annotations

from typing import Any

from cluster_story import Plane
from controlplane import wait_until
from manifests import rules

REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
LEASES = {  # of any name: stories name their own
    "apiGroups": ["coordination.k8s.io"],
    "resources": ["leases"],
    "verbs": ["get", "create", "update"],
}
RULES: tuple[dict[str, list[str]], ...] = (*rules(), LEASES)


def grant(control_plane: Plane, service_account: str, *, without: tuple[str, ...] = ()) -> None:
    """Give a ServiceAccount in kube-system the role of a scheduler.

    Args:
        control_plane: where.
        service_account: its name, and that of the role and the binding.
        without: resources to leave out, such as "pods/status", or one verb: "pods:delete".
    """
    rules = [rule for rule in RULES if not _names(rule) & set(without)]
    metadata = {"name": service_account}
    role: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": metadata,
        "rules": rules,
    }
    binding: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": service_account,
        },
        "subjects": [
            {"kind": "ServiceAccount", "name": service_account, "namespace": "kube-system"}
        ],
    }
    control_plane.create([role, binding], concurrency=1)
    asked = {"group": "", "resource": "nodes", "verb": "list"}
    who = f"system:serviceaccount:kube-system:{service_account}"
    review = {"spec": {"user": who, "resourceAttributes": asked}}

    def holds() -> bool:
        """The authorizer of a real server follows etcd."""
        return bool(control_plane.api.request("POST", REVIEWS, review)["status"]["allowed"])

    wait_until(holds, f"the role of {service_account}")


def _names(rule: dict[str, list[str]]) -> set[str]:
    """Name what a rule is about: its resources, alone and with each verb."""
    resources = rule["resources"]
    return {*resources, *(f"{one}:{verb}" for one in resources for verb in rule["verbs"])}
