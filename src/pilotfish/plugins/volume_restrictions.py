"""VolumeRestrictions: disks and claims that only one pod may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.api.volumes import ISCSI, RBD, AWSElasticBlockStore, GCEPersistentDisk
from pilotfish.framework.arrays import Scores, any_per_node, lookup
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import Changes, NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.rejection import SKIP, Reject, Skip
from pilotfish.framework.volumes import ClaimUse, Disk, VolumeUse, claim_uses, disk_of

DISK_CONFLICT: Final = "node(s) had no available disk"
CLAIM_CONFLICT: Final = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
    "already in-use by another pod"
)
READ_WRITE_ONCE_POD: Final = "ReadWriteOncePod"
RESTRICTED: Final = (GCEPersistentDisk, AWSElasticBlockStore, ISCSI, RBD)


class RestrictedVolumes(msgspec.Struct, frozen=True):
    """What a pod wants for itself.

    Attributes:
        disks: its disks.
        claims: the names of its claims that only one pod may use.
        conflicts: int64[N], or one number for all nodes: how often others use these claims.
    """

    disks: tuple[Disk, ...]
    claims: frozenset[str]
    conflicts: Scores | int

    def with_changes(self, changes: Mapping[int, Changes]) -> RestrictedVolumes:
        """Give the state when these pods come and go, each row on its own.

        differs: nothing; upstream, too, takes claims of the same name in another namespace for the
            pod's own here.
        """
        if not self.claims:
            return self
        given = self.conflicts
        rows = list(changes)
        conflicts = np.array([given] * len(rows)) if isinstance(given, int) else given[rows]
        for place, change in enumerate(changes.values()):
            conflicts[place] += sum(map(self._uses_of, change.added))
            conflicts[place] -= sum(map(self._uses_of, change.removed))
        return RestrictedVolumes(self.disks, self.claims, conflicts)

    def _uses_of(self, pod: PodInfo) -> int:
        return sum(
            isinstance(use, ClaimUse) and not use.owner_uid and use.name in self.claims
            for use in pod.volumes
        )


class VolumeRestrictions(Plugin):
    """Keep pods apart that want the same disk, or a claim that is for one pod only.

    Source: kubernetes v1.36
        pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go.
    """

    name = "VolumeRestrictions"
    requeue_on = frozenset(
        {ClusterEvent.ASSIGNED_POD_DELETED, ClusterEvent.NODE_ADDED, ClusterEvent.CLAIM_ADDED}
    )
    reads = frozenset({"persistentvolumeclaims"})

    def pre_filter(
        self, pod: Pod, cluster: Cluster, nodes: NodeTable
    ) -> RestrictedVolumes | Reject | Skip:
        """Count who uses the pod's claims that only one pod may use."""
        if not pod.spec.volumes:
            return SKIP
        claims = set()
        for use in claim_uses(pod):
            if use.owner_uid:
                continue
            claim = cluster.volumes.claim(use.key)
            if claim is None:
                reason = f'persistentvolumeclaim "{use.name}" not found'
                return Reject(None, reason, resolvable=False)
            if READ_WRITE_ONCE_POD in claim.spec.access_modes:
                claims.add(use)
        conflicts = sum(nodes.volumes.uses_of(use) > 0 for use in claims)
        found = (disk_of(volume) for volume in pod.spec.volumes)
        disks = tuple(disk for disk in found if isinstance(disk, RESTRICTED))
        if not disks and not conflicts:
            return SKIP
        return RestrictedVolumes(disks, frozenset(use.name for use in claims), conflicts)

    def filter(self, nodes: NodeTable, state: RestrictedVolumes) -> Iterator[Reject]:
        """Reject nodes with a pod that has one of the disks, then all while a claim is in use."""
        free = np.ones(len(nodes), dtype=np.bool_)
        if state.disks:
            taken = lookup(
                any(_conflict(disk, use) for disk in state.disks) for use in nodes.volumes.values
            )
            free = ~any_per_node(taken[nodes.volumes.ids])
            yield Reject(~free, DISK_CONFLICT)
        yield Reject(free & (np.asarray(state.conflicts) > 0), CLAIM_CONFLICT)


def _conflict(disk: Disk, other: VolumeUse) -> bool:
    """Say whether two pods on one node may not have these."""
    match disk, other:
        case GCEPersistentDisk(), GCEPersistentDisk():
            is_same = disk.pd_name == other.pd_name
        case AWSElasticBlockStore(), AWSElasticBlockStore():
            return disk.volume_id == other.volume_id
        case ISCSI(), ISCSI():
            is_same = disk.iqn == other.iqn
        case RBD(), RBD():
            is_same = (disk.pool, disk.image) == (other.pool, other.image)
            is_same &= not set(disk.monitors).isdisjoint(other.monitors)
        case _:
            return False
    return is_same and not (disk.read_only and other.read_only)
