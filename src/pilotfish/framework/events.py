"""Kinds of cluster events: what can make an unschedulable pod schedulable."""

from __future__ import annotations

import enum


class ClusterEvent(enum.Enum):
    """A kind of change. The value is upstream's label, as its metrics show it.

    A plugin names in `requeue_on` the kinds that can undo its rejections; a pod that it rejected is
    tried again when one of them happens. An update of one object can be several events.

    Source: kubernetes v1.36 staging/src/k8s.io/kube-scheduler/framework/types.go,
        pkg/scheduler/framework/events.go.
    """

    NODE_ADDED = "NodeAdd"
    NODE_DELETED = "NodeDelete"
    NODE_ALLOCATABLE_CHANGED = "NodeUpdateNodeAllocatable"
    NODE_LABELS_CHANGED = "NodeUpdateNodeLabel"
    NODE_TAINTS_CHANGED = "NodeUpdateNodeTaint"  # also: the node is schedulable again
    NODE_FEATURES_CHANGED = "NodeUpdateNodeDeclaredFeature"
    NODE_IMAGES_CHANGED = "NodeUpdate"  # differs: upstream has no event for images

    ASSIGNED_POD_ADDED = "AssignedPodAdd"
    ASSIGNED_POD_DELETED = "AssignedPodDelete"  # also: it ended, or an assumed pod was forgotten
    ASSIGNED_POD_LABELS_CHANGED = "AssignedPodUpdatePodLabel"
    ASSIGNED_POD_SCALED_DOWN = "AssignedPodUpdatePodScaleDown"
    ASSIGNED_POD_CHANGED = "AssignedPodUpdate"

    POD_ADDED = "UnschedulablePodAdd"  # a new pending pod; only for plugins that name it

    # Changes of the waiting pod itself.
    POD_LABELS_CHANGED = "UnschedulablePodUpdatePodLabel"
    POD_SCALED_DOWN = "UnschedulablePodUpdatePodScaleDown"
    POD_TOLERATIONS_CHANGED = "UnschedulablePodUpdatePodToleration"
    POD_GATES_REMOVED = "UnschedulablePodUpdatePodSchedulingGatesEliminated"
    POD_CHANGED = "UnschedulablePodUpdate"

    NAMESPACE_ADDED = "NamespaceAdd"
    NAMESPACE_LABELS_CHANGED = "NamespaceUpdate"

    VOLUME_ADDED = "PersistentVolumeAdd"
    VOLUME_CHANGED = "PersistentVolumeUpdate"
    CLAIM_ADDED = "PersistentVolumeClaimAdd"
    CLAIM_CHANGED = "PersistentVolumeClaimUpdate"
    STORAGE_CLASS_ADDED = "storage.k8s.io/StorageClassAdd"
    STORAGE_CLASS_CHANGED = "storage.k8s.io/StorageClassUpdate"  # its topologies
    CSI_NODE_ADDED = "storage.k8s.io/CSINodeAdd"
    CSI_NODE_CHANGED = "storage.k8s.io/CSINodeUpdate"  # a higher limit, other migrated plugins
    CSI_DRIVER_CHANGED = "storage.k8s.io/CSIDriverUpdate"  # it ignores storage capacity now
    STORAGE_CAPACITY_ADDED = "storage.k8s.io/CSIStorageCapacityAdd"
    STORAGE_CAPACITY_CHANGED = "storage.k8s.io/CSIStorageCapacityUpdate"  # there is more
    ATTACHMENT_DELETED = "storage.k8s.io/VolumeAttachmentDelete"

    WILDCARD = "*"  # anything may have changed: every waiting pod is worth a try
