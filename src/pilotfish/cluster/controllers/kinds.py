"""The resources that controllers act on, by name."""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.resources import RESOURCES, Resource


def _resource(group: str, plural: str) -> Resource:
    return next(r for r in RESOURCES if (r.group, r.plural) == (group, plural))


CONFIG_MAPS: Final = _resource("", "configmaps")
CONTROLLER_REVISIONS: Final = _resource("apps", "controllerrevisions")
DAEMON_SETS: Final = _resource("apps", "daemonsets")
DEPLOYMENTS: Final = _resource("apps", "deployments")
EVENTS: Final = _resource("", "events")
JOBS: Final = _resource("batch", "jobs")
LEASES: Final = _resource("coordination.k8s.io", "leases")
NAMESPACES: Final = _resource("", "namespaces")
NODES: Final = _resource("", "nodes")
PERSISTENT_VOLUMES: Final = _resource("", "persistentvolumes")
PERSISTENT_VOLUME_CLAIMS: Final = _resource("", "persistentvolumeclaims")
POD_DISRUPTION_BUDGETS: Final = _resource("policy", "poddisruptionbudgets")
PODS: Final = _resource("", "pods")
REPLICA_SETS: Final = _resource("apps", "replicasets")
REPLICATION_CONTROLLERS: Final = _resource("", "replicationcontrollers")
SERVICE_ACCOUNTS: Final = _resource("", "serviceaccounts")
STATEFUL_SETS: Final = _resource("apps", "statefulsets")
STORAGE_CLASSES: Final = _resource("storage.k8s.io", "storageclasses")
