"""Where a pod's claims can be bound: volumes that are there, and volumes to be made.

Theory of operation: all nodes are searched at once. For each claim, the volumes that would do are
taken from the smallest to the largest, and each is given to the nodes that reach it and have none
yet. Of volumes that are reached from the same nodes only the first few can matter: as many as there
are claims.

Source: kubernetes v1.36 pkg/scheduler/framework/plugins/volumebinding/binder.go (FindPodVolumes),
    staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go (FindMatchingVolume).
    differs: among volumes of one size the first by name is taken; upstream takes any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotfish.api.selectors import NodeSelector, NodeSelectorRequirement, NodeSelectorTerm
from pilotfish.api.volumes import (
    NO_PROVISIONER,
    STORAGE,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
)
from pilotfish.framework.arrays import Ids, Mask, lookup
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.volumes import Volumes
from pilotfish.plugins.csi_migration import migration_of, translated_affinity
from pilotfish.plugins.node_selection import has_any_of, label_meets, labels_selected

Rows: TypeAlias = NDArray[np.intp]  # row numbers of some nodes


class PodClaims(msgspec.Struct, frozen=True):
    """A pod's claims.

    Attributes:
        bound: those with a volume.
        waiting: those that wait for the pod's node.
        volumes: all volumes there are.
    """

    bound: tuple[PersistentVolumeClaim, ...]
    waiting: tuple[PersistentVolumeClaim, ...]
    volumes: Volumes


class Found(msgspec.Struct, frozen=True):
    """What a search found; masks are bool[N].

    Attributes:
        elsewhere: nodes that do not reach a volume that a claim is bound to.
        missing: nodes that would, but for a volume that does not exist.
        without_volume: nodes where a claim gets no volume.
        without_space: nodes where there is no room to make one.
        pool: volumes that may be bound.
        matches: for each claim of some, int32[N]: the volume of the pool that it gets, or -1.
        provisions: for each claim of some, where a volume has to be made for it.
    """

    elsewhere: Mask
    missing: Mask
    without_volume: Mask
    without_space: Mask
    pool: Sequence[PersistentVolume]
    matches: Sequence[tuple[PersistentVolumeClaim, Ids]]
    provisions: Sequence[tuple[PersistentVolumeClaim, Mask]]


def search(claims: PodClaims, nodes: NodeTable) -> Found:
    """Search all nodes.

    Raises:
        NotTranslatableError: a CSI driver should serve a bound volume and cannot.
    """
    elsewhere, missing = _bound(claims, nodes)
    others: list[PersistentVolumeClaim] = []
    selected: list[PersistentVolumeClaim] = []
    without_volume = np.zeros(len(nodes), dtype=np.bool_)
    for claim in claims.waiting:
        node_name = claim.metadata.annotations.selected_node
        if node_name is None:
            others.append(claim)
        else:
            selected.append(claim)
            without_volume |= ~nodes.mask_of(frozenset({node_name}))
    others.sort(key=lambda claim: claim.size)
    is_open = ~without_volume
    pool, matches = _match(others, claims.volumes, nodes)
    wanted = [(claim, is_open) for claim in selected]
    wanted += [(claim, is_open & (match < 0)) for claim, match in matches]
    without_space = np.zeros(len(nodes), dtype=np.bool_)
    for claim, here in wanted:
        storage_class = claims.volumes.classes[claim.storage_class]
        pending = here & ~without_volume & ~without_space
        if not pending.any():
            continue
        can_make = _can_make(storage_class, nodes)
        without_volume |= pending & ~can_make
        has_space = _has_space(claim, storage_class, claims.volumes, nodes)
        without_space |= pending & can_make & ~has_space
    return Found(elsewhere, missing, without_volume, without_space, pool, matches, wanted)


def reached_from(volume: PersistentVolume, nodes: NodeTable) -> Mask:
    """bool[N]: the nodes that a volume can be used on, by what CSI drivers do there.

    Raises:
        NotTranslatableError: a CSI driver should serve the volume and cannot.
    """
    mask = _selected(volume.spec.node_affinity.required, nodes)
    migration = migration_of(volume)
    if migration is None:
        return mask
    column = nodes.drivers
    is_migrated = lookup(migration.plugin in one.migrated for one in column.values)[column.flat_ids]
    if not is_migrated.any():
        return mask
    migrated = _selected(translated_affinity(volume, migration), nodes)
    return np.where(is_migrated, migrated, mask)


def _bound(claims: PodClaims, nodes: NodeTable) -> tuple[Mask, Mask]:
    """Check where the volumes of bound claims can be used; the first bad claim decides."""
    elsewhere = np.zeros(len(nodes), dtype=np.bool_)
    missing = np.zeros(len(nodes), dtype=np.bool_)
    for claim in claims.bound:
        volume = claims.volumes.volume(claim.spec.volume_name)
        if volume is None:
            return elsewhere, ~elsewhere
        elsewhere |= ~reached_from(volume, nodes)
    return elsewhere, missing


def _match(
    claims: Sequence[PersistentVolumeClaim], volumes: Volumes, nodes: NodeTable
) -> tuple[list[PersistentVolume], list[tuple[PersistentVolumeClaim, Ids]]]:
    """Give each claim the smallest volume that will do, on each node, the smallest claim first."""
    pool: list[PersistentVolume] = []
    places: dict[str, int] = {}
    reach = _Reach(nodes)
    matches: list[tuple[PersistentVolumeClaim, Ids]] = []
    for claim in claims:
        own = [one for one in volumes.volumes_set_aside(claim) if one.is_bound_to(claim)]
        free = [one for one in volumes.free_volumes(claim.storage_class) if _is_fit(one, claim)]
        given = _Gift(reach, [match for _, match in matches])
        for candidates, give in ((own, given.give_own), (free, given.give)):
            for volume in sorted(candidates, key=_by_size):
                if not _has_shape(volume, claim):
                    continue
                place = places.setdefault(volume.name, len(pool))
                if place == len(pool):
                    pool.append(volume)
                give(place, volume.spec.node_affinity.required)
        matches.append((claim, given.chosen))
    return pool, matches


def _by_size(volume: PersistentVolume) -> tuple[int, str]:
    return volume.size.nano, volume.name


def _has_shape(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Say whether a volume would do for a claim, if it is the claim's own."""
    spec, wanted = volume.spec, claim.spec
    return (
        not volume.size < claim.size
        and spec.volume_mode == wanted.volume_mode
        and spec.volume_attributes_class_name == wanted.volume_attributes_class_name
        and volume.metadata.deletion_timestamp is None
    )


def _is_fit(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Say what beside the shape a volume needs that is anybody's."""
    wanted = claim.spec
    return (
        volume.status.phase == "Available"
        and all(mode in volume.spec.access_modes for mode in wanted.access_modes)
        and (wanted.selector is None or wanted.selector.matches(volume.labels))
    )


class _Gift:
    """Which volume each node has for one claim.

    Attributes:
        chosen: int32[N], places in the pool; -1 where there is none.
    """

    def __init__(self, reach: _Reach, taken: Sequence[Ids]) -> None:
        self.chosen = np.full(reach.count, -1, dtype=np.int32)
        self._reach = reach
        self._taken = taken  # by the claims before
        self._is_open = np.ones(reach.count, dtype=np.bool_)
        self._tried: Counter[NodeSelector | None] = Counter()

    def give_own(self, place: int, affinity: NodeSelector | None) -> None:
        """Offer a volume that was set aside for the claim: others are none for it any more."""
        self._offer(place, affinity)
        self._is_open &= np.logical_or.reduce([other == place for other in self._taken], axis=0)

    def give(self, place: int, affinity: NodeSelector | None) -> None:
        """Offer a volume; more than the claims before could take, and one, need no offer."""
        if self._tried[affinity] <= len(self._taken):
            self._tried[affinity] += 1
            self._offer(place, affinity)

    def _offer(self, place: int, affinity: NodeSelector | None) -> None:
        rows = self._reach.rows(affinity)
        rows = rows[self._is_open[rows]]
        for other in self._taken:
            rows = rows[other[rows] != place]
        self.chosen[rows] = place
        self._is_open[rows] = False


def _can_make(storage_class: StorageClass, nodes: NodeTable) -> Mask:
    """bool[N]: nodes for which volumes of a class are made."""
    if storage_class.provisioner in ("", NO_PROVISIONER):
        return np.zeros(len(nodes), dtype=np.bool_)
    if not storage_class.allowed_topologies:
        return np.ones(len(nodes), dtype=np.bool_)
    mask = np.zeros(len(nodes), dtype=np.bool_)
    for term in storage_class.allowed_topologies:
        of_term = np.full(len(nodes), bool(term.match_label_expressions))
        for one in term.match_label_expressions:
            of_term &= has_any_of(one.key, one.values, nodes)
        mask |= of_term
    return mask


def _has_space(
    claim: PersistentVolumeClaim, storage_class: StorageClass, volumes: Volumes, nodes: NodeTable
) -> Mask:
    """bool[N]: nodes with room for a claim's volume, as far as the driver publishes that."""
    driver = volumes.drivers.get(storage_class.provisioner)
    is_told = driver is not None and driver.spec.storage_capacity
    if STORAGE not in claim.spec.resources.requests or not is_told:
        return np.ones(len(nodes), dtype=np.bool_)
    mask = np.zeros(len(nodes), dtype=np.bool_)
    for capacity in volumes.capacities(storage_class.name):
        largest = capacity.largest_volume
        if capacity.node_topology is None or largest is None or largest < claim.size.value():
            continue
        mask |= labels_selected(capacity.node_topology, nodes)
    return mask


def _selected(selector: NodeSelector | None, nodes: NodeTable) -> Mask:
    """bool[N]: nodes that meet a volume's node affinity, which goes by labels alone.

    Upstream asks about a node without a name here, so a condition on the name is met as if it were
    empty.
    """
    if selector is None:
        return np.ones(len(nodes), dtype=np.bool_)
    mask = np.zeros(len(nodes), dtype=np.bool_)
    for term in selector.node_selector_terms:
        has_conditions = bool(term.match_expressions or term.match_fields)
        if has_conditions and all(one.matches_name("") for one in term.match_fields):
            of_term = np.ones(len(nodes), dtype=np.bool_)
            for requirement in term.match_expressions:
                of_term &= label_meets(requirement, nodes)
            mask |= of_term
    return mask


class _Reach:
    """Which nodes reach a volume: found once for each distinct node affinity.

    Local volumes name a node each, so the nodes are sorted by the label once, rather than compared
    with each volume's.
    """

    def __init__(self, nodes: NodeTable) -> None:
        self.count = len(nodes)
        self._nodes = nodes
        self._known: dict[NodeSelector | None, Rows] = {}
        self._sorted: dict[str, tuple[Rows, list[int]]] = {}

    def rows(self, selector: NodeSelector | None) -> Rows:
        """Return the rows that meet a node affinity."""
        found = self._known.get(selector)
        if found is None:
            found = self._known[selector] = self._find(selector)
        return found

    def _find(self, selector: NodeSelector | None) -> Rows:
        match selector:
            case NodeSelector(
                (NodeSelectorTerm((NodeSelectorRequirement(key, "In", (value,)),), ()),)
            ):
                return self._with_label(key, value)
            case _:
                return np.flatnonzero(_selected(selector, self._nodes))

    def _with_label(self, key: str, value: str) -> Rows:
        column = self._nodes.label(key)
        if key not in self._sorted:
            ids = column.flat_ids
            order = np.argsort(ids, kind="stable")
            starts = np.searchsorted(ids[order], np.arange(len(column.values) + 1))
            self._sorted[key] = order, starts.tolist()
        rows, first = self._sorted[key]
        wanted = column.id_of(value)
        return rows[first[wanted] : first[wanted + 1]] if wanted >= 0 else rows[:0]
