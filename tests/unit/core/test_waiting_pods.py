"""Permit as dialogues: pods that wait, and those that let them go or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from binding_dialogue import NO, said, talk
from binding_plugins import First, everybody, profile_with
from dialogue import Dialogue, bound_answer, of, on_node
from make import node, pod
from pilotfish.api.pod import Pod
from pilotfish.core.binding_cycle import Deadlines, PermitWait, ReservedCycle
from pilotfish.core.decision import Decision
from pilotfish.core.effects import (
    Bind,
    BindFailed,
    Effect,
    EvictPod,
    PatchCondition,
    PatchNomination,
    RecordEvent,
    WakeAt,
)
from pilotfish.core.inputs import Applied, BindAnswered, Deleted, Input, PodRead, Unreadable
from pilotfish.core.waiting_pods import WaitingPods
from pilotfish.framework import Allow, BindingError, Deny, Wait, WaitingPod
from pilotfish.framework.binding_points import Placed
from pilotfish.queue.queued_pod_info import QueuedPodInfo


def bound(effects: Sequence[Effect]) -> list[str]:
    return [bind.name for bind in of(Bind, effects)]


def gang(size: int) -> dict[str, Any]:
    """Make answers that let pods wait until there are so many, and fall together."""

    def permit(_pod: Pod, waiting: Sequence[WaitingPod]) -> Wait | Allow:
        if len(waiting) + 1 < size:
            return Wait(10.0)
        return Allow(tuple(one.uid for one in waiting))

    return {"permit": permit, "unreserve": everybody(lambda uids: Deny(uids, "its group failed"))}


def decided(dialogue: Dialogue, *names: str) -> list[Effect]:
    """Tell of pods of 1 CPU, and decide."""
    dialogue.apply(*(pod(name, cpu="1") for name in names))
    return dialogue.decide()


def test_pod_that_waits_counts_on_its_node_and_holds_nobody_up() -> None:
    dialogue, journal = talk({"permit": lambda one, _: Wait(10.0) if one.name == "a" else None})
    effects = decided(dialogue, "a", "b")
    assert [decision.outcome for decision in of(Decision, effects)] == ["scheduled", "scheduled"]
    assert bound(effects) == ["b"]
    assert dialogue.free_milli_cpu("n1") == 2000
    assert of(WakeAt, effects) == [WakeAt(10.0)]
    assert "pre_bind First a" not in journal


def test_pod_that_waits_is_nominated_and_no_longer_when_it_is_rejected() -> None:
    dialogue, _ = talk({"permit": Wait(5.0)})
    (nomination,) = of(PatchNomination, decided(dialogue, "a"))
    assert nomination == PatchNomination("uid-a", "default", "a", "n1")
    dialogue.now = 5.0
    (patch,) = of(PatchCondition, dialogue.decide())
    assert patch.nominated_node_name == ""


def test_last_pod_of_a_group_lets_the_others_go() -> None:
    dialogue, _ = talk(gang(3))
    assert bound(decided(dialogue, "a", "b")) == []
    assert bound(decided(dialogue, "c")) == ["c", "a", "b"]


def test_pod_that_waits_at_two_plugins_needs_both() -> None:
    free = everybody(Allow)
    dialogue, _ = talk(
        {"permit": lambda one, waiting: Wait(10.0) if one.name == "a" else free(one, waiting)},
        gang(3),
    )
    assert bound(decided(dialogue, "a", "b")) == []
    assert bound(decided(dialogue, "c")) == ["c", "a", "b"]


def test_wait_that_is_over_counts_as_a_rejection() -> None:
    dialogue, journal = talk({"permit": Wait(90.0)})
    decided(dialogue, "a")
    dialogue.now = 90.0
    effects = dialogue.decide()
    reason = "rejected due to timeout after waiting 1m30s at plugin First"
    message = f"0/1 nodes are available: 1 {reason}."
    assert said(effects) == [("Unschedulable", message)]
    assert [failed.message for failed in of(BindFailed, effects)] == [message]
    assert journal[-2:] == ["unreserve Second a", "unreserve First a"]
    assert dialogue.free_milli_cpu("n1") == 4000
    dialogue.now = 200.0
    assert of(Decision, dialogue.decide()) == []
    dialogue.apply_nodes(node("n1", labels={"more": "seats"}))
    assert len(of(Decision, dialogue.decide())) == 1


def test_earliest_of_several_waits_ends_them_all() -> None:
    dialogue, _ = talk({"permit": Wait(60.0)}, {"permit": Wait(5.0)})
    decided(dialogue, "a")
    dialogue.now = 5.0
    ((_, message),) = said(dialogue.decide())
    assert message.endswith("after waiting 5s at plugin Second.")


def test_wait_goes_on_when_the_plugin_with_the_earlier_deadline_allows() -> None:
    def permit(one: Pod, waiting: Sequence[WaitingPod]) -> Wait | Allow:
        return Wait(5.0) if one.name == "a" else Allow(tuple(other.uid for other in waiting))

    dialogue, _ = talk(
        {"permit": lambda one, _: Wait(60.0) if one.name == "a" else None}, {"permit": permit}
    )
    decided(dialogue, "a", "b")
    dialogue.now = 5.0
    assert said(dialogue.decide()) == []
    dialogue.now = 60.0
    ((_, message),) = said(dialogue.decide())
    assert message.endswith("after waiting 1m0s at plugin First.")


def test_event_while_a_pod_waits_is_not_lost_to_it() -> None:
    dialogue, _ = talk({"permit": Wait(5.0)})
    decided(dialogue, "a")
    dialogue.apply_nodes(node("n1", labels={"more": "seats"}))
    dialogue.now = 5.0
    assert len(of(Decision, dialogue.decide())) == 1


def test_room_that_a_rejected_pod_leaves_wakes_others_and_not_itself() -> None:
    dialogue, _ = talk({"permit": lambda one, _: Wait(5.0) if one.name == "a" else None})
    decided(dialogue, "a")
    dialogue.apply(pod("b", cpu="4"))
    dialogue.decide()
    dialogue.now = 5.0
    assert bound(dialogue.decide()) == ["b"]
    assert dialogue.scheduler.queue.counts()["unschedulable"] == 1


def test_group_falls_together_when_the_wait_of_one_is_over() -> None:
    dialogue, _ = talk(gang(9))
    decided(dialogue, "a")
    dialogue.now = 4.0
    decided(dialogue, "b", "c")
    dialogue.now = 10.0
    effects = dialogue.decide()
    messages = [message for _, message in said(effects)]
    assert "after waiting 10s" in messages[0]
    assert messages[1:] == ["0/1 nodes are available: 1 its group failed."] * 2
    assert dialogue.free_milli_cpu("n1") == 4000


def test_group_falls_together_when_a_later_pod_is_rejected() -> None:
    dialogue, _ = talk({**gang(9), "reserve": lambda one, _: NO if one.name == "c" else None})
    decided(dialogue, "a", "b")
    messages = [message for _, message in said(decided(dialogue, "c"))]
    assert messages[0] == "0/1 nodes are available: 1 node(s) had no seat."
    assert messages[1:] == ["0/1 nodes are available: 1 its group failed."] * 2


def test_large_group_falls_without_a_deep_recursion() -> None:
    dialogue, _ = talk(gang(5000))
    dialogue.apply_nodes(node("n1", cpu="9999", pods=5000))
    for number in range(400):
        dialogue.scheduler.handle(Applied("pods", pod(f"p{number}")), 0.0)
    dialogue.scheduler.decide(0.0, 400)
    effects, _ = dialogue.scheduler.decide(10.0, 0)
    assert len(said(effects)) == 400


def test_rejection_of_permit_undoes_the_reservation_at_once() -> None:
    dialogue, journal = talk({"permit": NO})
    effects = decided(dialogue, "a")
    assert said(effects) == [("Unschedulable", "0/1 nodes are available: 1 node(s) had no seat.")]
    assert journal[-3:] == ["permit First a", "unreserve Second a", "unreserve First a"]


def test_error_of_permit_is_told_as_upstream_does() -> None:
    dialogue, _ = talk({"permit": BindingError("no server")})
    effects = decided(dialogue, "a")
    assert said(effects) == [("SchedulerError", 'running Permit plugin "First": no server')]


GOING = pod("a", cpu="1", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
ENDINGS: dict[str, Input] = {
    "deleted": Deleted("pods", pod("a", cpu="1")),
    "on its way out": Applied("pods", GOING),
    "bound elsewhere by another": Applied("pods", on_node(pod("a", cpu="1"), "n2")),
}


@pytest.mark.parametrize("news", ENDINGS.values(), ids=ENDINGS)
def test_pod_that_waits_for_nothing_any_more_leaves_nothing_behind(news: Input) -> None:
    dialogue, journal = talk({"permit": Wait(5.0)})
    decided(dialogue, "a")
    dialogue.tell(news)
    assert journal[-2:] == ["unreserve Second a", "unreserve First a"]
    assert (len(dialogue.scheduler.binding), len(dialogue.scheduler.queue)) == (0, 0)
    assert dialogue.free_milli_cpu("n1") == 4000
    dialogue.now = 5.0
    assert said(dialogue.decide()) == []


def test_version_that_cannot_be_read_does_not_end_the_wait() -> None:
    dialogue, _ = talk(gang(2))
    decided(dialogue, "a")
    dialogue.tell(Unreadable("pods", "default", "a", "uid-a"))
    assert bound(decided(dialogue, "b")) == ["b", "a"]


def test_pod_whose_node_went_while_it_waited_is_decided_anew() -> None:
    dialogue, journal = talk(gang(2))
    decided(dialogue, "a")
    dialogue.tell(Deleted("nodes", node("n1")), Applied("nodes", node("n2")))
    effects = decided(dialogue, "b")
    assert [(bind.name, bind.node_name) for bind in of(Bind, effects)] == [("b", "n2")]
    assert [failed.message for failed in of(BindFailed, effects)] == ['node "n1" is gone']
    assert "unreserve First a" in journal


def test_more_important_pod_takes_the_place_of_one_that_waits() -> None:
    dialogue, _ = talk({"permit": lambda one, _: Wait(60.0) if one.name == "a" else None})
    dialogue.apply(pod("a", cpu="3"))
    dialogue.decide()
    dialogue.apply(pod("big", cpu="3", priority=9))
    effects = dialogue.decide()
    assert of(EvictPod, effects) == []
    assert ("SchedulerError", "waiting on permit for pod: preempted") in said(effects)
    assert [e.name for e in of(RecordEvent, effects) if e.reason == "Preempted"] == ["a"]


def test_profiles_do_not_see_each_others_waiting_pods() -> None:
    """Their plugins have the same names, but are not the same plugins."""
    mine, other = (profile_with(First([], **gang(2))).binding for _ in range(2))
    info = QueuedPodInfo(pod("a"), timestamp=0.0)
    placed = Placed(info.pod, "n1", {})
    cycle = ReservedCycle(info, "n1", points=mine, placed=placed)
    cycle.waits["First"] = PermitWait(10.0, "First", 10.0)
    waiting = WaitingPods(Deadlines({}), lambda *_: None)
    waiting.add(cycle)
    assert [one.uid for one in waiting.at(mine, "First")] == ["uid-a"]
    assert waiting.at(other, "First") == ()
    assert waiting.allow(other, "First", ["uid-a"]) == []


def test_bound_pod_is_no_longer_waiting() -> None:
    dialogue, _ = talk(gang(2))
    binds = of(Bind, decided(dialogue, "a", "b"))
    for bind in binds:
        dialogue.tell(bound_answer(bind))
    assert bound(decided(dialogue, "c")) == []
    dialogue.tell(BindAnswered("uid-a", "n1", "bound"), PodRead("uid-a"))
    assert bound(decided(dialogue, "d")) == ["d", "c"]
