"""The simple versions of the plugins that count pods by domain: each node counted anew."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from pilotfish.api.affinity import TopologySpreadConstraint
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector
from pilotfish.framework import (
    SKIP,
    Cluster,
    ClusterEvent,
    Mask,
    NodeInfo,
    NodeTable,
    Plugin,
    PodInfo,
    Reject,
    Scores,
    Skip,
)
from pilotfish.framework.pod_terms import PodTerm, TermKind, pod_terms
from pilotfish.plugins.topology import HOSTNAME, ZONE

ANY_EVENT = frozenset({ClusterEvent.WILDCARD})
SYSTEM = (
    TopologySpreadConstraint(3, HOSTNAME, "ScheduleAnyway"),
    TopologySpreadConstraint(5, ZONE, "ScheduleAnyway"),
)
NEAR, FAR = TermKind.REQUIRED_AFFINITY, TermKind.REQUIRED_ANTI_AFFINITY
WISH, AVERSION = TermKind.PREFERRED_AFFINITY, TermKind.PREFERRED_ANTI_AFFINITY


class OneByOne(Plugin):
    """A plugin that gives each node at most one reason, and may look at all nodes for it."""

    requeue_on = ANY_EVENT

    def pre_filter(self, cluster: Cluster) -> Cluster:
        """Keep what `filter` needs."""
        return cluster

    def filter(self, pod: Pod, nodes: NodeTable, state: Cluster) -> Iterator[Reject]:
        """Ask about all nodes, one by one."""
        for row in range(len(nodes)):
            found = self.reason(pod, nodes.node(row), state)
            if found is not None:
                reason, resolvable = found
                yield Reject(np.arange(len(nodes)) == row, reason, resolvable)

    def reason(self, pod: Pod, node: NodeInfo, cluster: Cluster) -> tuple[str, bool] | None:
        """Say why a node is rejected, and whether evictions could help."""
        raise NotImplementedError


class PodTopologySpread(OneByOne):
    """Skew by skew."""

    name = "PodTopologySpread"

    def __init__(self, defaults: Sequence[TopologySpreadConstraint] | None = None) -> None:
        self.is_system = defaults is None
        self.defaults = SYSTEM if defaults is None else defaults

    def reason(self, pod: Pod, node: NodeInfo, cluster: Cluster) -> tuple[str, bool] | None:
        """Find the first constraint that does not hold."""
        rules = self._rules(pod, "DoNotSchedule", cluster)
        keys = [rule.topology_key for rule, _ in rules]
        text = "node(s) didn't match pod topology spread constraints"
        for rule, selector in rules:
            counts = Counter[str]()
            for other in _all(cluster):
                if _has_all(other, keys) and _counts(rule, pod, other):
                    counts[other.labels[rule.topology_key]] += _matching(pod, other, selector)
            if rule.topology_key not in node.labels:
                return f"{text} (missing required label)", False
            fewest = min(counts.values(), default=0)
            if len(counts) < (rule.min_domains or 1):
                fewest = 0
            own = selector is not None and selector.matches(pod.labels)
            if counts[node.labels[rule.topology_key]] + own - fewest > rule.max_skew:
                return text, True
        return None

    def pre_score(self, pod: Pod, cluster: Cluster) -> Cluster | Skip:
        """Skip pods without soft constraints."""
        return cluster if self._rules(pod, "ScheduleAnyway", cluster) else SKIP

    def score(self, pod: Pod, nodes: NodeTable, feasible: Mask, state: Cluster) -> Scores:
        """Weigh, then turn around."""
        rules = self._rules(pod, "ScheduleAnyway", state)
        keys = [rule.topology_key for rule, _ in rules]
        needs_all = bool(pod.spec.topology_spread_constraints) or not self.is_system
        rows = np.flatnonzero(feasible).tolist()
        judged = [r for r in rows if not needs_all or _has_all(nodes.node(r), keys)]
        weights = dict.fromkeys(judged, 0.0)
        for rule, selector in rules:
            key = rule.topology_key
            counts = Counter[str]()
            for other in _all(state):
                if _counts(rule, pod, other) and (not needs_all or _has_all(other, keys)):
                    counts[other.labels.get(key, "")] += _matching(pod, other, selector)
            domains = {nodes.node(row).labels.get(key, "") for row in judged}
            size = len(judged) if key == HOSTNAME else len(domains)
            for row in judged:
                node = nodes.node(row)
                if key in node.labels:
                    in_domain = counts[node.labels[key]]
                    pods = _matching(pod, node, selector) if key == HOSTNAME else in_domain
                    weights[row] += pods * math.log(size + 2) + rule.max_skew - 1
        rounded = {row: math.floor(weight + 0.5) for row, weight in weights.items()}
        scores = np.zeros(len(nodes), dtype=np.int64)
        for row, weight in rounded.items():
            most, least = max(rounded.values()), min(rounded.values())
            scores[row] = 100 * (most + least - weight) // most if most else 100
        return scores

    def _rules(
        self, pod: Pod, kind: str, cluster: Cluster
    ) -> list[tuple[TopologySpreadConstraint, LabelSelector | None]]:
        own = pod.spec.topology_spread_constraints
        if own:
            return [(r, _narrowed(r, pod)) for r in own if r.when_unsatisfiable == kind]
        selector = cluster.default_selector(pod)
        if selector == LabelSelector():
            return []
        return [(r, selector) for r in self.defaults if r.when_unsatisfiable == kind]


class InterPodAffinity(OneByOne):
    """Term by term, pod by pod."""

    name = "InterPodAffinity"

    def __init__(self, hard_weight: int = 1, *, ignores_existing: bool = False) -> None:
        self.hard_weight = hard_weight
        self.ignores_existing = ignores_existing

    def reason(self, pod: Pod, node: NodeInfo, cluster: Cluster) -> tuple[str, bool] | None:
        """Look at the pod's affinity, then its anti-affinity, then that of pods in place."""
        near = [term for term in pod_terms(pod) if term.kind is NEAR]
        keys = [term.topology_key for term in near]
        wanted = [
            other
            for other in _all(cluster)
            for placed in other.pods
            if all(_means(term, placed, cluster) for term in near)
        ]
        is_first = not any(key in other.labels for other in wanted for key in keys)
        is_first = is_first and all(_means(term, pod, cluster) for term in near)
        has_all = _has_all(node, keys)
        is_near = all(any(_same(key, node, other) for other in wanted) for key in keys)
        if near and not (has_all and (is_near or is_first)):
            return "node(s) didn't match pod affinity rules", False
        far = [term for term in pod_terms(pod) if term.kind is FAR]
        for other in _all(cluster):
            for placed in other.pods:
                for term in far:
                    if _means(term, placed, cluster) and _same(term.topology_key, node, other):
                        return "node(s) didn't match pod anti-affinity rules", True
        for term, other in _terms_in_place(pod, cluster):
            if term.kind is FAR and _same(term.topology_key, node, other):
                return "node(s) didn't satisfy existing pods anti-affinity rules", True
        return None

    def pre_score(self, pod: Pod, cluster: Cluster) -> Any:
        """List what weighs: topology key, node and weight; skip the pod if nothing does."""
        wishes = [term for term in pod_terms(pod) if term.kind in (WISH, AVERSION)]
        if self.ignores_existing and not wishes:
            return SKIP
        felt = [
            (term.topology_key, other, term.weight if term.kind is WISH else -term.weight)
            for other in _all(cluster)
            for placed in other.pods
            for term in wishes
            if _means(term, placed, cluster)
        ]
        weight_of = {NEAR: self.hard_weight, FAR: 0}
        for term, other in _terms_in_place(pod, cluster):
            sign = -1 if term.kind is AVERSION else 1
            felt.append((term.topology_key, other, sign * weight_of.get(term.kind, term.weight)))
        return [one for one in felt if one[2] and one[0] in one[1].labels] or SKIP

    def score(
        self, nodes: NodeTable, feasible: Mask, state: list[tuple[str, NodeInfo, int]]
    ) -> Scores:
        """Sum up, then scale."""
        sums = {
            row: sum(weight for key, other, weight in state if _same(key, nodes.node(row), other))
            for row in np.flatnonzero(feasible).tolist()
        }
        scores = np.zeros(len(nodes), dtype=np.int64)
        span = max(sums.values()) - min(sums.values())
        for row, total in sums.items():
            scores[row] = int(100.0 * ((total - min(sums.values())) / span)) if span else 0
        return scores


def _all(cluster: Cluster) -> Iterator[NodeInfo]:
    yield from (cluster.nodes.node(row) for row in range(len(cluster.nodes)))


def _has_all(node: NodeInfo, keys: Iterable[str]) -> bool:
    return all(key in node.labels for key in keys)


def _same(key: str, node: NodeInfo, other: NodeInfo) -> bool:
    return key in node.labels and node.labels[key] == other.labels.get(key)


def _counts(rule: TopologySpreadConstraint, pod: Pod, node: NodeInfo) -> bool:
    """Say whether the node's pods count for a constraint."""
    if rule.node_affinity_policy != "Ignore":
        affinity = pod.spec.affinity and pod.spec.affinity.node_affinity
        required = affinity.required if affinity else None
        if required and not required.matches(node.labels, node.name):
            return False
        if not pod.spec.node_selector.items() <= node.labels.items():
            return False
    hard = [t for t in node.taints if t.effect in ("NoSchedule", "NoExecute")]
    return rule.node_taints_policy != "Honor" or all(pod.tolerates(t) for t in hard)


def _matching(pod: Pod, node: NodeInfo, selector: LabelSelector | None) -> int:
    if selector is None or selector == LabelSelector():
        return 0
    return sum(
        one.namespace == pod.namespace and not one.is_terminating and selector.matches(one.labels)
        for one in node.pods
    )


def _narrowed(rule: TopologySpreadConstraint, pod: Pod) -> LabelSelector | None:
    """Add matchLabelKeys; where a label is selected twice with two values, nothing matches."""
    selector = rule.label_selector
    same = {key: pod.labels[key] for key in rule.match_label_keys if key in pod.labels}
    if selector is None or not same:
        return selector
    if any(selector.match_labels.get(key, value) != value for key, value in same.items()):
        return None
    return LabelSelector(selector.match_labels | same, selector.match_expressions)


def _means(term: PodTerm, other: Pod | PodInfo, cluster: Cluster) -> bool:
    """Say whether a term of the pod to place is about another pod."""
    selector = term.selector
    if selector.label_selector is None or not selector.label_selector.matches(other.labels):
        return False
    if other.namespace in selector.namespaces:
        return True
    if selector.namespace_selector is None:
        return False
    space = cluster.namespaces.get(other.namespace)
    has_labels = space is not None and selector.namespace_selector.matches(space.labels)
    return has_labels or selector.namespace_selector.matches({})


def _terms_in_place(pod: Pod, cluster: Cluster) -> Iterator[tuple[PodTerm, NodeInfo]]:
    """List the terms of pods in place that are about the pod to place."""
    for node in _all(cluster):
        for placed in node.pods:
            for term in placed.shape.terms:
                if term.selector.matches(pod.namespace, pod.labels, cluster.namespaces):
                    yield term, node
