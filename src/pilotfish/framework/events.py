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

    # Changes of the waiting pod itself.
    POD_LABELS_CHANGED = "UnschedulablePodUpdatePodLabel"
    POD_SCALED_DOWN = "UnschedulablePodUpdatePodScaleDown"
    POD_TOLERATIONS_CHANGED = "UnschedulablePodUpdatePodToleration"
    POD_GATES_REMOVED = "UnschedulablePodUpdatePodSchedulingGatesEliminated"
    POD_CHANGED = "UnschedulablePodUpdate"

    NAMESPACE_ADDED = "NamespaceAdd"
    NAMESPACE_LABELS_CHANGED = "NamespaceUpdate"

    WILDCARD = "*"  # anything may have changed: every waiting pod is worth a try
