"""The scheduler as a whole: when it decides, when it wants to be called again, how it is built."""

import random

import pytest

from dialogue import KINDS, NAME, Dialogue, of, unknown_answer
from make import node, pod
from pilotfish.api.pod import Pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.decision import Decision
from pilotfish.core.effects import Bind, WakeAt
from pilotfish.core.inputs import Absent, Applied, Replaced, StatusAnswered
from pilotfish.core.scheduler import Scheduler
from pilotfish.framework.errors import ProfileError
from pilotfish.framework.invariants import BrokenInvariantError
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.plugins.default import default_profile


class LastComeFirst(Plugin):
    """Sort by time, the youngest first."""

    name = "LastComeFirst"

    def sort_key(self, timestamp: float) -> tuple[float]:
        """Return the pod's place."""
        return (-timestamp,)


def make_scheduler(*profiles: Profile, kinds: frozenset[str] = KINDS) -> Scheduler:
    by_name = {profile.scheduler_name: profile for profile in profiles}
    rng = random.Random(0)  # ties are no secret
    return Scheduler(by_name, SchedulerSettings(), rng, kinds)


def test_nothing_is_decided_until_every_kind_was_listed_or_is_absent() -> None:
    scheduler = make_scheduler(default_profile(NAME), kinds=frozenset({"pods", "nodes", "more"}))
    scheduler.handle(Applied("nodes", node("n1")), 0.0)
    scheduler.handle(Replaced("pods", (pod("a"),)), 0.0)
    assert scheduler.decide(0.0, 10) == ([], False)
    scheduler.handle(Replaced("nodes", (node("n1"),)), 0.0)
    assert scheduler.decide(0.0, 10) == ([], False)
    scheduler.handle(Absent("more"), 0.0)
    assert len(of(Bind, scheduler.decide(0.0, 10)[0])) == 1


def test_each_profile_decides_about_its_own_pods() -> None:
    scheduler = make_scheduler(default_profile("red"), default_profile("blue"))
    scheduler.handle(Replaced("nodes", (node("n1"),)), 0.0)
    names = ("red", "blue", "green")
    scheduler.handle(Replaced("pods", tuple(pod(n, scheduler_name=n) for n in names)), 0.0)
    decisions = of(Decision, scheduler.decide(0.0, 10)[0])
    assert [decision.scheduler_name for decision in decisions] == ["red", "blue"]


def test_profiles_that_sort_differently_cannot_share_a_queue() -> None:
    other = Profile("blue", [EnabledPlugin(LastComeFirst())])
    with pytest.raises(ProfileError, match="'red' by 'PrioritySort' and 'blue' by 'LastComeFirst'"):
        make_scheduler(default_profile("red"), other)


def test_decide_stops_after_as_many_cycles_as_it_may_run() -> None:
    dialogue = Dialogue(node("n1"))
    dialogue.apply(*(pod(name) for name in "abc"))
    effects, more = dialogue.scheduler.decide(0.0, 2)
    assert ([bind.name for bind in of(Bind, effects)], more) == (["a", "b"], True)
    effects, more = dialogue.scheduler.decide(0.0, 2)
    assert ([bind.name for bind in of(Bind, effects)], more) == (["c"], False)


def test_pods_decided_in_one_go_see_each_other() -> None:
    dialogue = Dialogue(node("n1", cpu="2"), node("n2", cpu="2"))
    dialogue.apply(*(pod(name, cpu="2") for name in "abc"))
    assert {bind.node_name for bind in of(Bind, dialogue.decide())} == {"n1", "n2"}


def wakes(dialogue: Dialogue, now: float) -> list[float]:
    dialogue.now = now
    return [wake.at for wake in of(WakeAt, dialogue.decide())]


def test_earliest_deadline_is_told_when_it_changes() -> None:
    dialogue = Dialogue(node("n1", cpu="2"))
    dialogue.apply(pod("a", cpu="4"))
    assert wakes(dialogue, 0.0) == [300.0]
    assert wakes(dialogue, 1.0) == []
    bind = dialogue.bind(pod("b"))
    assert of(WakeAt, dialogue.tell(unknown_answer(bind))) == [WakeAt(1.1)]
    assert wakes(dialogue, 1.2) == [300.0]


def test_deadline_is_told_again_to_a_shell_whose_timer_was_early() -> None:
    dialogue = Dialogue(node("n1", cpu="2"))
    dialogue.apply(pod("a", cpu="4"))
    assert wakes(dialogue, 0.0) == [300.0]
    assert wakes(dialogue, 299.9995) == [300.0]
    assert wakes(dialogue, 300.0) == [600.0]


def test_condition_that_could_not_be_written_is_sent_with_the_next_attempt() -> None:
    dialogue = Dialogue(node("n1", cpu="2"))
    dialogue.apply(pod("a", cpu="4"))
    dialogue.decide()
    dialogue.tell(StatusAnswered("uid-a", is_written=False, message="forbidden"))
    dialogue.now = 300.0
    assert [type(effect).__name__ for effect in dialogue.decide()] == [
        "Decision",
        "RecordEvent",
        "PatchCondition",
        "WakeAt",
    ]


def test_pod_in_two_places_is_found_by_the_invariants() -> None:
    dialogue = Dialogue(node("n1"))
    assigned: Pod = pod("a", node_name="n1")
    dialogue.apply(pod("a"))
    dialogue.scheduler.cache.set_pod(assigned)
    with pytest.raises(BrokenInvariantError, match="counts on a node and is queued"):
        dialogue.scheduler.check_invariants()
