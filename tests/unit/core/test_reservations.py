"""Reserve, pre_bind and post_bind as dialogues: what plugins say, and what becomes of the pod."""

from __future__ import annotations

import pytest

from binding_dialogue import BIND, NO, POD, SPACE, UNDONE, begin, labelled, said, talk
from dialogue import bound_answer, of, on_node, unknown_answer
from make import node
from pilotfish.core.decision import Decision
from pilotfish.core.effects import (
    Bind,
    Bound,
    PluginFailed,
    WakeAt,
)
from pilotfish.core.inputs import (
    Applied,
    BindAnswered,
    Deleted,
    Input,
    PodRead,
)
from pilotfish.framework import Assume, BindingError

# -- reserve


def test_plugins_that_want_nothing_do_not_delay_the_bind() -> None:
    dialogue, journal = talk({}, {})
    effects = begin(dialogue)
    assert [type(effect) for effect in effects] == [Decision, Bind]
    assert journal == [
        f"{point} {plugin} a"
        for point in ("reserve", "permit", "pre_bind")
        for plugin in ("First", "Second")
    ]
    dialogue.tell(bound_answer(BIND))
    assert journal[-2:] == ["post_bind First a", "post_bind Second a"]


def test_pod_that_reserve_rejects_is_unschedulable_in_the_same_attempt() -> None:
    dialogue, journal = talk({}, {"reserve": NO})
    effects = begin(dialogue)
    (decision,) = of(Decision, effects)
    message = "0/1 nodes are available: 1 node(s) had no seat."
    assert (decision.outcome, decision.node_name, decision.message) == (
        "unschedulable",
        "",
        message,
    )
    assert said(effects) == [("Unschedulable", message)]
    assert of(Bind, effects) == []
    assert journal == ["reserve First a", "reserve Second a", *UNDONE]
    assert dialogue.free_milli_cpu("n1") == 4000


def test_rejecting_plugin_says_when_the_pod_is_tried_again() -> None:
    dialogue, _ = talk({"reserve": NO})
    begin(dialogue)
    dialogue.now = 30.0
    assert of(Decision, dialogue.decide()) == []
    dialogue.apply_nodes(node("n1", labels={"seats": "2"}))
    assert len(of(Decision, dialogue.decide())) == 1


def test_error_of_reserve_is_told_as_upstream_does_and_retried_after_a_back_off() -> None:
    dialogue, journal = talk({"reserve": BindingError("no server")})
    effects = begin(dialogue)
    assert said(effects) == [("SchedulerError", 'running Reserve plugin "First": no server')]
    assert journal == ["reserve First a", *UNDONE]
    dialogue.now = of(WakeAt, effects)[-1].at
    assert len(of(Decision, dialogue.decide())) == 1


def test_error_of_unreserve_is_told_and_keeps_nobody_from_it() -> None:
    dialogue, journal = talk({"reserve": NO}, {"unreserve": BindingError("stuck")})
    effects = begin(dialogue)
    failed = PluginFailed("uid-a", "default", "a", "Second", "unreserve", "stuck")
    assert of(PluginFailed, effects) == [failed]
    assert journal[-2:] == UNDONE


# -- what reserve assumes


def test_what_is_assumed_counts_until_the_server_says_something_newer() -> None:
    mine = labelled(SPACE, "5", seat="mine")
    dialogue, _ = talk({"reserve": Assume((("namespaces", mine),))})
    dialogue.tell(Applied("namespaces", SPACE))
    begin(dialogue)
    known = dialogue.scheduler.cache.namespaces
    assert known["a"].labels == {"seat": "mine"}
    dialogue.tell(Applied("namespaces", labelled(SPACE, "4", seat="late")))
    assert known["a"].labels == {"seat": "mine"}
    dialogue.tell(Applied("namespaces", labelled(SPACE, "6", seat="theirs")))
    assert known["a"].labels == {"seat": "theirs"}


def test_what_is_assumed_counts_no_more_when_the_bind_fails() -> None:
    mine = labelled(SPACE, "5", seat="mine")
    dialogue, _ = talk({"reserve": Assume((("namespaces", mine),))})
    dialogue.tell(Applied("namespaces", SPACE))
    begin(dialogue)
    dialogue.tell(BindAnswered("uid-a", "n1", "refused", 422, "no"))
    assert dialogue.scheduler.cache.namespaces["a"].labels == {}


def test_what_is_assumed_outlives_the_confirmation_of_the_bind() -> None:
    mine = labelled(SPACE, "5", seat="mine")
    dialogue, _ = talk({"reserve": Assume((("namespaces", mine),))})
    dialogue.tell(Applied("namespaces", SPACE))
    begin(dialogue)
    dialogue.tell(bound_answer(BIND))
    dialogue.apply(on_node(POD, "n1"))
    assert dialogue.scheduler.cache.namespaces["a"].labels == {"seat": "mine"}
    dialogue.tell(Deleted("namespaces", SPACE))
    assert dialogue.scheduler.cache.namespaces == {}


def test_nothing_is_assumed_of_what_is_not_known_or_was_seen_in_an_older_version() -> None:
    old = labelled(SPACE, "4", seat="mine")
    dialogue, _ = talk({"reserve": Assume((("namespaces", old),))})
    ((_, unknown),) = said(begin(dialogue))
    assert "ValueError: namespaces default/a is not known" in unknown
    dialogue.tell(Applied("namespaces", SPACE))
    dialogue.now = 30.0
    ((_, late),) = said(dialogue.decide())
    assert "was assumed of an older version" in late


# -- after Bind


FAILING: dict[str, list[Input]] = {
    "the server refuses": [BindAnswered("uid-a", "n1", "refused", 403, "no")],
    "the pod is gone": [Deleted("pods", POD)],
    "another scheduler was faster": [Applied("pods", on_node(POD, "n2"))],
}


@pytest.mark.parametrize("news", FAILING.values(), ids=FAILING)
def test_failed_bind_is_undone_in_reverse_order(news: list[Input]) -> None:
    dialogue, journal = talk({})
    begin(dialogue)
    journal.clear()
    dialogue.tell(*news)
    assert journal == UNDONE
    assert dialogue.free_milli_cpu("n1") == 4000


def test_pod_that_a_read_does_not_find_is_undone() -> None:
    dialogue, journal = talk({})
    begin(dialogue)
    dialogue.now = of(WakeAt, dialogue.tell(unknown_answer(BIND)))[-1].at
    dialogue.decide()
    journal.clear()
    dialogue.tell(PodRead("uid-a"))
    assert journal == UNDONE


def test_confirmed_pod_that_is_deleted_later_is_not_undone() -> None:
    dialogue, journal = talk({})
    begin(dialogue)
    dialogue.tell(bound_answer(BIND), Deleted("pods", POD))
    assert not [word for word in journal if word.startswith("unreserve")]


def test_error_of_post_bind_is_told_and_changes_nothing() -> None:
    dialogue, journal = talk({"post_bind": BindingError("no disk")})
    begin(dialogue)
    effects = dialogue.tell(bound_answer(BIND))
    assert of(PluginFailed, effects) == [
        PluginFailed("uid-a", "default", "a", "First", "post_bind", "no disk")
    ]
    assert len(of(Bound, effects)) == 1
    assert journal[-1] == "post_bind Second a"
