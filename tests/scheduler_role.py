"""The permissions that the stories' schedulers run with."""

from __future__ import annotations

from typing import Any

from cluster_story import Plane

RULES: tuple[dict[str, list[str]], ...] = (
    {
        "apiGroups": [""],
        "resources": ["nodes", "pods"],
        "verbs": ["list", "watch"],
    },
    {
        "apiGroups": [""],
        "resources": ["namespaces", "services", "replicationcontrollers"],
        "verbs": ["list", "watch"],
    },
    {
        "apiGroups": ["apps"],
        "resources": ["replicasets", "statefulsets"],
        "verbs": ["list", "watch"],
    },
    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["list", "watch"]},
    {
        "apiGroups": [""],
        "resources": ["persistentvolumes", "persistentvolumeclaims"],
        "verbs": ["list", "watch", "patch"],
    },
    {
        "apiGroups": ["storage.k8s.io"],
        "resources": [
            "storageclasses",
            "csinodes",
            "csidrivers",
            "csistoragecapacities",
            "volumeattachments",
        ],
        "verbs": ["list", "watch"],
    },
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]},
    {"apiGroups": [""], "resources": ["pods/binding"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["pods/status"], "verbs": ["patch"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "create", "update"],
    },
    {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
)


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


def _names(rule: dict[str, list[str]]) -> set[str]:
    """Name what a rule is about: its resources, alone and with each verb."""
    resources = rule["resources"]
    return {*resources, *(f"{one}:{verb}" for one in resources for verb in rule["verbs"])}
