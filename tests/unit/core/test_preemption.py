"""Preemptions in the core: what is asked for, what is told, and how they end."""

from __future__ import annotations

from typing import Any

from dialogue import Dialogue, of
from make import node, pod
from pilotfish.core.decision import Decision
from pilotfish.core.effects import (
    Bind,
    EvictPod,
    PatchCondition,
    PatchNomination,
    RecordEvent,
)
from pilotfish.core.inputs import Deleted, EvictionAnswered

VICTIM = pod("victim", cpu="3", node_name="n1", metadata={"generation": 4})
IMPORTANT = pod("important", cpu="3", priority=10)
GOING: dict[str, Any] = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
WHY = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
LEAVING = pod("victim", cpu="3", node_name="n1", metadata=GOING, status={"conditions": [WHY]})


def begun() -> tuple[Dialogue, list[Any]]:
    """Let an important pod find its node full."""
    dialogue = Dialogue(node("n1"))
    dialogue.apply(VICTIM, IMPORTANT)
    return dialogue, dialogue.decide()


def test_victim_is_evicted_and_the_nomination_comes_with_the_condition() -> None:
    _, effects = begun()
    (evict,) = of(EvictPod, effects)
    assert evict == EvictPod(
        "uid-victim",
        "default",
        "victim",
        "my-scheduler: preempting to accommodate a higher priority pod",
        4,
    )
    (patch,) = of(PatchCondition, effects)
    assert (patch.uid, patch.nominated_node_name) == ("uid-important", "n1")
    assert patch.message == "0/1 nodes are available: 1 Insufficient cpu."
    (decision,) = of(Decision, effects)
    assert (decision.outcome, decision.nominated_node_name) == ("unschedulable", "n1")
    assert decision.victims == ("default/victim",)


def test_victims_event_is_recorded_once_it_is_evicted() -> None:
    dialogue, _ = begun()
    (event,) = of(RecordEvent, dialogue.tell(EvictionAnswered("uid-victim", "evicted")))
    assert (event.name, event.reason, event.action) == ("victim", "Preempted", "Preempting")
    assert event.note == "Preempted by pod uid-important on node n1"
    assert event.related is not None
    assert event.related.name == "important"


def test_preemptor_is_bound_when_its_victim_is_gone_and_nobody_else_goes_meanwhile() -> None:
    dialogue, _ = begun()
    dialogue.tell(EvictionAnswered("uid-victim", "evicted"))
    for version in (VICTIM, LEAVING):  # its eviction is not seen yet; then it is
        dialogue.now += 20.0
        dialogue.apply(version)
        dialogue.apply_nodes(node("n1", cpu="3500m"))
        dialogue.apply_nodes(node("n1"))
        assert of(EvictPod, dialogue.decide()) == []
    dialogue.tell(Deleted("pods", LEAVING))
    dialogue.now += 20.0
    assert [bind.name for bind in of(Bind, dialogue.decide())] == ["important"]
    assert dialogue.scheduler.cache.nominated_pods == {}


def test_eviction_that_failed_is_tried_anew() -> None:
    dialogue, _ = begun()
    dialogue.now = 20.0
    assert of(RecordEvent, dialogue.tell(EvictionAnswered("uid-victim", "failed", "403"))) == []
    assert [evict.name for evict in of(EvictPod, dialogue.decide())] == ["victim"]


def test_room_of_a_nominated_pod_is_for_more_important_pods_only() -> None:
    dialogue, _ = begun()
    dialogue.tell(Deleted("pods", VICTIM))
    dialogue.apply(pod("small", cpu="1"), pod("rival", cpu="2"))
    dialogue.scheduler.queue.delete("uid-important")  # as if it were in back-off
    assert [bind.name for bind in of(Bind, dialogue.decide())] == ["small"]
    dialogue.apply(pod("boss", cpu="3", priority=11))
    assert [bind.name for bind in of(Bind, dialogue.decide())] == ["boss"]


def test_deleted_preemptor_leaves_its_room_to_others() -> None:
    dialogue, _ = begun()
    dialogue.tell(Deleted("pods", IMPORTANT), EvictionAnswered("uid-victim", "evicted"))
    dialogue.tell(Deleted("pods", VICTIM))
    dialogue.apply(pod("rival", cpu="2"))
    assert [bind.name for bind in of(Bind, dialogue.decide())] == ["rival"]


def test_less_important_nominations_on_the_node_are_cleared() -> None:
    dialogue, _ = begun()
    dialogue.apply(pod("boss", cpu="4", priority=11))
    effects = dialogue.decide()
    assert [clear.name for clear in of(PatchNomination, effects)] == ["important"]
    assert of(EvictPod, effects) == []  # the victim was asked to go already
    (patch,) = (one for one in of(PatchCondition, effects) if one.name == "boss")
    assert patch.nominated_node_name == "n1"


def test_nomination_is_cleared_when_preemption_helps_no_longer() -> None:
    nominated = pod("late", cpu="3", priority=10, status={"nominatedNodeName": "n1"})
    dialogue = Dialogue(node("n1", cpu="2"))
    dialogue.apply(nominated)
    (patch,) = of(PatchCondition, dialogue.decide())
    assert patch.nominated_node_name == ""
    assert dialogue.scheduler.cache.nominated_pods == {}


def test_pod_goes_to_its_nominated_node_though_others_score_better() -> None:
    dialogue = Dialogue(node("n1"), node("n2", cpu="64"))
    nominated = pod("late", cpu="3", status={"nominatedNodeName": "n1"})
    assert dialogue.bind(nominated).node_name == "n1"


def test_nomination_that_the_server_shows_no_more_is_over() -> None:
    dialogue = Dialogue(node("n1", cpu="2"), node("n2"))
    waiting: dict[str, Any] = {"cpu": "3", "scheduling_gates": [{"name": "wait"}]}
    dialogue.apply(pod("gated", status={"nominatedNodeName": "n2"}, **waiting))
    assert list(dialogue.scheduler.cache.nominated_pods) == ["n2"]
    dialogue.apply(pod("gated", **waiting))
    assert dialogue.scheduler.cache.nominated_pods == {}
