"""What is to become of a pod's claims on its chosen node, and whether it has.

Source: kubernetes v1.36 pkg/scheduler/framework/plugins/volumebinding/binder.go (AssumePodVolumes,
    bindAPIUpdate, checkBindings),
    staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go (GetBindVolumeToClaim).
    differs: patches with the version as a precondition in place of updates, and none where nothing
    changes.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.volumes import (
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    ClaimReference,
    PersistentVolume,
    PersistentVolumeClaim,
)
from pilotfish.framework.binding import Patch
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.errors import BindingError
from pilotfish.framework.node_table import Changes, NodeTable
from pilotfish.plugins.volume_search import PodClaims, reached_from, search


class StaticBinding(msgspec.Struct, frozen=True):
    """A volume that is set aside for a claim.

    Attributes:
        was: the volume before; the same as `volume` where it was set aside already.
    """

    was: PersistentVolume
    volume: PersistentVolume
    claim: PersistentVolumeClaim


class Provision(msgspec.Struct, frozen=True):
    """A claim for which a volume is to be made for the node.

    Attributes:
        was: the claim before; the same as `claim` where the node was named already.
    """

    was: PersistentVolumeClaim
    claim: PersistentVolumeClaim


class Plan(msgspec.Struct, frozen=True):
    """How the claims of a pod get their volumes on a node."""

    node_name: str
    bindings: tuple[StaticBinding, ...]
    provisions: tuple[Provision, ...]

    @staticmethod
    def of(claims: PodClaims, nodes: NodeTable, node_name: str) -> Plan:
        """Plan for a node that passed the filter."""
        found = search(claims, nodes.overlay({nodes.row_of[node_name]: Changes()}))
        bindings = [
            StaticBinding(volume, _set_aside(volume, claim), claim)
            for claim, (place,) in found.matches
            if place >= 0
            for volume in (found.pool[place],)
        ]
        provisions = [
            Provision(claim, _with_node(claim, node_name))
            for claim, (is_wanted,) in found.provisions
            if is_wanted
        ]
        return Plan(node_name, tuple(bindings), tuple(provisions))

    def objects(self) -> Iterator[tuple[str, KubernetesObject]]:
        """Yield what changes, as it will be."""
        for binding in self.bindings:
            if binding.volume != binding.was:
                yield "persistentvolumes", binding.volume
        for provision in self.provisions:
            if provision.claim != provision.was:
                yield "persistentvolumeclaims", provision.claim

    def writes(self) -> Iterator[Patch]:
        """Yield what to tell the volume controller and the provisioners."""
        for binding in self.bindings:
            if binding.volume != binding.was:
                yield _patch_of_volume(binding.volume)
        for provision in self.provisions:
            if provision.claim != provision.was:
                yield _patch_of_claim(provision.claim, self.node_name)

    def is_done(self, cluster: Cluster) -> bool:
        """Say whether all claims are bound, by what the API server says.

        Raises:
            BindingError: they cannot be any more.
        """
        row = cluster.nodes.row_of.get(self.node_name)
        if row is None:
            name = f'node "{self.node_name}"'
            raise _not_found(f"get {name}", name)
        node = cluster.nodes.overlay({row: Changes()})
        are_bound = [_is_bound(one, cluster, node) for one in self.bindings]
        are_made = [_is_made(one, cluster, node) for one in self.provisions]
        return all((*are_bound, *are_made))


def _set_aside(volume: PersistentVolume, claim: PersistentVolumeClaim) -> PersistentVolume:
    """Give a volume to a claim, as the volume controller would."""
    of, meta = volume.spec.claim_ref, volume.metadata
    if not volume.is_bound_to(claim) and meta.annotations.bound_by_controller is None:
        meta = replace(meta, annotations=replace(meta.annotations, bound_by_controller="yes"))
    if of is None or of.uid != claim.uid:
        version = claim.metadata.resource_version
        what = ("v1", "PersistentVolumeClaim", claim.namespace, claim.name, claim.uid, version)
        of = ClaimReference(*what)
    return replace(volume, metadata=meta, spec=replace(volume.spec, claim_ref=of))


def _with_node(claim: PersistentVolumeClaim, node_name: str) -> PersistentVolumeClaim:
    annotations = replace(claim.metadata.annotations, selected_node=node_name)
    return replace(claim, metadata=replace(claim.metadata, annotations=annotations))


def _patch_of_volume(volume: PersistentVolume) -> Patch:
    meta = volume.metadata
    body = {"spec": {"claimRef": msgspec.to_builtins(volume.spec.claim_ref)}}
    if meta.annotations.bound_by_controller is not None:
        body["metadata"] = {"annotations": {BOUND_BY_CONTROLLER: "yes"}}
    return Patch(
        "persistentvolumes",
        meta.name,
        body,
        uid=meta.uid,
        resource_version=meta.resource_version,
    )


def _patch_of_claim(claim: PersistentVolumeClaim, node_name: str) -> Patch:
    meta = claim.metadata
    return Patch(
        "persistentvolumeclaims",
        meta.name,
        {"metadata": {"annotations": {SELECTED_NODE: node_name}}},
        meta.namespace,
        uid=meta.uid,
        resource_version=meta.resource_version,
    )


def _is_bound(binding: StaticBinding, cluster: Cluster, node: NodeTable) -> bool:
    volume = cluster.volumes.volume(binding.volume.name)
    if volume is None:
        raise _not_found("check binding", f'persistentvolumes "{binding.volume.name}"')
    claim = cluster.volumes.claim(binding.claim.key)
    if claim is None:
        raise _not_found("check binding", f'persistentvolumeclaims "{binding.claim.key}"')
    if _is_old(volume, binding.was, binding.volume):
        return False
    _check_reach(volume, node)
    if volume.spec.claim_ref is None or not volume.spec.claim_ref.uid:
        raise BindingError(f'binding volumes: ClaimRef got reset for pv "{volume.name}"')
    return claim.is_fully_bound


def _is_made(provision: Provision, cluster: Cluster, node: NodeTable) -> bool:
    key = provision.claim.key
    claim = cluster.volumes.claim(key)
    if claim is None:
        raise _not_found("check provisioning pvc", f'persistentvolumeclaims "{key}"')
    if _is_old(claim, provision.was, provision.claim):
        return False
    if claim.metadata.annotations.selected_node != node.names[0]:
        raise BindingError(f'binding volumes: provisioning failed for PVC "{claim.name}"')
    volume = cluster.volumes.volume(claim.spec.volume_name)
    if volume is None:
        return False  # not made, or not known yet
    _check_reach(volume, node)
    return claim.is_fully_bound


def _not_found(task: str, what: str) -> BindingError:
    return BindingError(f"binding volumes: failed to {task}: {what} not found")


def _is_old(thing: KubernetesObject, was: KubernetesObject, wanted: KubernetesObject) -> bool:
    """Say whether our write of an object has not come back yet."""
    is_written = wanted != was
    return is_written and thing.metadata.resource_version == was.metadata.resource_version


def _check_reach(volume: PersistentVolume, node: NodeTable) -> None:
    if not reached_from(volume, node)[0]:
        (name,) = node.names
        reason = f'pv "{volume.name}" node affinity doesn\'t match node "{name}"'
        raise BindingError(f"binding volumes: {reason}: no matching NodeSelectorTerms")
