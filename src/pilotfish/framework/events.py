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
    NODE_ALLOCATABLE_CHANGED = "NodeAllocatableChange"
    NODE_LABELS_CHANGED = "NodeLabelChange"
    NODE_TAINTS_CHANGED = "NodeTaintChange"  # also: the node is schedulable again
    NODE_FEATURES_CHANGED = "NodeDeclaredFeatureChange"
    NODE_IMAGES_CHANGED = "NodeUpdate"  # differs: upstream has no event for images

    ASSIGNED_POD_ADDED = "AssignedPodAdd"
    ASSIGNED_POD_DELETED = "AssignedPodDelete"  # also: it ended, or an assumed pod was forgotten
    ASSIGNED_POD_LABELS_CHANGED = "AssignedPodLabelChange"
    ASSIGNED_POD_SCALED_DOWN = "AssignedPodScaleDown"
    ASSIGNED_POD_CHANGED = "AssignedPodUpdate"

    # Changes of the waiting pod itself.
    POD_LABELS_CHANGED = "UnscheduledPodLabelChange"
    POD_SCALED_DOWN = "UnscheduledPodScaleDown"
    POD_TOLERATIONS_CHANGED = "UnscheduledPodTolerationChange"
    POD_GATES_REMOVED = "UnscheduledPodSchedulingGatesEliminated"
    POD_CHANGED = "UnscheduledPodUpdate"

    NAMESPACE_ADDED = "NamespaceAdd"
    NAMESPACE_LABELS_CHANGED = "NamespaceUpdate"

    WILDCARD = "*"  # anything may have changed: every waiting pod is worth a try
