"""VolumeBinding: finds volumes for a pod's claims, and has them bound before the pod is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.api.pod import Pod
from pilotfish.api.volumes import PersistentVolumeClaim
from pilotfish.framework.binding import Assume, PreBind
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import SKIP, Reject, Skip
from pilotfish.framework.volumes import ClaimUse, Volumes, claim_uses
from pilotfish.plugins.volume_plan import Plan
from pilotfish.plugins.volume_search import PodClaims, search

NODE_CONFLICT: Final = "node(s) didn't match PersistentVolume's node affinity"
BIND_CONFLICT: Final = "node(s) didn't find available persistent volumes to bind"
NO_SPACE: Final = "node(s) did not have enough free storage"
NO_VOLUME: Final = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
UNBOUND: Final = "pod has unbound immediate PersistentVolumeClaims"
WAIT_FOR_FIRST_CONSUMER: Final = "WaitForFirstConsumer"
TIMED_OUT: Final = "binding volumes: context deadline exceeded"
DEFAULT_BIND_TIMEOUT_SECONDS: Final = 600  # upstream's default


class VolumeBinding(Plugin):
    """Keep pods where their volumes are, can be bound or can be made.

    Args:
        bind_timeout_seconds: how long a pod waits for its volumes after its node is chosen.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/volumebinding/volume_binding.go.
        It scores with StorageCapacityScoring only, an alpha feature that is off.
    """

    name = "VolumeBinding"
    requeue_on = frozenset(
        {
            ClusterEvent.STORAGE_CLASS_ADDED,
            ClusterEvent.STORAGE_CLASS_CHANGED,
            ClusterEvent.CLAIM_ADDED,
            ClusterEvent.CLAIM_CHANGED,
            ClusterEvent.VOLUME_ADDED,
            ClusterEvent.VOLUME_CHANGED,
            ClusterEvent.NODE_ADDED,
            ClusterEvent.NODE_LABELS_CHANGED,
            ClusterEvent.CSI_NODE_ADDED,
            ClusterEvent.CSI_NODE_CHANGED,
            ClusterEvent.CSI_DRIVER_CHANGED,
            ClusterEvent.STORAGE_CAPACITY_ADDED,
            ClusterEvent.STORAGE_CAPACITY_CHANGED,
        }
    )
    reads = frozenset(
        {
            "persistentvolumes",
            "persistentvolumeclaims",
            "storageclasses",
            "csinodes",
            "csidrivers",
            "csistoragecapacities",
        }
    )

    assumes = frozenset({"persistentvolumes", "persistentvolumeclaims"})
    reads_pods = False

    def __init__(self, bind_timeout_seconds: int = DEFAULT_BIND_TIMEOUT_SECONDS) -> None:
        self._bind_timeout_seconds = bind_timeout_seconds
        self._plans: dict[str, Plan] = {}  # of pods between `reserve` and `pre_bind`, by uid

    def pre_filter(self, pod: Pod, cluster: Cluster) -> PodClaims | Reject | Skip:
        """Sort the pod's claims; all must be there, and bound unless they wait for the pod."""
        uses = list(claim_uses(pod))
        if not uses:
            return SKIP
        volumes = cluster.volumes
        for use in uses:
            problem = _problem(use, pod, volumes)
            if problem:
                return Reject(None, problem, resolvable=False)
        bound, waiting = [], []
        is_ready = True
        for claim in filter(None, (volumes.claim(use.key) for use in uses)):
            if claim.is_fully_bound:
                bound.append(claim)
            elif _waits_for_pod(claim, volumes):
                waiting.append(claim)
            else:
                is_ready = False
        if not is_ready:
            return Reject(None, UNBOUND, resolvable=False)
        return PodClaims(tuple(bound), tuple(waiting), volumes)

    def filter(self, nodes: NodeTable, state: PodClaims) -> Iterator[Reject]:
        """Reject nodes that do not reach the volumes, or get none."""
        found = search(state, nodes)
        yield Reject(found.elsewhere, NODE_CONFLICT, resolvable=False)
        yield Reject(found.without_volume, BIND_CONFLICT, resolvable=False)
        yield Reject(found.without_space, NO_SPACE, resolvable=False)
        yield Reject(found.missing, NO_VOLUME, resolvable=False)

    def reserve(
        self, pod: Pod, node_name: str, cluster: Cluster, state: PodClaims | None
    ) -> Assume | None:
        """Take volumes for the claims, and name the node to those for which one is to be made."""
        if state is None or not state.waiting:
            return None
        plan = self._plans[pod.uid] = Plan.of(state, cluster.nodes, node_name)
        return Assume(tuple(plan.objects()))

    def unreserve(self, pod: Pod) -> None:
        """Drop the plan; what was written stays, and the next attempt goes by it."""
        self._plans.pop(pod.uid, None)

    def pre_bind(self, pod: Pod) -> PreBind | None:
        """Write down what was decided, and wait until the volume controller has bound all."""
        plan = self._plans.pop(pod.uid, None)
        if plan is None:
            return None
        return PreBind(tuple(plan.writes()), plan.is_done, self._bind_timeout_seconds, TIMED_OUT)


def _problem(use: ClaimUse, pod: Pod, volumes: Volumes) -> str:
    """Say what is wrong with one of the pod's claims, in upstream's words; empty for nothing."""
    claim = volumes.claim(use.key)
    if claim is None:
        if use.owner_uid:
            what = "waiting for ephemeral volume controller to create the persistentvolumeclaim"
            return f'{what} "{use.name}"'
        return f'persistentvolumeclaim "{use.name}" not found'
    if claim.status.phase == "Lost":
        of = f'"{claim.spec.volume_name}"'
        return f'persistentvolumeclaim "{use.name}" bound to non-existent persistentvolume {of}'
    if claim.metadata.deletion_timestamp is not None:
        return f'persistentvolumeclaim "{use.name}" is being deleted'
    if use.owner_uid and not claim.is_controlled_by(use.owner_uid):
        return f"PVC {use.key} was not created for pod {pod.key} (pod is not owner)"
    return ""


def _waits_for_pod(claim: PersistentVolumeClaim, volumes: Volumes) -> bool:
    """Say whether a claim is bound only when its pod's node is known.

    Raises:
        ValueError: its class does not say.
    """
    storage_class = volumes.classes.get(claim.storage_class)
    if storage_class is None:
        return False
    if storage_class.volume_binding_mode is None:
        raise ValueError(f'VolumeBindingMode not set for StorageClass "{storage_class.name}"')
    is_delayed = storage_class.volume_binding_mode == WAIT_FOR_FIRST_CONSUMER
    return is_delayed and not claim.spec.volume_name
