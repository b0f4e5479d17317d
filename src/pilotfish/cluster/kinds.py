"""The resources that the cluster itself acts on, by name."""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.resources import TABLE

CLUSTER_ROLES: Final = TABLE.served("rbac.authorization.k8s.io/v1", "ClusterRole")
CONFIG_MAPS: Final = TABLE.served("v1", "ConfigMap")
CONTROLLER_REVISIONS: Final = TABLE.served("apps/v1", "ControllerRevision")
CSI_NODES: Final = TABLE.served("storage.k8s.io/v1", "CSINode")
DAEMON_SETS: Final = TABLE.served("apps/v1", "DaemonSet")
DEPLOYMENTS: Final = TABLE.served("apps/v1", "Deployment")
EVENTS: Final = TABLE.served("v1", "Event")
JOBS: Final = TABLE.served("batch/v1", "Job")
LEASES: Final = TABLE.served("coordination.k8s.io/v1", "Lease")
NAMESPACES: Final = TABLE.served("v1", "Namespace")
NODES: Final = TABLE.served("v1", "Node")
PERSISTENT_VOLUMES: Final = TABLE.served("v1", "PersistentVolume")
PERSISTENT_VOLUME_CLAIMS: Final = TABLE.served("v1", "PersistentVolumeClaim")
POD_DISRUPTION_BUDGETS: Final = TABLE.served("policy/v1", "PodDisruptionBudget")
PODS: Final = TABLE.served("v1", "Pod")
REPLICA_SETS: Final = TABLE.served("apps/v1", "ReplicaSet")
REPLICATION_CONTROLLERS: Final = TABLE.served("v1", "ReplicationController")
SECRETS: Final = TABLE.served("v1", "Secret")
SERVICE_ACCOUNTS: Final = TABLE.served("v1", "ServiceAccount")
STATEFUL_SETS: Final = TABLE.served("apps/v1", "StatefulSet")
STORAGE_CLASSES: Final = TABLE.served("storage.k8s.io/v1", "StorageClass")
