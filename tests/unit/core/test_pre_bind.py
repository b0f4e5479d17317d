"""pre_bind as dialogues: writes, waits and calls before the bind, and how they fail."""

from __future__ import annotations

from typing import Any

import pytest

from binding_dialogue import BIND, NO, POD, SPACE, UNDONE, begin, labelled, said, talk
from binding_plugins import Calling, profile_with
from dialogue import Dialogue, bound_answer, of, on_node
from make import node, pod
from pilotfish.core.decision import Decision
from pilotfish.core.effects import (
    Bind,
    BindFailed,
    Bound,
    CallPlugin,
    EvictPod,
    PatchNomination,
    PatchObject,
    PluginFailed,
    RecordEvent,
    WakeAt,
)
from pilotfish.core.inputs import Applied, Deleted, Input, PluginAnswered, WriteAnswered
from pilotfish.framework import Cluster, Patch, PreBind, Rejection

SEAT = Patch("pods", "a", {"metadata": {"labels": {"seat": "1"}}}, "default")
PLACE = Patch("pods", "a", {"metadata": {"labels": {"place": "2"}}}, "default")


def test_writes_come_one_after_the_other_and_then_the_bind() -> None:
    dialogue, journal = talk({"pre_bind": PreBind((SEAT, PLACE))})
    effects = begin(dialogue)
    (first,) = of(PatchObject, effects)
    assert first.patch == SEAT
    assert [nomination.node_name for nomination in of(PatchNomination, effects)] == ["n1"]
    assert of(Bind, effects) == []
    (second,) = of(PatchObject, dialogue.tell(WriteAnswered("uid-a", first.number)))
    assert second.patch == PLACE
    assert journal[-1] == "pre_bind First a"
    assert of(Bind, dialogue.tell(WriteAnswered("uid-a", second.number))) == [BIND]
    assert journal[-1] == "pre_bind Second a"


def test_other_pods_are_decided_while_one_is_written_for() -> None:
    def writes(one: Any, _waiting: Any) -> PreBind | None:
        return PreBind((SEAT,)) if one.name == "a" else None

    dialogue, _ = talk({"pre_bind": writes})
    begin(dialogue)
    dialogue.apply(pod("b"))
    assert [bind.name for bind in of(Bind, dialogue.decide())] == ["b"]


def test_refused_write_fails_the_binding_cycle() -> None:
    dialogue, journal = talk({"pre_bind": PreBind((SEAT, PLACE))})
    (write,) = of(PatchObject, begin(dialogue))
    effects = dialogue.tell(WriteAnswered("uid-a", write.number, "the object has been modified"))
    message = 'running PreBind plugin "First": the object has been modified'
    assert said(effects) == [("SchedulerError", message)]
    (failed,) = of(BindFailed, effects)
    assert (failed.status, failed.message, failed.next_step) == (0, message, "decide anew")
    assert of(PatchObject, effects) == []
    assert journal[-2:] == UNDONE
    assert dialogue.free_milli_cpu("n1") == 4000


def test_late_answer_to_a_write_of_an_earlier_attempt_is_passed_over() -> None:
    dialogue, _ = talk({"pre_bind": PreBind((SEAT,), timeout_seconds=5.0)})
    (early,) = of(PatchObject, begin(dialogue))
    dialogue.now = 5.0
    dialogue.decide()
    dialogue.now = 60.0
    (later,) = of(PatchObject, dialogue.decide())
    assert dialogue.tell(WriteAnswered("uid-a", early.number)) == []
    assert of(Bind, dialogue.tell(WriteAnswered("uid-a", later.number))) == [BIND]


def quiet(cluster: Cluster) -> bool:
    """Wait until the namespace says that it is quiet."""
    return cluster.namespaces["a"].labels.get("quiet") == "yes"


def test_wait_ends_with_news_of_a_kind_that_the_plugin_reads() -> None:
    dialogue, _ = talk({"pre_bind": PreBind((SEAT,), until=quiet)})
    dialogue.tell(Applied("namespaces", SPACE))
    (write,) = of(PatchObject, begin(dialogue))
    assert of(Bind, dialogue.tell(WriteAnswered("uid-a", write.number))) == []
    assert of(Bind, dialogue.tell(Applied("namespaces", labelled(SPACE, "6")))) == []
    effects = dialogue.tell(Applied("namespaces", labelled(SPACE, "7", quiet="yes")))
    assert of(Bind, effects) == [BIND]


def test_wait_is_over_at_its_deadline() -> None:
    work = PreBind(until=quiet, timeout_seconds=30.0, timeout_message="it is not quiet")
    dialogue, journal = talk({"pre_bind": work})
    dialogue.tell(Applied("namespaces", SPACE))
    assert of(WakeAt, begin(dialogue)) == [WakeAt(30.0)]
    dialogue.now = 30.0
    effects = dialogue.decide()
    message = 'running PreBind plugin "First": it is not quiet'
    assert said(effects) == [("SchedulerError", message)]
    assert journal[-2:] == UNDONE


@pytest.mark.parametrize("until", [NO, KeyError("a")])
def test_wait_may_end_in_a_no_or_an_error(until: Rejection | KeyError) -> None:
    answers: list[Any] = [until, False]

    def ask(_cluster: Cluster) -> bool | Rejection:
        answer = answers.pop()
        if isinstance(answer, KeyError):
            raise answer
        verdict: bool | Rejection = answer
        return verdict

    dialogue, journal = talk({"pre_bind": PreBind(until=ask)})
    begin(dialogue)
    effects = dialogue.tell(Applied("namespaces", SPACE))
    ((reason, message),) = said(effects)
    if until is NO:
        assert (reason, message) == ("Unschedulable", "node(s) had no seat")
    else:
        assert reason == "SchedulerError"
        assert message.startswith("running PreBind plugin \"First\": KeyError: 'a'")
    assert journal[-2:] == UNDONE


def test_rejection_of_pre_bind_is_retried_after_a_back_off_whatever_happens() -> None:
    """Upstream's rule: what happened during pre_bind was not noted for the pod."""
    dialogue, _ = talk({"pre_bind": NO})
    effects = begin(dialogue)
    assert said(effects) == [("Unschedulable", "node(s) had no seat")]
    dialogue.now = of(WakeAt, effects)[-1].at
    assert len(of(Decision, dialogue.decide())) == 1


BEFORE_BIND: dict[str, list[Input]] = {
    "gone": [Deleted("pods", POD)],
    "on its way out": [
        Applied("pods", pod("a", cpu="1", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    ],
    "bound to the same node by another": [Applied("pods", on_node(POD, "n1"))],
}


@pytest.mark.parametrize("news", BEFORE_BIND.values(), ids=BEFORE_BIND)
def test_pod_that_needs_no_bind_any_more_is_undone(news: list[Input]) -> None:
    dialogue, journal = talk({"pre_bind": PreBind(until=quiet)})
    dialogue.tell(Applied("namespaces", SPACE))
    begin(dialogue)
    journal.clear()
    effects = dialogue.tell(*news)
    assert journal == UNDONE
    assert (of(Bind, effects), of(Bound, effects)) == ([], [])
    assert len(dialogue.scheduler.binding) == 0
    assert len(dialogue.scheduler.queue) == 0


def test_more_important_pod_takes_the_place_of_one_that_is_not_being_bound_yet() -> None:
    """It is not deleted, but decided anew."""
    dialogue, journal = talk(
        {"pre_bind": lambda one, _: PreBind((SEAT,)) if one.name == "a" else None}
    )
    dialogue.apply(pod("a", cpu="3"))
    dialogue.decide()
    journal.clear()
    dialogue.apply(pod("big", cpu="3", priority=9))
    effects = dialogue.decide()
    assert journal[: len(UNDONE)] == UNDONE
    assert of(EvictPod, effects) == []
    message = 'running PreBind plugin "First": preempted by DefaultPreemption'
    assert ("SchedulerError", message) in said(effects)
    (event,) = [event for event in of(RecordEvent, effects) if event.reason == "Preempted"]
    assert event.note == "Preempted by pod uid-big on node n1 (in kube-scheduler memory)."
    dialogue.now = 11.0
    assert [bind.name for bind in of(Bind, [*effects, *dialogue.decide()])] == ["big"]


# -- methods that a shell runs


def test_core_asks_for_calls_and_goes_on_with_their_answers() -> None:
    dialogue = Dialogue(node("n1"), profile=profile_with(Calling()))
    (call,) = of(CallPlugin, begin(dialogue))
    assert call == CallPlugin("uid-a", call.number, "Calling", "pre_bind", POD, "n1")
    effects = dialogue.tell(answer_to(call))
    assert of(Bind, effects) == [BIND]
    (after,) = of(CallPlugin, dialogue.tell(bound_answer(BIND)))
    assert (after.extension_point, after.node_name) == ("post_bind", "n1")
    assert dialogue.tell(answer_to(after)) == []


def test_call_may_reject_or_fail_and_a_failure_after_the_bind_is_only_told() -> None:
    dialogue = Dialogue(node("n1"), profile=profile_with(Calling()))
    (call,) = of(CallPlugin, begin(dialogue))
    assert said(dialogue.tell(answer_to(call, rejection=NO))) == [("Unschedulable", NO.reason)]
    dialogue.now = 20.0
    (call,) = of(CallPlugin, dialogue.decide())
    effects = dialogue.tell(answer_to(call, error="OSError: no route"))
    message = 'running PreBind plugin "Calling": OSError: no route'
    assert said(effects) == [("SchedulerError", message)]
    dialogue.now = 60.0
    (call,) = of(CallPlugin, dialogue.decide())
    dialogue.tell(answer_to(call))
    (after,) = of(CallPlugin, dialogue.tell(bound_answer(BIND)))
    assert dialogue.tell(answer_to(after, error="OSError: no disk")) == [
        PluginFailed("uid-a", "default", "a", "Calling", "post_bind", "OSError: no disk")
    ]


def answer_to(call: CallPlugin, **outcome: Any) -> PluginAnswered:
    """Answer a call."""
    point = call.extension_point
    return PluginAnswered("uid-a", "default", "a", call.number, call.plugin, point, **outcome)
