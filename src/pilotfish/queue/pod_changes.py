"""Which events the update of a pending pod is."""

from __future__ import annotations

from pilotfish.api.pod import Pod
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.resources import pod_requests


def changes_of(old: Pod, new: Pod) -> list[ClusterEvent]:
    """List what changed in a pending pod, as events for that pod alone.

    Source: kubernetes v1.36 pkg/scheduler/framework/events.go (PodSchedulingPropertiesChange).
    differs: a change of the status alone is no event, for scheduling reads nothing of it here.
    """
    if old.spec == new.spec and old.labels == new.labels:
        return []
    events = []
    if old.labels != new.labels:
        events.append(ClusterEvent.POD_LABELS_CHANGED)
    before, after = pod_requests(old), pod_requests(new)
    if any(after.get(name, 0) < amount for name, amount in before.items()):
        events.append(ClusterEvent.POD_SCALED_DOWN)
    if old.spec.scheduling_gates and not new.spec.scheduling_gates:
        events.append(ClusterEvent.POD_GATES_REMOVED)
    if old.spec.tolerations != new.spec.tolerations:
        events.append(ClusterEvent.POD_TOLERATIONS_CHANGED)
    return events or [ClusterEvent.POD_CHANGED]
