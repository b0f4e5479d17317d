"""A pod's own affinity terms, and sums over the terms of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import Namespace
from pilotfish.framework.arrays import Ids, Scores
from pilotfish.framework.pod_terms import PodTerm, TermKind, pod_terms

EVERY_NAMESPACE = LabelSelector()


def own_terms(pod: Pod) -> dict[TermKind, list[PodTerm]]:
    """List the terms of a pod to place, by kind.

    Of such a pod, upstream takes a namespace selector that matches without any label (`NotIn`,
    `DoesNotExist`) for one that matches every namespace; of pods in place it does not.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/interpodaffinity/plugin.go
        (mergeAffinityTermNamespacesIfNotEmpty), which changes a copy of the term.
    """
    terms: dict[TermKind, list[PodTerm]] = {kind: [] for kind in TermKind}
    for term in pod_terms(pod):
        of_namespaces = term.selector.namespace_selector
        if of_namespaces is not None and of_namespaces.matches({}):
            selector = replace(term.selector, namespace_selector=EVERY_NAMESPACE)
            terms[term.kind].append(replace(term, selector=selector))
        else:
            terms[term.kind].append(term)
    return terms


def select(terms: Sequence[PodTerm], pod: Pod, namespaces: Mapping[str, Namespace]) -> bool:
    """Say whether all these terms select a pod."""
    return all(one.selector.matches(pod.namespace, pod.labels, namespaces) for one in terms)


def sums_by_key(pods_by_key: Iterable[tuple[str, Ids | Scores]]) -> dict[str, Ids | Scores]:
    """Add up counts a node, int[N], of the same topology key."""
    sums: dict[str, Ids | Scores] = {}
    for key, pods in pods_by_key:
        sums[key] = sums[key] + pods if key in sums else pods
    return sums
