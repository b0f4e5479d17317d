"""InterPodAffinity: pods near to, or far from, other pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import MAX_NODE_SCORE, Ids, Mask, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.pod_terms import PodTerm, TermKind
from pilotfish.framework.rejection import SKIP, Reject, Skip
from pilotfish.plugins.inter_pod_affinity_state import AffinityState
from pilotfish.plugins.inter_pod_affinity_terms import own_terms, sums_by_key

REASON_AFFINITY: Final = "node(s) didn't match pod affinity rules"
REASON_ANTI_AFFINITY: Final = "node(s) didn't match pod anti-affinity rules"
REASON_EXISTING: Final = "node(s) didn't satisfy existing pods anti-affinity rules"


class InterPodAffinity(Plugin):
    """Place pods by the affinity and anti-affinity between them and the pods in place.

    Args:
        hard_pod_affinity_weight: what a required affinity term of a pod in place weighs in the
            scores; 0 turns that off.
        ignore_preferred_terms_of_existing_pods: pods without preferred terms of their own are not
            scored.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/interpodaffinity/.
        differs: changes of namespaces are worth another attempt; upstream waits for other events.
    """

    name = "InterPodAffinity"
    requeue_on = frozenset(
        {
            ClusterEvent.ASSIGNED_POD_ADDED,
            ClusterEvent.ASSIGNED_POD_DELETED,
            ClusterEvent.ASSIGNED_POD_LABELS_CHANGED,
            ClusterEvent.POD_LABELS_CHANGED,
            ClusterEvent.NODE_ADDED,
            ClusterEvent.NODE_LABELS_CHANGED,
            ClusterEvent.NAMESPACE_ADDED,
            ClusterEvent.NAMESPACE_LABELS_CHANGED,
        }
    )
    reads = frozenset({"namespaces"})
    is_verified = True

    def __init__(
        self,
        *,
        hard_pod_affinity_weight: int = 1,
        ignore_preferred_terms_of_existing_pods: bool = False,
    ) -> None:
        self._hard_weight = hard_pod_affinity_weight
        self._ignores_existing = ignore_preferred_terms_of_existing_pods

    def pre_filter(self, pod: Pod, cluster: Cluster) -> AffinityState | Skip:
        """Count, by domain, the pods that required terms speak of."""
        own = own_terms(pod)
        near, far = own[TermKind.REQUIRED_AFFINITY], own[TermKind.REQUIRED_ANTI_AFFINITY]
        return AffinityState.of(pod, cluster, near, far) or SKIP

    def filter(self, state: AffinityState, alive: Mask) -> Iterator[Reject]:
        """Reject by the pod's affinity, else its anti-affinity, else that of pods in place."""
        left = alive
        if state.near:
            is_near = state.is_near()
            yield Reject(left & ~is_near, REASON_AFFINITY, resolvable=False)
            left = left & is_near
        for one in state.far:
            yield Reject(left & (one.pods > 0), REASON_ANTI_AFFINITY)
            left = left & (one.pods == 0)
        for one in state.existing.values():
            yield Reject(left & (one.pods > 0), REASON_EXISTING)
            left = left & (one.pods == 0)

    def pre_score(self, pod: Pod, cluster: Cluster, nodes: NodeTable) -> Scores | Skip:
        """Add up the weights of preferred terms, the pod's own and those of pods in place."""
        own = own_terms(pod)
        wishes = [*own[TermKind.PREFERRED_AFFINITY], *own[TermKind.PREFERRED_ANTI_AFFINITY]]
        if self._ignores_existing and not wishes:
            return SKIP
        felt = list(self._felt(wishes, pod, cluster))
        weights = sums_by_key((key, pods * np.int64(weight)) for key, pods, weight in felt)
        pods_by_key = sums_by_key((key, pods) for key, pods, _ in felt)
        total = np.zeros(len(nodes), dtype=np.int64)
        is_felt = False
        for key, weight in weights.items():
            column = nodes.label(key)
            is_felt = is_felt or bool(np.any(pods_by_key[key] * column.has_any()))
            total += column.sums(weight)[column.flat_ids]
        return total if is_felt else SKIP

    def score(self, state: Scores, feasible: Mask) -> Scores:
        """Scale the weights to 0..100 over the feasible nodes, as floats do it.

        Source: kubernetes v1.36 pkg/scheduler/framework/plugins/interpodaffinity/scoring.go
            (NormalizeScore).
        """
        of_feasible = state[feasible]
        lowest, highest = int(of_feasible.min()), int(of_feasible.max())
        if highest == lowest:
            return np.zeros_like(state)
        return (MAX_NODE_SCORE * ((state - lowest) / (highest - lowest))).astype(np.int64)

    def _felt(
        self, wishes: list[PodTerm], pod: Pod, cluster: Cluster
    ) -> Iterator[tuple[str, Ids, int]]:
        """Yield what weighs: topology key, pods on each node, and the weight of each."""
        for term in wishes:
            sign = 1 if term.kind is TermKind.PREFERRED_AFFINITY else -1
            yield term.topology_key, cluster.matching_pods(term.selector).all, sign * term.weight
        for of in cluster.terms_on(pod):
            match of.term.kind:
                case TermKind.REQUIRED_AFFINITY if self._hard_weight:
                    yield of.term.topology_key, of.pods, self._hard_weight
                case TermKind.PREFERRED_AFFINITY:
                    yield of.term.topology_key, of.pods, of.term.weight
                case TermKind.PREFERRED_ANTI_AFFINITY:
                    yield of.term.topology_key, of.pods, -of.term.weight
