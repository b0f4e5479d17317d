"""PrioritySort: more important pods first, then those that have waited longer."""

from __future__ import annotations

from pilotfish.api.pod import Pod
from pilotfish.framework.plugin import Plugin


class PrioritySort(Plugin):
    """Order the active queue by priority, then by the time of entry.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/queuesort/priority_sort.go.
    """

    name = "PrioritySort"
    is_verified = True

    def sort_key(self, pod: Pod, timestamp: float) -> tuple[int, float]:
        """Return the pod's place; smaller comes first."""
        return -pod.priority, timestamp
