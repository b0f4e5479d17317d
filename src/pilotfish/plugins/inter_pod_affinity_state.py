"""What required terms, a pod's own and those of pods in place, mean for each node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.api.workloads import Namespace
from pilotfish.framework.arrays import Mask, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.node_table import Changes
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.pod_terms import PodTerm, TermKind
from pilotfish.framework.selector_set import SelectorSet
from pilotfish.plugins.inter_pod_affinity_terms import select, sums_by_key
from pilotfish.plugins.topology import DomainCounts, counted

NEAR: Final = -1  # the key of all required affinity terms together, which select as one


class AffinityState(msgspec.Struct, frozen=True):
    """How the required terms stand.

    Attributes:
        pod: the pod to place.
        labels: of each node.
        selectors: of the pod's own terms; each anti-affinity term has its place in `far` as key.
        near: by required affinity term, pods that all these terms select.
        near_anywhere: int64[N], how many such pods all domains together have; means nothing for
            nodes without any of the labels, which are never near.
        is_near_itself: whether the pod matches all its own required affinity terms.
        far: by required anti-affinity term, pods that it selects.
        existing: by topology key, pods in place whose anti-affinity selects this pod.
    """

    pod: Pod
    namespaces: Mapping[str, Namespace]
    labels: Sequence[Mapping[str, str]]
    selectors: SelectorSet[int, int]
    near: Sequence[DomainCounts]
    near_anywhere: Scores
    is_near_itself: bool
    far: Sequence[DomainCounts]
    existing: Mapping[str, DomainCounts]

    @staticmethod
    def of(
        pod: Pod, cluster: Cluster, near: Sequence[PodTerm], far: Sequence[PodTerm]
    ) -> AffinityState | None:
        """See how the terms stand; None where nobody has any that matters."""
        nodes = cluster.nodes
        existing = existing_anti_affinity(pod, cluster)
        if not (near or far or existing):
            return None
        selectors: SelectorSet[int, int] = SelectorSet(cluster.namespaces)
        pods_near = np.zeros(len(nodes), dtype=np.int32)
        if near:
            together = tuple(term.selector for term in near)
            selectors.put(NEAR, together, NEAR)
            pods_near = cluster.matching_pods(*together).all
        counts_far = []
        for place, term in enumerate(far):
            selectors.put(place, (term.selector,), place)
            pods_far = cluster.matching_pods(term.selector).all
            counts_far.append(DomainCounts.of(nodes, term.topology_key, pods_far))
        counts_near = [DomainCounts.of(nodes, term.topology_key, pods_near) for term in near]
        in_domains = int(np.sum(pods_near, where=_has_any_domain(counts_near, len(nodes))))
        return AffinityState(
            pod,
            cluster.namespaces,
            nodes.labels,
            selectors,
            counts_near,
            np.full(len(nodes), in_domains),
            bool(near) and select(near, pod, cluster.namespaces),
            counts_far,
            existing,
        )

    def is_near(self) -> Mask:
        """bool[N]: nodes with every label and the wanted pods near, or none anywhere.

        The first of pods that want each other may go to any node with the labels.
        """
        near = np.logical_and.reduce([one.pods > 0 for one in self.near])
        if self.is_near_itself:
            first: Mask = self.near_anywhere == 0
            near |= first & np.logical_and.reduce([one.has_domain for one in self.near])
        result: Mask = near
        return result

    def with_changes(self, changes: Mapping[int, Changes]) -> AffinityState:
        """Give the state for an overlay of these rows."""
        rows = list(changes)
        labels = [self.labels[row] for row in rows]
        selected = counted(changes, self._selecting)
        near = selected.get(NEAR, 0)
        by_key = counted(changes, self._existing_terms())
        return msgspec.structs.replace(
            self,
            labels=labels,
            near=[one.on(rows).plus(near) for one in self.near],
            near_anywhere=self.near_anywhere[rows] + near,
            far=[one.on(rows).plus(selected.get(i, 0)) for i, one in enumerate(self.far)],
            existing={
                key: (
                    self.existing[key].on(rows)
                    if key in self.existing
                    else DomainCounts.none(labels, key)
                ).plus(by_key.get(key, 0))
                for key in dict.fromkeys((*self.existing, *by_key))
            },
        )

    def _selecting(self, pod: PodInfo) -> list[int]:
        return self.selectors.selecting(pod.namespace, pod.labels)

    def _existing_terms(self) -> Callable[[PodInfo], list[str]]:
        """Say of a pod for which topology keys its terms count; found once for each shape."""
        known: dict[int, list[str]] = {}

        def counting(pod: PodInfo) -> list[str]:
            found = known.get(id(pod.shape))
            if found is None:
                found = known[id(pod.shape)] = [
                    term.topology_key
                    for term in pod.shape.terms
                    if term.kind is TermKind.REQUIRED_ANTI_AFFINITY
                    and select([term], self.pod, self.namespaces)
                ]
            return found

        return counting


def existing_anti_affinity(pod: Pod, cluster: Cluster) -> dict[str, DomainCounts]:
    """Count, by topology key and domain, the pods in place that keep this pod away."""
    pods_by_key = sums_by_key(
        (of.term.topology_key, of.pods)
        for of in cluster.terms_on(pod)
        if of.term.kind is TermKind.REQUIRED_ANTI_AFFINITY
    )
    counts = {key: DomainCounts.of(cluster.nodes, key, pods) for key, pods in pods_by_key.items()}
    return {key: one for key, one in counts.items() if one.pods.any()}


def _has_any_domain(counts: Sequence[DomainCounts], nodes: int) -> Mask:
    """bool[N]: the nodes that are in a domain of one of these."""
    mask = np.zeros(nodes, dtype=np.bool_)
    for one in counts:
        mask |= one.has_domain
    return mask
