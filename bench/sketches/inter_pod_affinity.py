"""A sketch of InterPodAffinity.

Simplified: the weight of hard affinity of pods in place is 1, upstream's default, and no argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from bench.sketches.domains import DomainCounts, counted

from pilotfish.api.pod import Pod
from pilotfish.api.workloads import Namespace
from pilotfish.framework.arrays import MAX_NODE_SCORE, Ids, Mask, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import Changes
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.pod_terms import PodTerm, TermKind, pod_terms
from pilotfish.framework.rejection import SKIP, Reject, Skip
from pilotfish.framework.selector_set import SelectorSet

AFFINITY_REASON = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY_REASON = "node(s) didn't match pod anti-affinity rules"
EXISTING_REASON = "node(s) didn't satisfy existing pods anti-affinity rules"
HARD_WEIGHT = 1  # upstream hardPodAffinityWeight


NEAR: Final = -1  # the key of all required affinity terms together, which select as one


class AffinityState(msgspec.Struct, frozen=True):
    """What the required terms, the pod's own and those of pods in place, mean for each node.

    Attributes:
        selectors: of the pod's own terms; each anti-affinity term has its place in `far` as key.
        near: by required affinity term, pods that all these terms select.
        near_anywhere: int64[N], how many of them there are in the whole cluster.
        is_near_itself: whether the pod matches all its own required affinity terms.
        far: by required anti-affinity term, pods that it selects.
        existing: by topology key, pods in place whose anti-affinity selects this pod.
    """

    pod: Pod
    namespaces: Mapping[str, Namespace]
    selectors: SelectorSet[int, int]
    near: Sequence[DomainCounts]
    near_anywhere: Scores
    is_near_itself: bool
    far: Sequence[DomainCounts]
    existing: Mapping[str, DomainCounts]

    def with_changes(self, changes: Mapping[int, Changes]) -> AffinityState:
        """Give the state for an overlay of these rows."""
        rows = list(changes)
        *far, near = counted(changes, len(self.far) + 1, self._selecting)
        by_key = counted(changes, len(self.existing), self._existing_terms())
        return msgspec.structs.replace(
            self,
            near=[one.with_changes(rows, near) for one in self.near],
            near_anywhere=self.near_anywhere[rows] + near,
            far=[o.with_changes(rows, change) for o, change in zip(self.far, far, strict=True)],
            existing={
                key: one.with_changes(rows, change)
                for (key, one), change in zip(self.existing.items(), by_key, strict=True)
            },
        )

    def _selecting(self, pod: PodInfo) -> list[int]:
        return self.selectors.selecting(pod.namespace, pod.labels)

    def _existing_terms(self) -> Callable[[PodInfo], list[int]]:
        """Say of a pod which places in `existing` its terms count for; once for each shape."""
        places = {key: place for place, key in enumerate(self.existing)}
        known: dict[int, list[int]] = {}

        def counting(pod: PodInfo) -> list[int]:
            found = known.get(id(pod.shape))
            if found is None:
                found = known[id(pod.shape)] = [
                    places[term.topology_key]
                    for term in pod.shape.terms
                    if term.kind is TermKind.REQUIRED_ANTI_AFFINITY
                    and term.topology_key in places
                    and _selects([term], self.pod, self.namespaces)
                ]
            return found

        return counting


class InterPodAffinity(Plugin):
    """Place pods near to, or far from, other pods."""

    name = "InterPodAffinity"
    requeue_on = frozenset({ClusterEvent.ASSIGNED_POD_ADDED, ClusterEvent.ASSIGNED_POD_DELETED})

    def pre_filter(self, pod: Pod, cluster: Cluster) -> AffinityState | Skip:
        """Count, by domain, the pods that required terms speak of."""
        nodes = cluster.nodes
        terms = pod_terms(pod)
        near_terms = [term for term in terms if term.kind is TermKind.REQUIRED_AFFINITY]
        far_terms = [term for term in terms if term.kind is TermKind.REQUIRED_ANTI_AFFINITY]
        existing = _sums_by_key(
            (of.term.topology_key, of.pods)
            for of in cluster.terms_on(pod)
            if of.term.kind is TermKind.REQUIRED_ANTI_AFFINITY
        )
        if not (near_terms or far_terms or existing):
            return SKIP
        near = np.zeros(len(nodes), dtype=np.int32)
        selectors: SelectorSet[int, int] = SelectorSet(cluster.namespaces)
        if near_terms:
            together = tuple(term.selector for term in near_terms)
            selectors.put(NEAR, together, NEAR)
            near = cluster.matching_pods(*together).all
        far = []
        for place, term in enumerate(far_terms):
            selectors.put(place, (term.selector,), place)
            pods = cluster.matching_pods(term.selector).all
            far.append(DomainCounts.of(nodes, term.topology_key, pods))
        return AffinityState(
            pod,
            cluster.namespaces,
            selectors,
            [DomainCounts.of(nodes, term.topology_key, near) for term in near_terms],
            np.full(len(nodes), near.sum()),
            bool(near_terms) and _selects(near_terms, pod, cluster.namespaces),
            far,
            {key: DomainCounts.of(nodes, key, pods) for key, pods in existing.items()},
        )

    def filter(self, state: AffinityState) -> Iterator[Reject]:
        """Reject by the pod's affinity, its anti-affinity, and that of pods in place."""
        if state.near:
            has_domains = np.logical_and.reduce([one.has_domain for one in state.near])
            near = np.logical_and.reduce([one.pods > 0 for one in state.near])
            if state.is_near_itself:
                near |= state.near_anywhere == 0  # the first of its kind
            yield Reject(~(has_domains & near), AFFINITY_REASON, resolvable=False)
        for one in state.far:
            yield Reject(one.pods > 0, ANTI_AFFINITY_REASON)
        for one in state.existing.values():
            yield Reject(one.pods > 0, EXISTING_REASON)

    def pre_score(self, pod: Pod, cluster: Cluster) -> Scores | Skip:
        """Add up the weights of preferred terms, the pod's own and those of pods in place."""
        weighted = _sums_by_key(_weighted(pod, cluster))
        if not weighted:
            return SKIP
        nodes = cluster.nodes
        total = np.zeros(len(nodes), dtype=np.int64)
        for key, pods in weighted.items():
            total += DomainCounts.of(nodes, key, pods).pods
        return total

    def score(self, state: Scores, feasible: Mask) -> Scores:
        """Scale the weights to 0..100 over the feasible nodes."""
        highest, lowest = int(state[feasible].max()), int(state[feasible].min())
        if highest == lowest:
            return np.zeros_like(state)
        return MAX_NODE_SCORE * (state - lowest) // (highest - lowest)


def _weighted(pod: Pod, cluster: Cluster) -> Iterator[tuple[str, Scores]]:
    for term in pod_terms(pod):
        match term.kind:
            case TermKind.PREFERRED_AFFINITY:
                pods = cluster.matching_pods(term.selector).all
                yield term.topology_key, pods * np.int64(term.weight)
            case TermKind.PREFERRED_ANTI_AFFINITY:
                pods = cluster.matching_pods(term.selector).all
                yield term.topology_key, pods * np.int64(-term.weight)
    for of in cluster.terms_on(pod):
        match of.term.kind:
            case TermKind.REQUIRED_AFFINITY:
                yield of.term.topology_key, of.pods * np.int64(HARD_WEIGHT)
            case TermKind.PREFERRED_AFFINITY:
                yield of.term.topology_key, of.pods * np.int64(of.term.weight)
            case TermKind.PREFERRED_ANTI_AFFINITY:
                yield of.term.topology_key, of.pods * np.int64(-of.term.weight)


def _sums_by_key(pods_by_key: Iterator[tuple[str, Ids | Scores]]) -> dict[str, Ids | Scores]:
    sums: dict[str, Ids | Scores] = {}
    for key, pods in pods_by_key:
        sums[key] = sums[key] + pods if key in sums else pods
    return sums


def _selects(terms: Sequence[PodTerm], pod: Pod, namespaces: Mapping[str, Namespace]) -> bool:
    return all(t.selector.matches(pod.namespace, pod.labels, namespaces) for t in terms)
