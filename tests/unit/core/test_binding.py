"""Binding cycles as dialogues: every answer to a bind, and what the watch says meanwhile."""

import pytest

from dialogue import Dialogue, bound_answer, of, on_node, unknown_answer
from make import node, pod
from pilotfish.core.binding import BIND_TRIES
from pilotfish.core.decision import Decision
from pilotfish.core.effects import (
    Bind,
    BindFailed,
    Bound,
    Effect,
    PatchCondition,
    ReadPod,
    RecordEvent,
    WakeAt,
)
from pilotfish.core.inputs import BindAnswered, Deleted, PodRead

POD = pod("a", cpu="1")
BIND = Bind("uid-a", "default", "a", "n1")
READ = ReadPod("uid-a", "default", "a")
TOLD = [
    Bound("uid-a", "default", "a", "n1"),
    RecordEvent(
        "uid-a",
        "default",
        "a",
        "Normal",
        "Scheduled",
        "Binding",
        "Successfully assigned default/a to n1",
        "my-scheduler",
    ),
]


@pytest.fixture
def dialogue() -> Dialogue:
    """A scheduler that has just asked to bind a pod of 1 CPU to n1, which has 4."""
    made = Dialogue(node("n1"))
    assert made.bind(POD) == BIND
    return made


def refused(status: int) -> BindAnswered:
    return BindAnswered("uid-a", "n1", "refused", status, "no")


def next_wake(dialogue: Dialogue, effects: list[Effect]) -> None:
    """Let the clock go on to what was asked for."""
    dialogue.now = of(WakeAt, effects)[-1].at


def be_unsure(dialogue: Dialogue) -> None:
    """Lose the answer and let the scheduler ask for the truth."""
    next_wake(dialogue, dialogue.tell(unknown_answer(BIND)))
    assert of(ReadPod, dialogue.decide()) == [READ]


def test_chosen_node_counts_the_pod_before_the_answer(dialogue: Dialogue) -> None:
    assert dialogue.free_milli_cpu("n1") == 3000


def test_success_is_told_once_and_the_watch_confirms_it(dialogue: Dialogue) -> None:
    assert dialogue.tell(bound_answer(BIND)) == TOLD
    assert dialogue.apply(on_node(POD, "n1")) == []
    assert len(dialogue.scheduler.binding) == 0
    assert dialogue.free_milli_cpu("n1") == 3000


def test_watch_may_be_faster_than_the_answer(dialogue: Dialogue) -> None:
    assert dialogue.apply(on_node(POD, "n1")) == TOLD
    assert dialogue.tell(bound_answer(BIND)) == []


def test_late_news_of_the_unbound_pod_does_not_bind_it_again(dialogue: Dialogue) -> None:
    dialogue.tell(bound_answer(BIND))
    dialogue.apply(pod("a", cpu="1", labels={"new": "label"}))
    assert of(Bind, dialogue.decide()) == []
    assert dialogue.free_milli_cpu("n1") == 3000


# -- refused


def test_refused_pod_gives_its_room_away_and_is_decided_anew_after_a_back_off(
    dialogue: Dialogue,
) -> None:
    effects = dialogue.tell(refused(403))
    assert dialogue.free_milli_cpu("n1") == 4000
    (failed,) = of(BindFailed, effects)
    assert (failed.status, failed.message, failed.next_step) == (403, "no", "decide anew")
    message = 'running Bind plugin "DefaultBinder": no'
    assert [(p.reason, p.message) for p in of(PatchCondition, effects)] == [
        ("SchedulerError", message)
    ]
    assert [(e.reason, e.note) for e in of(RecordEvent, effects)] == [("FailedScheduling", message)]
    assert dialogue.decide() == []
    next_wake(dialogue, effects)
    assert of(Bind, dialogue.decide()) == [BIND]


def test_refusal_wakes_pods_that_wait_for_room(dialogue: Dialogue) -> None:
    dialogue.apply(pod("b", cpu="4"))
    assert of(Bind, dialogue.decide()) == []
    dialogue.tell(refused(422))
    assert [bind.name for bind in of(Bind, dialogue.decide())] == ["b"]


def test_pod_that_the_server_does_not_find_is_dropped_when_the_watch_agrees(
    dialogue: Dialogue,
) -> None:
    effects = dialogue.tell(refused(404))
    assert of(PatchCondition, effects) == []
    assert of(RecordEvent, effects) == []
    assert "uid-a" in dialogue.scheduler.queue
    dialogue.tell(Deleted("pods", POD))
    assert len(dialogue.scheduler.queue) == 0


def test_refused_pod_that_is_being_deleted_is_not_tried_again(dialogue: Dialogue) -> None:
    dialogue.apply(pod("a", cpu="1", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    effects = dialogue.tell(refused(403))
    assert of(RecordEvent, effects) == []
    assert len(dialogue.scheduler.queue) == 0
    assert dialogue.free_milli_cpu("n1") == 4000


# -- unknown


def test_unknown_outcome_keeps_the_room_until_the_truth_is_read(dialogue: Dialogue) -> None:
    effects = dialogue.tell(unknown_answer(BIND))
    assert [failed.next_step for failed in of(BindFailed, effects)] == ["read the truth"]
    assert of(WakeAt, effects) == [WakeAt(0.1)]
    assert dialogue.free_milli_cpu("n1") == 3000
    assert of(ReadPod, dialogue.decide()) == []
    dialogue.now = 0.1
    assert of(ReadPod, dialogue.decide()) == [READ]
    assert dialogue.tell(PodRead("uid-a", on_node(POD, "n1"))) == TOLD
    assert dialogue.apply(on_node(POD, "n1")) == []
    assert len(dialogue.scheduler.binding) == 0


def test_unknown_outcome_does_not_hold_up_other_pods(dialogue: Dialogue) -> None:
    dialogue.tell(unknown_answer(BIND))
    assert dialogue.bind(pod("b")).name == "b"


def test_watch_may_settle_an_unknown_outcome(dialogue: Dialogue) -> None:
    be_unsure(dialogue)
    assert dialogue.apply(on_node(POD, "n1")) == TOLD
    assert dialogue.tell(PodRead("uid-a", on_node(POD, "n1"))) == []


def test_pod_that_is_surely_unbound_is_bound_again_to_the_same_node(dialogue: Dialogue) -> None:
    dialogue.apply_nodes(node("n2", cpu="400"))
    be_unsure(dialogue)
    next_wake(dialogue, dialogue.tell(PodRead("uid-a", POD)))
    effects = dialogue.decide()
    assert of(Bind, effects) == [BIND]
    assert of(Decision, effects) == []
    assert dialogue.tell(bound_answer(BIND)) == TOLD


def test_after_four_binds_without_a_clear_answer_the_pod_is_decided_anew(
    dialogue: Dialogue,
) -> None:
    binds = 1
    while True:
        be_unsure(dialogue)
        effects = dialogue.tell(PodRead("uid-a", POD))
        next_wake(dialogue, effects)
        if of(RecordEvent, effects):
            break
        binds += len(of(Bind, dialogue.decide()))
    assert binds == BIND_TRIES
    assert dialogue.free_milli_cpu("n1") == 4000
    assert [decision.attempt for decision in of(Decision, dialogue.decide())] == [2]


def test_truth_is_asked_for_again_for_as_long_as_it_cannot_be_read(dialogue: Dialogue) -> None:
    dialogue.tell(unknown_answer(BIND))
    pauses = []
    for _ in range(10):
        dialogue.now += 20.0
        assert of(ReadPod, dialogue.decide()) == [READ]
        (wake,) = of(WakeAt, dialogue.tell(PodRead("uid-a", error="connection refused")))
        pauses.append(round(wake.at - dialogue.now, 3))
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0, 10.0]
    assert dialogue.free_milli_cpu("n1") == 3000


def test_pod_that_is_gone_when_the_truth_is_read_is_dropped(dialogue: Dialogue) -> None:
    be_unsure(dialogue)
    dialogue.tell(PodRead("uid-a"))
    assert dialogue.free_milli_cpu("n1") == 4000
    assert len(dialogue.scheduler.queue) == len(dialogue.scheduler.binding) == 0


def test_unbound_pod_that_is_being_deleted_when_the_truth_is_read_is_dropped(
    dialogue: Dialogue,
) -> None:
    be_unsure(dialogue)
    leaving = pod("a", cpu="1", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    dialogue.tell(PodRead("uid-a", leaving))
    assert dialogue.free_milli_cpu("n1") == 4000
    assert len(dialogue.scheduler.binding) == 0


def test_node_that_vanished_gets_no_second_bind(dialogue: Dialogue) -> None:
    be_unsure(dialogue)
    effects = dialogue.tell(PodRead("uid-a", POD))
    dialogue.tell(Deleted("nodes", node("n1")))
    next_wake(dialogue, effects)
    effects = dialogue.decide()
    assert of(Bind, effects) == []
    assert [failed.message for failed in of(BindFailed, effects)] == ['node "n1" is gone']
    dialogue.apply_nodes(node("n2"))
    dialogue.now += 2.0
    assert [bind.node_name for bind in of(Bind, dialogue.decide())] == ["n2"]


def test_pod_bound_to_a_node_that_vanished_is_bound_all_the_same(dialogue: Dialogue) -> None:
    be_unsure(dialogue)
    dialogue.tell(Deleted("nodes", node("n1")))
    assert dialogue.tell(PodRead("uid-a", on_node(POD, "n1"))) == TOLD


# -- others


def test_foreign_bind_on_the_watch_wins_and_counts_where_it_is(dialogue: Dialogue) -> None:
    dialogue.apply_nodes(node("n2"))
    effects = dialogue.apply(on_node(POD, "n2"))
    assert of(Bound, effects) == []
    assert [failed.next_step for failed in of(BindFailed, effects)] == ["leave it there"]
    assert (dialogue.free_milli_cpu("n1"), dialogue.free_milli_cpu("n2")) == (4000, 3000)
    assert dialogue.tell(bound_answer(BIND)) == []


def test_foreign_bind_that_is_read_counts_where_it_is_until_the_watch_agrees(
    dialogue: Dialogue,
) -> None:
    dialogue.apply_nodes(node("n2"))
    be_unsure(dialogue)
    effects = dialogue.tell(PodRead("uid-a", on_node(POD, "n2")))
    assert of(Bound, effects) == []
    assert (dialogue.free_milli_cpu("n1"), dialogue.free_milli_cpu("n2")) == (4000, 3000)
    dialogue.apply(POD)
    assert of(Bind, dialogue.decide()) == []
    assert dialogue.apply(on_node(POD, "n2")) == []
    assert len(dialogue.scheduler.binding) == 0


def test_pod_deleted_in_flight_is_dropped_and_late_answers_are_passed_over(
    dialogue: Dialogue,
) -> None:
    dialogue.tell(Deleted("pods", POD))
    assert dialogue.free_milli_cpu("n1") == 4000
    assert dialogue.tell(bound_answer(BIND)) == []
    assert dialogue.decide() == []


def test_pod_that_was_bound_before_it_was_deleted_is_told_as_bound(dialogue: Dialogue) -> None:
    assert dialogue.tell(Deleted("pods", on_node(POD, "n1"))) == TOLD
    assert dialogue.free_milli_cpu("n1") == 4000


def test_bound_pod_that_ended_at_once_takes_no_room(dialogue: Dialogue) -> None:
    ended = on_node(pod("a", cpu="1", status={"phase": "Succeeded"}), "n1")
    assert dialogue.apply(ended) == TOLD
    assert dialogue.free_milli_cpu("n1") == 4000


def test_namesake_made_anew_is_another_pod(dialogue: Dialogue) -> None:
    dialogue.tell(Deleted("pods", POD))
    again = dialogue.bind(pod("a", uid="another", cpu="1"))
    assert again.uid == "another"
    assert dialogue.tell(bound_answer(BIND)) == []
    assert len(of(Bound, dialogue.tell(bound_answer(again)))) == 1
