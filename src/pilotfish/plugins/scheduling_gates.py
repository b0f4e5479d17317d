"""SchedulingGates: pods wait until their gates are removed."""

from __future__ import annotations

from pilotfish.api.pod import Pod
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import Reject


class SchedulingGates(Plugin):
    """Keep a pod out of the queue while it has scheduling gates.

    Source: kubernetes v1.36
        pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go.
    """

    name = "SchedulingGates"
    requeue_on = frozenset({ClusterEvent.POD_GATES_REMOVED})

    def pre_enqueue(self, pod: Pod) -> Reject | None:
        """Reject a pod with gates."""
        if not pod.spec.scheduling_gates:
            return None
        gates = " ".join(gate.name for gate in pod.spec.scheduling_gates)
        return Reject(None, f"waiting for scheduling gates: [{gates}]", resolvable=False)
