"""VolumeZone: volumes whose labels say in which zones and regions they can be used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.api.volumes import PersistentVolume, PersistentVolumeClaim
from pilotfish.framework.arrays import Mask, lookup
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import SKIP, Reject, Skip
from pilotfish.framework.volumes import Volumes, claim_uses
from pilotfish.plugins.csi_migration import BETA_REGION, BETA_ZONE, REGION, ZONE, ZONE_DELIMITER

CONFLICT: Final = "node(s) had no available volume zone"
KEYS: Final = (BETA_ZONE, BETA_REGION, ZONE, REGION)
NEWER: Final = {BETA_ZONE: ZONE, BETA_REGION: REGION}
WAIT_FOR_FIRST_CONSUMER: Final = "WaitForFirstConsumer"

Topology: TypeAlias = tuple[str, frozenset[str]]  # a label, and the values that it may have


class VolumeZone(Plugin):
    """Keep pods in the zones and regions that the labels of their volumes name.

    Nodes without any such label are in no zone; they are left alone.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/volumezone/volume_zone.go.
    """

    name = "VolumeZone"
    requeue_on = frozenset(
        {
            ClusterEvent.STORAGE_CLASS_ADDED,
            ClusterEvent.NODE_ADDED,
            ClusterEvent.NODE_LABELS_CHANGED,
            ClusterEvent.CLAIM_ADDED,
            ClusterEvent.CLAIM_CHANGED,
            ClusterEvent.VOLUME_ADDED,
            ClusterEvent.VOLUME_CHANGED,
        }
    )
    reads = frozenset({"persistentvolumes", "persistentvolumeclaims", "storageclasses"})
    reads_pods = False

    def pre_filter(self, pod: Pod, cluster: Cluster) -> tuple[Topology, ...] | Reject | Skip:
        """List what the labels of the pod's volumes want."""
        volumes = cluster.volumes
        topologies: list[Topology] = []
        for use in claim_uses(pod):
            if use.owner_uid:
                continue  # as upstream: VolumeBinding alone looks at generic ephemeral volumes
            if not use.name:
                return _no("PersistentVolumeClaim had no name")
            claim = volumes.claim(use.key)
            if claim is None:
                return _no(f'persistentvolumeclaim "{use.name}" not found')
            name = claim.spec.volume_name
            if not name:
                problem = _problem_of_unbound(claim, volumes)
                if problem:
                    return _no(problem)
                continue
            volume = volumes.volume(name)
            if volume is None:
                return _no(f'persistentvolume "{name}" not found')
            topologies += _topologies(volume)
        return tuple(topologies) or SKIP

    def filter(self, nodes: NodeTable, state: tuple[Topology, ...]) -> Iterator[Reject]:
        """Reject nodes in other zones or regions."""
        has_zone = np.zeros(len(nodes), dtype=np.bool_)
        for key in KEYS:
            has_zone |= nodes.label(key).flat_ids >= 0
        fits = np.ones(len(nodes), dtype=np.bool_)
        for key, values in state:
            fits &= _has_value(key, values, nodes)
        yield Reject(has_zone & ~fits, CONFLICT, resolvable=False)


def _no(reason: str) -> Reject:
    return Reject(None, reason, resolvable=False)


def _problem_of_unbound(claim: PersistentVolumeClaim, volumes: Volumes) -> str:
    """Say what is wrong with a claim that has no volume; empty if it only waits for its pod."""
    name = claim.storage_class
    if not name:
        return "PersistentVolumeClaim had no pv name and storageClass name"
    storage_class = volumes.classes.get(name)
    if storage_class is None:
        return f'storageclass.storage.k8s.io "{name}" not found'
    if storage_class.volume_binding_mode is None:
        return f'VolumeBindingMode not set for StorageClass "{name}"'
    if storage_class.volume_binding_mode == WAIT_FOR_FIRST_CONSUMER:
        return ""
    return "PersistentVolume had no name"


def _topologies(volume: PersistentVolume) -> Iterator[Topology]:
    for key in KEYS:
        if key not in volume.labels:
            continue
        values = frozenset(part.strip() for part in volume.labels[key].split(ZONE_DELIMITER))
        if "" not in values:  # upstream passes over labels with an empty part
            yield key, values


def _has_value(key: str, values: frozenset[str], nodes: NodeTable) -> Mask:
    """bool[N]: nodes with one of the values; where the label is absent its newer name counts."""
    column = nodes.label(key)
    found = lookup(value in values for value in column.values)[column.flat_ids]
    if key not in NEWER:
        return found
    newer = _has_value(NEWER[key], values, nodes)
    return np.where(column.flat_ids < 0, newer, found)
