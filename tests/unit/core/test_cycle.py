"""Decisions: what one attempt at a pod comes to, and what its record says."""

from collections import Counter

import numpy as np
import pytest

from dialogue import Dialogue, of
from make import node, pod
from pilotfish.api.pod import Pod
from pilotfish.core.decision import SHOWN_NODES, Decision, RejectionCount
from pilotfish.core.effects import Bind, PatchCondition, RecordEvent
from pilotfish.framework.arrays import Scores
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.framework.rejection import Reject
from pilotfish.plugins.default import default_profile
from pilotfish.plugins.priority_sort import PrioritySort


class ByNumber(Plugin):
    """Score a node by the number in its name, or by nothing for pods without a label `scored`."""

    name = "ByNumber"

    def score(self, pod: Pod, nodes: NodeTable) -> Scores:
        """Give the numbers."""
        if "broken" in pod.labels:
            raise ValueError("no idea")
        numbers = [int(name[1:]) if "scored" in pod.labels else 0 for name in nodes.names]
        return np.array(numbers, dtype=np.int64)


class Refusal(Plugin):
    """Reject pods with a label `refused` as a whole."""

    name = "Refusal"
    requeue_on = frozenset({ClusterEvent.POD_LABELS_CHANGED})

    def pre_filter(self, pod: Pod) -> Reject | None:
        """Reject, or not."""
        return Reject(None, "it is refused") if "refused" in pod.labels else None


def make_dialogue(nodes: int, *, seed: int = 0) -> Dialogue:
    plugins = [PrioritySort(), Refusal(), ByNumber()]
    profile = Profile("my-scheduler", [EnabledPlugin(plugin, 2) for plugin in plugins])
    return Dialogue(*(node(f"n{i}") for i in range(nodes)), profile=profile, seed=seed)


def decision_on(dialogue: Dialogue, asked: Pod) -> Decision:
    dialogue.apply(asked)
    (decision,) = of(Decision, dialogue.decide())
    return decision


SCORED = {"scored": "yes"}


@pytest.mark.parametrize("nodes", [2, 4, 5, 6, 30])
def test_best_node_is_chosen_and_the_best_few_are_shown_in_order(nodes: int) -> None:
    decision = decision_on(make_dialogue(nodes), pod("a", labels=SCORED))
    best = [f"n{i}" for i in range(nodes - 1, -1, -1)][:SHOWN_NODES]
    assert decision.node_name == best[0]
    assert [score.node_name for score in decision.best] == best
    assert decision.best[0].total == 2 * (nodes - 1)
    assert decision.best[0].by_plugin == {"ByNumber": 2 * (nodes - 1)}
    assert (decision.nodes, decision.feasible) == (nodes, nodes)
    assert (decision.tied, decision.ties) == (1, (best[0],))


def test_tie_is_broken_by_the_seeded_generator_and_is_on_record() -> None:
    chosen = Counter(
        decision_on(make_dialogue(8, seed=seed), pod("a")).node_name for seed in range(100)
    )
    assert set(chosen) == {f"n{i}" for i in range(8)}
    one, again = (decision_on(make_dialogue(8, seed=7), pod("a")) for _ in range(2))
    assert one == again
    assert one.tied == 8
    assert len(one.ties) == len(one.best) == SHOWN_NODES


def test_only_feasible_node_is_chosen_without_asking_for_scores() -> None:
    decision = decision_on(make_dialogue(1), pod("a", labels={"broken": "yes"}))
    assert (decision.outcome, decision.node_name) == ("scheduled", "n0")
    assert decision.best == ()


def test_record_counts_who_rejected_what() -> None:
    dialogue = Dialogue(node("n0"), node("n1", cpu="1"), node("n2", taints=["x:NoSchedule"]))
    decision = decision_on(dialogue, pod("a", cpu="2"))
    assert decision.node_name == "n0"
    assert decision.feasible == 1
    assert decision.rejections == (
        RejectionCount("TaintToleration", "node(s) had untolerated taint(s)", 1, resolvable=False),
        RejectionCount("NodeResourcesFit", "Insufficient cpu", 1, resolvable=False),
    )


def test_infeasible_pod_is_told_with_upstreams_message() -> None:
    dialogue = Dialogue(node("n1", cpu="1"), node("n2", taints=["x:NoSchedule"]))
    dialogue.apply(pod("a", cpu="2"))
    effects = dialogue.decide()
    message = (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). "
        "no new claims to deallocate, preemption: "
        "0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )
    (decision,) = of(Decision, effects)
    assert (decision.outcome, decision.message) == ("unschedulable", message)
    assert decision.node_name == ""
    assert [event.note for event in of(RecordEvent, effects)] == [message]
    assert [patch.message for patch in of(PatchCondition, effects)] == [message]
    assert of(Bind, effects) == []


def test_pod_rejected_before_the_filters_counts_every_node() -> None:
    decision = decision_on(make_dialogue(3), pod("a", labels={"refused": "yes"}))
    assert decision.message == "0/3 nodes are available: it is refused."
    assert decision.rejections == (RejectionCount("Refusal", "it is refused", 3, resolvable=True),)


def test_error_of_a_plugin_concerns_that_pod_alone() -> None:
    dialogue = make_dialogue(2)
    dialogue.apply(pod("a", labels={"broken": "yes"}), pod("b"))
    effects = dialogue.decide()
    failed, fine = of(Decision, effects)
    assert (failed.name, failed.outcome) == ("a", "error")
    assert "'ByNumber' failed in score" in failed.message
    assert [patch.reason for patch in of(PatchCondition, effects)] == ["SchedulerError"]
    assert (fine.name, fine.outcome) == ("b", "scheduled")
    assert dialogue.scheduler.queue.counts()["backoff"] == 1


def test_error_of_a_plugin_in_the_queue_is_reported_and_costs_nobody_else_anything() -> None:
    class Ranked(Plugin):
        """Sorts by a label that not every pod has."""

        name = "Ranked"

        def sort_key(self, pod: Pod) -> tuple[int]:
            """Return the pod's place."""
            return (int(pod.labels["rank"]),)

    dialogue = Dialogue(node("n1"), profile=Profile("my-scheduler", [EnabledPlugin(Ranked())]))
    dialogue.apply(pod("a"), pod("b", labels={"rank": "1"}))
    effects = dialogue.decide()
    failed, fine = of(Decision, effects)
    assert (failed.name, failed.outcome, fine.outcome) == ("a", "error", "scheduled")
    assert "'Ranked' failed in sort_key for pod default/a: KeyError: 'rank'" in failed.message
    assert [patch.reason for patch in of(PatchCondition, effects)] == ["SchedulerError"]
    assert dialogue.scheduler.queue.counts()["backoff"] == 1


def test_attempts_are_numbered() -> None:
    dialogue = Dialogue(node("n1", cpu="1"))
    assert decision_on(dialogue, pod("a", cpu="2")).attempt == 1
    dialogue.apply_nodes(node("n1", cpu="3"))
    (second,) = of(Decision, dialogue.decide())
    assert (second.attempt, second.outcome) == (2, "scheduled")


def test_first_node_of_a_cluster_gets_the_waiting_pods_at_once() -> None:
    dialogue = Dialogue()
    decision = decision_on(dialogue, pod("a"))
    assert decision.message == "no nodes available to schedule pods"
    dialogue.now = 0.1
    dialogue.apply_nodes(node("n1"))
    assert [bind.node_name for bind in of(Bind, dialogue.decide())] == ["n1"]


def test_plugin_that_left_nodes_out_before_the_filters_is_a_rejector() -> None:
    dialogue = Dialogue(node("n1"), profile=default_profile("my-scheduler"))
    name_in = {"key": "metadata.name", "operator": "In", "values": ["n2"]}
    terms = {"nodeSelectorTerms": [{"matchFields": [name_in]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    decision = decision_on(dialogue, pod("a", affinity=affinity))
    assert decision.message == (
        "0/1 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
        "no new claims to deallocate, preemption: "
        "0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )
    dialogue.now = 5.0
    dialogue.apply_nodes(node("n2"))
    assert [bind.node_name for bind in of(Bind, dialogue.decide())] == ["n2"]
