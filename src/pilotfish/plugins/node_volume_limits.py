"""NodeVolumeLimits: how many volumes of a CSI driver a node can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.api.volumes import CSIVolume, PersistentVolumeClaim
from pilotfish.framework.arrays import Mask, Scores, count_per_node
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import SKIP, Reject, Skip
from pilotfish.framework.volumes import ClaimUse, Volumes, VolumeUse, volume_uses
from pilotfish.plugins.csi_migration import (
    DRIVER_OF_PROVISIONER,
    NotTranslatableError,
    disk_as_csi,
    volume_as_csi,
)

TOO_MANY: Final = "node(s) exceed max volume count"


class UsedVolumes(msgspec.Struct, frozen=True):
    """What a pod uses.

    Attributes:
        known: all volumes, to look up those of pods.
    """

    uses: tuple[VolumeUse, ...]
    known: Volumes


class NodeVolumeLimits(Plugin):
    """Keep a node's volumes of each CSI driver below the driver's limit there.

    A volume counts once a node, however many pods use it; one that is attached counts though its
    pods are gone. Most nodes are far from their limit, so those whose volumes are few, even if each
    were counted twice, are not looked at closely.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/nodevolumelimits/csi.go.
        VolumeLimitScaling, an alpha feature, is off.
    """

    name = "NodeVolumeLimits"
    requeue_on = frozenset(
        {
            ClusterEvent.CSI_NODE_ADDED,
            ClusterEvent.CSI_NODE_CHANGED,
            ClusterEvent.ASSIGNED_POD_DELETED,
            ClusterEvent.CLAIM_ADDED,
            ClusterEvent.ATTACHMENT_DELETED,
        }
    )
    reads = frozenset(
        {
            "persistentvolumes",
            "persistentvolumeclaims",
            "storageclasses",
            "csinodes",
            "volumeattachments",
        }
    )

    def pre_filter(self, pod: Pod, cluster: Cluster) -> UsedVolumes | Skip:
        """Skip pods without volumes that can count."""
        uses = volume_uses(pod)
        return UsedVolumes(uses, cluster.volumes) if uses else SKIP

    def filter(self, nodes: NodeTable, state: UsedVolumes, alive: Mask) -> Iterator[Reject]:
        """Reject nodes that would hold too many."""
        for use in state.uses:
            if isinstance(use, ClaimUse) and state.known.claim(use.key) is None:
                why = f'looking up PVC {use.key}: persistentvolumeclaim "{use.name}" not found'
                yield Reject(np.ones(len(nodes), dtype=np.bool_), why, resolvable=False)
                return
        volumes = frozenset(_csi_volumes(state.uses, state.known))
        wanted = Counter(volume.driver for volume in volumes)
        at_most = count_per_node(nodes.volumes.ids >= 0)
        at_most += count_per_node(nodes.attachments.ids >= 0)
        full = np.zeros(len(nodes), dtype=np.bool_)
        for row in np.flatnonzero(alive & _may_be_full(nodes, wanted, at_most)).tolist():
            full[row] = _is_full(nodes, row, volumes, state.known)
        yield Reject(full, TOO_MANY)


def _may_be_full(nodes: NodeTable, wanted: Counter[str], at_most: Scores) -> Mask:
    """bool[N]: nodes where the pod may not fit, given how many volumes there are at most."""
    room = [
        min(
            (limit - wanted[name] for name, limit in of_node.limits if name in wanted), default=None
        )
        for of_node in nodes.drivers.values
    ]
    unlimited = np.iinfo(np.int64).max
    free = np.array([*(unlimited if one is None else one for one in room), unlimited], np.int64)
    return at_most > free[nodes.drivers.flat_ids]


def _is_full(nodes: NodeTable, row: int, wanted: frozenset[CSIVolume], known: Volumes) -> bool:
    """Count the volumes on a node, each once.

    An attached volume that the pod wants counts as one more unless a pod uses it there.
    """
    in_use = set(_csi_volumes(nodes.volumes.of(row), known))
    attached: set[CSIVolume] = set()
    for attachment in nodes.attachments.of(row):
        volume = known.volume(attachment.volume_name)
        if volume is not None and volume.spec.csi is not None:
            attached.add(CSIVolume(attachment.attacher, volume.spec.csi.volume_handle))
    there = Counter(volume.driver for volume in in_use | attached)
    added = Counter(volume.driver for volume in wanted - in_use)
    (of_node,) = nodes.drivers.of(row)
    return any(added[name] and there[name] + added[name] > limit for name, limit in of_node.limits)


def _csi_volumes(uses: Iterable[VolumeUse], known: Volumes) -> Iterator[CSIVolume]:
    for use in uses:
        volume = _csi_volume(use, known)
        if volume is not None:
            yield volume


def _csi_volume(use: VolumeUse, known: Volumes) -> CSIVolume | None:
    """Return what a pod uses, as its CSI driver calls it; None if no driver serves it.

    Raises:
        NotTranslatableError: a CSI driver should serve a disk and cannot.
        ValueError: a claim is not the pod's.
    """
    if not isinstance(use, ClaimUse):
        return disk_as_csi(use)
    claim = known.claim(use.key)
    if claim is None:
        return None
    if use.owner_uid and not claim.is_controlled_by(use.owner_uid):
        raise ValueError(f"claim {claim.key} was not made for its pod")
    volume = known.volume(claim.spec.volume_name)
    if volume is None:
        return _volume_to_be(claim, known)
    try:
        found = volume_as_csi(volume)
    except NotTranslatableError:
        return None
    return found if found is not None and found.driver and found.volume_handle else None


def _volume_to_be(claim: PersistentVolumeClaim, known: Volumes) -> CSIVolume | None:
    """Stand in for the volume that a claim's class will make; no real handle has a blank."""
    storage_class = known.classes.get(claim.storage_class)
    if storage_class is None:
        return None
    provisioner = storage_class.provisioner
    driver = DRIVER_OF_PROVISIONER.get(provisioner, provisioner)
    return CSIVolume(driver, f"of claim {claim.key}") if driver else None
