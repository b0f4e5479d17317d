"""NodeAffinity: a pod's wishes about the labels and names of its node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from pilotfish.api.affinity import NodeAffinity as Affinity
from pilotfish.api.affinity import PreferredSchedulingTerm
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import NODE_NAME_FIELD, NodeSelector, NodeSelectorTerm
from pilotfish.framework.arrays import Mask, Scores
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import SKIP, NodeSubset, Reject, Skip
from pilotfish.framework.scores import most_is_best
from pilotfish.plugins.node_selection import meets, required_terms, selected, wanted_by

REASON_POD: Final = "node(s) didn't match Pod's node affinity/selector"
REASON_ENFORCED: Final = "node(s) didn't match scheduler-enforced node affinity"
REASON_CONFLICT: Final = "pod affinity terms conflict"


class NodeAffinity(Plugin):
    """Keep pods off nodes that they do not select; prefer those that they wish for.

    Args:
        added_affinity: holds for every pod of the profile, beside the pod's own.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go.
    """

    name = "NodeAffinity"
    requeue_on = frozenset({ClusterEvent.NODE_ADDED, ClusterEvent.NODE_LABELS_CHANGED})
    reads_pods = False
    is_verified = True

    def __init__(self, added_affinity: Affinity | None = None) -> None:
        added = added_affinity or Affinity()
        self._added_required = added.required
        self._added_preferred = added.preferred

    def pre_filter(self, pod: Pod) -> NodeSubset | Reject | Skip | None:
        """Skip pods without wishes; name the nodes where the pod itself names them."""
        required = required_terms(pod)
        if required is None:
            has_wishes = pod.spec.node_selector or self._added_required is not None
            return None if has_wishes else SKIP
        names = _names_in(required)
        if names is None:
            return None
        return NodeSubset(names) if names else Reject(None, REASON_CONFLICT, resolvable=False)

    def filter(self, pod: Pod, nodes: NodeTable) -> Iterator[Reject]:
        """Reject nodes outside the added affinity, then those that the pod does not select."""
        enforced = np.ones(len(nodes), dtype=np.bool_)
        if self._added_required is not None:
            enforced = selected(self._added_required, nodes)
            yield Reject(~enforced, REASON_ENFORCED, resolvable=False)
        yield Reject(enforced & ~wanted_by(pod, nodes), REASON_POD, resolvable=False)

    def pre_score(self, pod: Pod) -> tuple[PreferredSchedulingTerm, ...] | Skip:
        """Return the preferred terms, the added ones included."""
        affinity = pod.spec.affinity
        of_pod = affinity.node_affinity.preferred if affinity and affinity.node_affinity else ()
        return (*self._added_preferred, *of_pod) or SKIP

    def score(
        self, nodes: NodeTable, feasible: Mask, state: tuple[PreferredSchedulingTerm, ...]
    ) -> Scores:
        """Score nodes by the weights of the preferred terms that they meet, most best."""
        weights = np.zeros(len(nodes), dtype=np.int64)
        for term in state:
            weights += term.weight * meets(term.preference, nodes)
        return most_is_best(weights, feasible)


def _names_in(required: NodeSelector) -> frozenset[str] | None:
    """Return the only nodes that can meet one of the terms, or None where a term names none."""
    names: set[str] = set()
    for term in required.node_selector_terms:
        of_term = _names_in_term(term)
        if of_term is None:
            return None
        names |= of_term
    return frozenset(names) if required.node_selector_terms else None


def _names_in_term(term: NodeSelectorTerm) -> set[str] | None:
    named = [
        set(requirement.values)
        for requirement in term.match_fields
        if requirement.key == NODE_NAME_FIELD and requirement.operator == "In"
    ]
    return set.intersection(*named) if named else None
