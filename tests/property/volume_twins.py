"""The simple version of each volume plugin, node by node, on objects in plain dicts.

They are the specification: none of them knows the index of volumes or the columns of nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from pilotfish.api.node import Node
from pilotfish.api.pod import Pod, Volume
from pilotfish.api.selectors import NodeSelector
from pilotfish.api.volumes import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    CSIVolume,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from pilotfish.framework import ClusterEvent, NodeTable, Plugin, Reject
from pilotfish.framework.volumes import disk_of
from pilotfish.plugins.csi_migration import (
    DRIVER_OF_PROVISIONER,
    disk_as_csi,
    migration_of,
    translated_affinity,
    volume_as_csi,
)

ANY_EVENT = frozenset({ClusterEvent.WILDCARD})
ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
BETA = "failure-domain.beta.kubernetes.io/"
NEWER = {f"{BETA}zone": ZONE, f"{BETA}region": REGION, ZONE: ZONE, REGION: REGION}

NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


@dataclass(slots=True)
class World:
    """Everything there is, by name; claims by `namespace/name`, pods by node."""

    nodes: dict[str, Node] = field(default_factory=dict)
    pods: dict[str, list[Pod]] = field(default_factory=dict)
    volumes: dict[str, PersistentVolume] = field(default_factory=dict)
    claims: dict[str, PersistentVolumeClaim] = field(default_factory=dict)
    classes: dict[str, StorageClass] = field(default_factory=dict)
    csi_nodes: dict[str, CSINode] = field(default_factory=dict)
    drivers: dict[str, CSIDriver] = field(default_factory=dict)
    capacities: dict[str, CSIStorageCapacity] = field(default_factory=dict)
    attachments: dict[str, VolumeAttachment] = field(default_factory=dict)


class VolumeTwin(Plugin):
    """A plugin that is asked about one node at a time, and may have several reasons."""

    requeue_on = ANY_EVENT
    resolvable: ClassVar[bool]

    def __init__(self, world: World) -> None:
        self.world = world

    def pre_filter(self, pod: Pod) -> Any:
        """Reject the pod as a whole, if something is wrong with it."""
        problem = next(self.problems(pod), "")
        return Reject(None, problem, resolvable=False) if problem else object()

    def filter(self, pod: Pod, nodes: NodeTable) -> Iterator[Reject]:
        """Ask about each node."""
        for row, name in enumerate(nodes.names):
            for reason in self.reasons(pod, self.world.nodes[name]):
                mask = np.zeros(len(nodes), dtype=np.bool_)
                mask[row] = True
                yield Reject(mask, reason, resolvable=self.resolvable)

    def problems(self, pod: Pod) -> Iterator[str]:
        """Say what is wrong with the pod."""
        raise NotImplementedError

    def reasons(self, pod: Pod, node: Node) -> Iterable[str]:
        """Say what speaks against a node."""
        raise NotImplementedError


def claim_names(pod: Pod) -> Iterator[tuple[Volume, str]]:
    """Name the claims of a pod's volumes."""
    for volume in pod.spec.volumes:
        if volume.persistent_volume_claim is not None:
            yield volume, volume.persistent_volume_claim.claim_name
        elif volume.ephemeral is not None:
            yield volume, f"{pod.name}-{volume.name}"


class VolumeRestrictions(VolumeTwin):
    """One pod for a disk on a node, one pod for a claim in the cluster."""

    name = "VolumeRestrictions"
    resolvable = True

    def problems(self, pod: Pod) -> Iterator[str]:
        """Miss claims."""
        for volume, name in claim_names(pod):
            if volume.ephemeral is None and f"{pod.namespace}/{name}" not in self.world.claims:
                yield f'persistentvolumeclaim "{name}" not found'

    def reasons(self, pod: Pod, node: Node) -> Iterator[str]:
        """Compare each volume with each volume on the node, and each claim with all claims."""
        others = [v for other in self.world.pods.get(node.name, ()) for v in other.spec.volumes]
        if any(self._clash(one, other) for one in pod.spec.volumes for other in others):
            yield "node(s) had no available disk"
        elif any(self._is_taken(pod, name) for v, name in claim_names(pod) if not v.ephemeral):
            yield (
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access "
                "mode already in-use by another pod"
            )

    def _is_taken(self, pod: Pod, name: str) -> bool:
        if "ReadWriteOncePod" not in self.world.claims[f"{pod.namespace}/{name}"].spec.access_modes:
            return False
        return any(
            other.namespace == pod.namespace and not volume.ephemeral and used == name
            for node_name in self.world.nodes
            for other in self.world.pods.get(node_name, ())
            for volume, used in claim_names(other)
        )

    def _clash(self, one: Volume, other: Volume) -> bool:
        aws, other_aws = one.aws_elastic_block_store, other.aws_elastic_block_store
        if aws and other_aws:
            return aws.volume_id == other_aws.volume_id
        gce, other_gce = one.gce_persistent_disk, other.gce_persistent_disk
        if gce and other_gce and gce.pd_name == other_gce.pd_name:
            return not (gce.read_only and other_gce.read_only)
        if one.iscsi and other.iscsi and one.iscsi.iqn == other.iscsi.iqn:
            return not (one.iscsi.read_only and other.iscsi.read_only)
        rbd, other_rbd = one.rbd, other.rbd
        if rbd and other_rbd and (rbd.pool, rbd.image) == (other_rbd.pool, other_rbd.image):
            has_common = any(monitor in other_rbd.monitors for monitor in rbd.monitors)
            return has_common and not (rbd.read_only and other_rbd.read_only)
        return False


class VolumeZone(VolumeTwin):
    """The zones in the labels of bound volumes."""

    name = "VolumeZone"
    resolvable = False

    def problems(self, pod: Pod) -> Iterator[str]:
        """Miss claims, classes and volumes."""
        world = self.world
        for volume, name in claim_names(pod):
            if volume.ephemeral is not None:
                continue
            claim = world.claims.get(f"{pod.namespace}/{name}")
            if claim is None:
                yield f'persistentvolumeclaim "{name}" not found'
            elif claim.spec.volume_name:
                if claim.spec.volume_name not in world.volumes:
                    yield f'persistentvolume "{claim.spec.volume_name}" not found'
            elif not claim.storage_class:
                yield "PersistentVolumeClaim had no pv name and storageClass name"
            elif claim.storage_class not in world.classes:
                yield f'storageclass.storage.k8s.io "{claim.storage_class}" not found'
            elif world.classes[claim.storage_class].volume_binding_mode is None:
                yield f'VolumeBindingMode not set for StorageClass "{claim.storage_class}"'
            elif world.classes[claim.storage_class].volume_binding_mode == "Immediate":
                yield "PersistentVolume had no name"

    def reasons(self, pod: Pod, node: Node) -> Iterator[str]:
        """Compare labels, on nodes that are in a zone or region at all."""
        if not NEWER.keys() & node.labels.keys():
            return
        for volume, name in claim_names(pod):
            claim = self.world.claims.get(f"{pod.namespace}/{name}")
            bound = self.world.volumes.get(claim.spec.volume_name) if claim else None
            if volume.ephemeral is not None or bound is None:
                continue
            for key, newer in NEWER.items():
                zones = [part.strip() for part in bound.labels.get(key, "").split("__")]
                label = node.labels.get(key, node.labels.get(newer))
                if "" not in zones and label not in zones:
                    yield "node(s) had no available volume zone"
                    return


class NodeVolumeLimits(VolumeTwin):
    """Each volume of a CSI driver once."""

    name = "NodeVolumeLimits"
    resolvable = True

    def problems(self, _pod: Pod) -> Iterator[str]:
        """Never reject the pod itself."""
        yield from ()

    def reasons(self, pod: Pod, node: Node) -> Iterator[str]:
        """Count what is there, and what would come."""
        world, csi_node = self.world, self.world.csi_nodes.get(node.name)
        if csi_node is None:
            return
        in_use = {v for other in world.pods.get(node.name, ()) for v in self._volumes(other)}
        there = set(in_use)
        for one in world.attachments.values():
            volume = world.volumes.get(one.spec.source.persistent_volume_name or "")
            csi = volume.spec.csi if volume is not None else None
            if one.spec.node_name == node.name and one.spec.attacher and csi is not None:
                there.add(CSIVolume(one.spec.attacher, csi.volume_handle))
        count = Counter(volume.driver for volume in there)
        new = Counter(volume.driver for volume in set(self._volumes(pod)) - in_use)
        limits = {one.name: one.allocatable.count for one in csi_node.spec.drivers}
        for driver, more in new.items():
            limit = limits.get(driver)
            if limit is not None and count[driver] + more > limit:
                yield "node(s) exceed max volume count"
                return

    def _volumes(self, pod: Pod) -> Iterator[CSIVolume]:
        for volume in pod.spec.volumes:
            disk = disk_of(volume)
            as_csi = disk_as_csi(disk) if disk else None
            if as_csi is not None:
                yield as_csi
        for _, name in claim_names(pod):
            claim = self.world.claims.get(f"{pod.namespace}/{name}")
            if claim is None:
                continue
            bound = self.world.volumes.get(claim.spec.volume_name)
            of_class = self.world.classes.get(claim.storage_class)
            if bound is not None:
                as_csi = volume_as_csi(bound)
                if as_csi is not None:
                    yield as_csi
            elif of_class is not None:
                made_by = of_class.provisioner
                driver = DRIVER_OF_PROVISIONER.get(made_by, made_by)
                if driver:
                    yield CSIVolume(driver, f"to be made for {claim.key}")


class VolumeBinding(VolumeTwin):
    """A volume for each claim."""

    name = "VolumeBinding"
    resolvable = False

    def problems(self, pod: Pod) -> Iterator[str]:
        """Look at each claim, then whether all is bound that must be."""
        is_ready = True
        for volume, name in claim_names(pod):
            claim = self.world.claims.get(f"{pod.namespace}/{name}")
            if claim is None and volume.ephemeral is not None:
                what = "ephemeral volume controller to create the persistentvolumeclaim"
                yield f'waiting for {what} "{name}"'
            elif claim is None:
                yield f'persistentvolumeclaim "{name}" not found'
            elif claim.status.phase == "Lost":
                lost = f'bound to non-existent persistentvolume "{claim.spec.volume_name}"'
                yield f'persistentvolumeclaim "{name}" {lost}'
            elif claim.metadata.deletion_timestamp is not None:
                yield f'persistentvolumeclaim "{name}" is being deleted'
            elif volume.ephemeral is not None and not claim.is_controlled_by(pod.uid):
                yield f"PVC {claim.key} was not created for pod {pod.key} (pod is not owner)"
            else:
                is_ready &= claim.is_fully_bound or self._waits(claim)
        if not is_ready:
            yield "pod has unbound immediate PersistentVolumeClaims"

    def reasons(self, pod: Pod, node: Node) -> Iterator[str]:
        """Check bound claims, then find volumes for the others, or make them."""
        claims = [self.world.claims[f"{pod.namespace}/{name}"] for _, name in claim_names(pod)]
        for claim in claims:
            if claim.is_fully_bound:
                volume = self.world.volumes.get(claim.spec.volume_name)
                if volume is None:
                    yield NO_VOLUME
                    break
                if not self._reaches(self._affinity(volume, node), node):
                    yield "node(s) didn't match PersistentVolume's node affinity"
                    break
        yield from self._unbound([one for one in claims if not one.is_fully_bound], node)

    def _unbound(self, claims: list[PersistentVolumeClaim], node: Node) -> Iterator[str]:
        others: list[PersistentVolumeClaim] = []
        to_make: list[PersistentVolumeClaim] = []
        for claim in claims:
            chosen = claim.metadata.annotations.selected_node
            if chosen not in (None, node.name):
                yield "node(s) didn't find available persistent volumes to bind"
                return
            (others if chosen is None else to_make).append(claim)
        taken: set[str] = set()
        for claim in sorted(others, key=lambda one: one.size.nano):
            name = self._volume_for(claim, node, taken)
            if name is None:
                to_make.append(claim)
            else:
                taken.add(name)
        for claim in to_make:
            reason = self._cannot_make(claim, node)
            if reason:
                yield reason
                return

    def _volume_for(self, claim: PersistentVolumeClaim, node: Node, taken: set[str]) -> str | None:
        best: PersistentVolume | None = None
        for name in sorted(self.world.volumes.keys() - taken):
            volume = self.world.volumes[name]
            spec, wanted = volume.spec, claim.spec
            is_own = volume.is_bound_to(claim)
            if volume.storage_class != claim.storage_class or (spec.claim_ref and not is_own):
                continue
            if volume.size < claim.size or spec.volume_mode != wanted.volume_mode:
                continue
            if spec.volume_attributes_class_name != wanted.volume_attributes_class_name:
                continue
            if volume.metadata.deletion_timestamp is not None:
                continue
            reaches = self._reaches(spec.node_affinity.required, node)
            if is_own:
                return name if reaches else None
            if volume.status.phase != "Available" or not reaches:
                continue
            if wanted.selector is not None and not wanted.selector.matches(volume.labels):
                continue
            if any(mode not in spec.access_modes for mode in wanted.access_modes):
                continue
            if best is None or volume.size < best.size:
                best = volume
        return None if best is None else best.name

    def _cannot_make(self, claim: PersistentVolumeClaim, node: Node) -> str:
        of_class = self.world.classes[claim.storage_class]
        places = [
            all(node.labels.get(one.key) in one.values for one in term.match_label_expressions)
            for term in of_class.allowed_topologies
            if term.match_label_expressions
        ]
        is_made = of_class.provisioner not in ("", "kubernetes.io/no-provisioner")
        if not is_made or (of_class.allowed_topologies and not any(places)):
            return "node(s) didn't find available persistent volumes to bind"
        driver = self.world.drivers.get(of_class.provisioner)
        is_told = driver is not None and driver.spec.storage_capacity
        if not is_told or "storage" not in claim.spec.resources.requests:
            return ""
        for room in self.world.capacities.values():
            limit = room.capacity if room.maximum_volume_size is None else room.maximum_volume_size
            if room.storage_class_name != of_class.name or room.node_topology is None:
                continue
            is_enough = limit is not None and limit.value() >= claim.size.value()
            if is_enough and room.node_topology.matches(node.labels):
                return ""
        return "node(s) did not have enough free storage"

    def _waits(self, claim: PersistentVolumeClaim) -> bool:
        of_class = self.world.classes.get(claim.storage_class)
        is_late = of_class is not None and of_class.volume_binding_mode == "WaitForFirstConsumer"
        return is_late and not claim.spec.volume_name

    def _affinity(self, volume: PersistentVolume, node: Node) -> NodeSelector | None:
        migration, csi_node = migration_of(volume), self.world.csi_nodes.get(node.name)
        if migration is not None and csi_node is not None:
            names = csi_node.metadata.annotations.migrated_plugins or ""
            if migration.plugin in names.split(","):
                return translated_affinity(volume, migration)
        return volume.spec.node_affinity.required

    def _reaches(self, selector: NodeSelector | None, node: Node) -> bool:
        return selector is None or selector.matches(node.labels, "")
