"""Samples of the nodes: how many are looked for, where the search begins, what is said."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from dialogue import NAME, Dialogue, of
from make import node, pod
from pilotfish.api.pod import Pod
from pilotfish.core.decision import Decision, RejectionCount
from pilotfish.core.node_search import NodeSearch
from pilotfish.framework.plugin import implements
from pilotfish.framework.profile import Profile
from pilotfish.plugins.default import default_profile
from unit.plugins.deciding import cluster


def sampling(percentage: int) -> Profile:
    return Profile(NAME, default_profile(NAME).enabled, percentage_of_nodes_to_score=percentage)


def dialogue(count: int, percentage: int, **node_fields: Any) -> Dialogue:
    nodes = [node(f"n{i:03}", zone="ab"[i % 2], **node_fields) for i in range(count)]
    return Dialogue(*nodes, profile=sampling(percentage))


def decision_on(asked: Pod, where: Dialogue) -> Decision:
    where.apply(asked)
    (decision,) = of(Decision, where.decide())
    return decision


def test_search_ends_with_the_percentage_of_the_nodes() -> None:
    assert decision_on(pod("a"), dialogue(400, 50)).feasible == 200


def test_a_hundred_nodes_are_the_least() -> None:
    assert decision_on(pod("a"), dialogue(400, 5)).feasible == 100
    assert decision_on(pod("a"), dialogue(99, 5)).feasible == 99


def test_all_nodes_are_scored_by_default() -> None:
    assert decision_on(pod("a"), dialogue(400, 0)).feasible == 400


def test_without_scores_the_choice_is_among_all_feasible_nodes() -> None:
    """differs: upstream's search ends with the first."""
    enabled = default_profile(NAME).enabled
    without = Profile(NAME, [one for one in enabled if not implements(one.plugin, "score")])
    nodes = [node(f"n{i}") for i in range(9)]
    assert decision_on(pod("a"), Dialogue(*nodes, profile=without)).feasible == 9


def test_next_search_begins_where_the_last_one_ended() -> None:
    known, pending, profile = cluster(node(f"n{i}") for i in range(250)), pod("a"), sampling(1)
    search = NodeSearch()
    filtered = profile.filter(pending, known)
    found = [search.found(pending, profile, known, filtered).feasible for _ in range(3)]
    assert [int(one.sum()) for one in found] == [100, 100, 100]
    assert np.logical_or.reduce(found).all()


def test_nodes_that_were_not_reached_are_not_counted_as_rejected() -> None:
    nodes = [node(f"n{i:03}", taints=["k:NoSchedule"] if i % 2 else []) for i in range(300)]
    decision = decision_on(pod("a"), Dialogue(*nodes, profile=sampling(1)))
    rejection = RejectionCount("TaintToleration", "node(s) had untolerated taint(s)", 100, False)
    assert (decision.feasible, decision.rejections) == (100, (rejection,))


def test_without_a_feasible_node_the_message_counts_every_node() -> None:
    decision = decision_on(pod("a", cpu="64"), dialogue(300, 5))
    assert decision.message.startswith("0/300 nodes are available: 300 Insufficient cpu.")


def test_nominated_node_that_was_tried_in_vain_counts_as_searched() -> None:
    nodes = [node(f"n{i:03}", unschedulable=i == 199) for i in range(200)]
    known, pending, profile = cluster(nodes), pod("a"), sampling(1)
    known.nominations.nominate(known.pod_info(pending, "n199"))
    search = NodeSearch()
    search.found(pending, profile, known, profile.filter(pending, known))
    assert search.start == 100 + 1


def test_search_stays_within_the_nodes_that_pre_filter_names() -> None:
    names = [f"n{i:03}" for i in range(50, 200)]
    fields = [{"key": "metadata.name", "operator": "In", "values": [name]} for name in names]
    required = {"nodeSelectorTerms": [{"matchFields": [field]} for field in fields]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    decision = decision_on(pod("a", affinity=affinity), dialogue(200, 1))
    reason = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
    assert decision.rejections == (RejectionCount("NodeAffinity", reason, 50, False),)
    assert decision.feasible == 100
    assert decision.node_name in names


def test_same_words_give_the_same_samples() -> None:
    told = [
        [decision_on(pod(f"p{i}"), world) for i in range(5)]
        for world in (dialogue(150, 10), dialogue(150, 10))
    ]
    assert told[0] == told[1]
    assert Counter(one.feasible for one in told[0]) == {100: 5}
