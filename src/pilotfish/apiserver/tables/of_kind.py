"""Which table shows which kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pilotfish.apiserver.tables import others, pods, volumes, workloads
from pilotfish.apiserver.tables.columns import Table

_TABLES: Final[Mapping[str, Table]] = {
    "ClusterRoleBinding": others.ROLE_BINDINGS,
    "ConfigMap": others.CONFIG_MAPS,
    "ControllerRevision": workloads.CONTROLLER_REVISIONS,
    "CSIDriver": volumes.CSI_DRIVERS,
    "CSINode": volumes.CSI_NODES,
    "DaemonSet": workloads.DAEMON_SETS,
    "Deployment": workloads.DEPLOYMENTS,
    "DeviceClass": others.NAMES_AND_AGES,
    "Event": others.EVENTS,
    "Job": workloads.JOBS,
    "Lease": others.LEASES,
    "Namespace": others.NAMESPACES,
    "Node": others.NODES,
    "PersistentVolume": volumes.PERSISTENT_VOLUMES,
    "PersistentVolumeClaim": volumes.PERSISTENT_VOLUME_CLAIMS,
    "Pod": pods.PODS,
    "PodDisruptionBudget": workloads.POD_DISRUPTION_BUDGETS,
    "PriorityClass": others.PRIORITY_CLASSES,
    "ReplicaSet": workloads.REPLICA_SETS,
    "ReplicationController": workloads.REPLICATION_CONTROLLERS,
    "ResourceClaim": volumes.RESOURCE_CLAIMS,
    "ResourceClaimTemplate": others.NAMES_AND_AGES,
    "ResourceSlice": volumes.RESOURCE_SLICES,
    "RoleBinding": others.ROLE_BINDINGS,
    "RuntimeClass": others.RUNTIME_CLASSES,
    "Scale": others.SCALES,
    "Secret": others.SECRETS,
    "Service": workloads.SERVICES,
    "ServiceAccount": others.NAMES_AND_AGES,
    "StatefulSet": workloads.STATEFUL_SETS,
    "StorageClass": volumes.STORAGE_CLASSES,
    "VolumeAttachment": volumes.VOLUME_ATTACHMENTS,
}


def table_of(kind: str) -> Table:
    """Return the table of a kind; those without one of their own show name and creation time."""
    return _TABLES.get(kind, others.DEFAULT)
