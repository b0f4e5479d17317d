"""DynamicResources: what it says about pods without resource claims; others it does not let pass.

Source: kubernetes v1.36 pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pilotfish.api.pod import Pod
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.post_filter import Decline
from pilotfish.framework.profile_results import RejectedBy
from pilotfish.framework.rejection import Reject

NO_CLAIMS: Final = "no claims"  # the state of a pod that needs none
REASON: Final = "resource claims are not supported by this scheduler"


class DynamicResources(Plugin):
    """Speaks about resource claims.

    differs: a pod with claims waits for a scheduler that can allocate them; it is not read whether
    they exist. A pod that requests an extended resource for which a DeviceClass stands fits only
    where a node offers the resource itself.
    """

    name = "DynamicResources"
    requeue_on = frozenset({ClusterEvent.POD_CHANGED})

    def pre_filter(self, pod: Pod) -> Reject | str:
        """Reject pods with claims."""
        if pod.spec.resource_claims:
            return Reject(None, REASON, resolvable=False)
        return NO_CLAIMS

    def post_filter(self, state: str | None, rejections: Sequence[RejectedBy]) -> Decline:
        """Free no claim; without a state, an earlier plugin rejected the pod as a whole."""
        if any(rejected.plugin == self.name for rejected in rejections):
            return Decline("still not schedulable")
        if state is None:
            return Decline("not found", is_final=True)
        return Decline("no new claims to deallocate")
