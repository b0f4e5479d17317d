"""Which kind has which strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pilotfish.cluster.rbac.strategies import RoleBindingStrategy, RoleStrategy
from pilotfish.cluster.resources import ResourceTable
from pilotfish.cluster.strategies import csi, devices, plain
from pilotfish.cluster.strategies.configuration import ConfigMapStrategy, SecretStrategy
from pilotfish.cluster.strategies.event import EventStrategy
from pilotfish.cluster.strategies.job import JobStrategy
from pilotfish.cluster.strategies.namespace import NamespaceStrategy
from pilotfish.cluster.strategies.node import NodeStrategy
from pilotfish.cluster.strategies.pod import PodStrategy
from pilotfish.cluster.strategies.policies import (
    PodDisruptionBudgetStrategy,
    PriorityClassStrategy,
)
from pilotfish.cluster.strategies.service import ServiceStrategy
from pilotfish.cluster.strategies.stateful_set import StatefulSetStrategy
from pilotfish.cluster.strategies.storage import (
    PersistentVolumeClaimStrategy,
    PersistentVolumeStrategy,
    StorageClassStrategy,
)
from pilotfish.cluster.strategies.strategy import Strategy
from pilotfish.cluster.strategies.workloads import (
    DaemonSetStrategy,
    DeploymentStrategy,
    ReplicaSetStrategy,
    ReplicationControllerStrategy,
)

STRATEGIES: Final[Mapping[str, type[Strategy]]] = {
    "ClusterRole": RoleStrategy,
    "ClusterRoleBinding": RoleBindingStrategy,
    "ConfigMap": ConfigMapStrategy,
    "ControllerRevision": plain.ControllerRevisionStrategy,
    "CSIDriver": csi.CsiDriverStrategy,
    "CSINode": csi.CsiNodeStrategy,
    "CSIStorageCapacity": csi.CsiStorageCapacityStrategy,
    "DaemonSet": DaemonSetStrategy,
    "Deployment": DeploymentStrategy,
    "DeviceClass": devices.DeviceClassStrategy,
    "Event": EventStrategy,
    "Job": JobStrategy,
    "Lease": plain.LeaseStrategy,
    "Namespace": NamespaceStrategy,
    "Node": NodeStrategy,
    "PersistentVolume": PersistentVolumeStrategy,
    "PersistentVolumeClaim": PersistentVolumeClaimStrategy,
    "Pod": PodStrategy,
    "PodDisruptionBudget": PodDisruptionBudgetStrategy,
    "PriorityClass": PriorityClassStrategy,
    "ReplicaSet": ReplicaSetStrategy,
    "ReplicationController": ReplicationControllerStrategy,
    "ResourceClaim": devices.ResourceClaimStrategy,
    "ResourceClaimTemplate": devices.ResourceClaimTemplateStrategy,
    "ResourceSlice": devices.ResourceSliceStrategy,
    "Role": RoleStrategy,
    "RoleBinding": RoleBindingStrategy,
    "RuntimeClass": plain.RuntimeClassStrategy,
    "Secret": SecretStrategy,
    "Service": ServiceStrategy,
    "ServiceAccount": plain.ReturnedWhenDeleted,
    "StatefulSet": StatefulSetStrategy,
    "StorageClass": StorageClassStrategy,
    "VolumeAttachment": csi.VolumeAttachmentStrategy,
}
"""By kind; a kind that is not here has the default one."""


def strategies_of(resources: ResourceTable) -> dict[str, Strategy]:
    """Make the strategies of all resources that are stored, by qualified name."""
    return {
        resource.qualified: STRATEGIES.get(resource.kind, Strategy)(resource)
        for resource in resources
        if resource.storage
    }
