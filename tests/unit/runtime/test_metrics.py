"""Metrics of a scheduler that is told a story, on a clock that the story moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dialogue import NAME, Dialogue, bound_answer, of
from make import node, pod
from pilotfish.api.pod import Pod
from pilotfish.core.decision import Decision
from pilotfish.core.effects import Bind, Effect
from pilotfish.core.inputs import BindAnswered
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.framework.rejection import Reject
from pilotfish.plugins.default import default_profile
from pilotfish.runtime.metrics import ABOUT, Metrics


class Measured(Dialogue):
    """A dialogue whose scheduler is measured: each look at the clock takes a second."""

    def __init__(self, *names: str, profile: Profile | None = None) -> None:
        self.seconds = 0.0
        self.metrics = Metrics("https://server:6443", self._tick)
        nodes = [node(name, cpu="1") for name in names]
        super().__init__(*nodes, profile=profile, timer=self.metrics)

    def _tick(self) -> float:
        self.seconds += 1.0
        return self.seconds

    def decide(self) -> list[Effect]:
        """Let the scheduler decide, and the metrics read its decisions."""
        effects = super().decide()
        for decision in of(Decision, effects):
            self.metrics.observe(decision)
        return effects

    def value(self, sample: str, **labels: str) -> float | None:
        """Return a sample; None where there is none."""
        for family in self.metrics.families(self.scheduler):
            for one in family.samples:
                if one.name == sample and one.labels == labels:
                    return float(one.value)
        return None


def test_a_pod_is_scheduled_when_its_bind_is_answered_not_when_it_is_decided() -> None:
    story = Measured("n1")
    bind = story.bind(pod("a"))
    done = {"result": "scheduled", "profile": NAME}
    assert story.value("scheduler_schedule_attempts_total", **done) is None
    story.tell(bound_answer(bind))
    assert story.value("scheduler_schedule_attempts_total", **done) == 1
    assert story.value("scheduler_pod_scheduling_attempts_sum") == 1
    assert story.value("scheduler_pod_scheduling_sli_duration_seconds_count", attempts="1") == 1


def test_an_attempt_lasts_until_its_bind_is_answered() -> None:
    story = Measured("n1")
    bind = story.bind(pod("a"))
    story.seconds += 10
    story.tell(bound_answer(bind))
    name, labels = "scheduler_scheduling_attempt_duration_seconds_sum", {"result": "scheduled"}
    seconds = story.value(name, **labels, profile=NAME)
    algorithm = story.value("scheduler_scheduling_algorithm_duration_seconds_sum")
    assert (seconds, algorithm) == (14.0, 3.0)


def test_the_time_of_a_pod_begins_with_its_first_attempt() -> None:
    story = Measured()
    story.apply(pod("a", cpu="1"))
    story.decide()
    story.now, story.seconds = 100.0, 100.0
    story.apply_nodes(node("n1", cpu="1"))
    (bind,) = of(Bind, story.decide())
    story.tell(bound_answer(bind))
    name = "scheduler_pod_scheduling_sli_duration_seconds_sum"
    seconds = story.value(name, attempts="2")
    assert seconds is not None
    assert seconds > 99.0


def test_many_attempts_share_a_label() -> None:
    story = Measured()
    waiting = pod("a", cpu="1")
    story.apply(waiting)
    story.decide()
    info = story.scheduler.queue.get(waiting.uid)
    assert info is not None
    info.attempts = 14
    story.now = 100.0
    story.apply_nodes(node("n1", cpu="1"))
    (bind,) = of(Bind, story.decide())
    story.tell(bound_answer(bind))
    name = "scheduler_pod_scheduling_sli_duration_seconds_count"
    assert story.value(name, attempts="15+") == 1


def test_an_unschedulable_pod_is_an_attempt_and_waits_because_of_its_plugin() -> None:
    story = Measured("n1")
    story.apply(pod("big", cpu="2"))
    story.decide()
    name = "scheduler_schedule_attempts_total"
    assert story.value(name, result="unschedulable", profile=NAME) == 1
    assert story.value("scheduler_pending_pods", queue="unschedulable") == 1
    name = "scheduler_unschedulable_pods"
    assert story.value(name, plugin="NodeResourcesFit", profile=NAME) == 1
    name = "scheduler_queue_incoming_pods_total"
    assert story.value(name, queue="active", event="UnschedulablePodAdd") == 1
    assert story.value(name, queue="unschedulable", event="ScheduleAttemptFailure") == 1


def test_a_refused_bind_is_an_error() -> None:
    story = Measured("n1")
    bind = story.bind(pod("a"))
    story.tell(BindAnswered(bind.uid, bind.node_name, "refused", 403, "no"))
    name = "scheduler_schedule_attempts_total"
    assert story.value(name, result="error", profile=NAME) == 1


class Failing(Plugin):
    """Fails in its filter."""

    name = "Failing"
    requeue_on = frozenset({ClusterEvent.WILDCARD})

    def filter(self, pod: Pod) -> Iterator[Reject]:
        """Fail."""
        raise ValueError(pod.name)


def test_a_failing_plugin_is_an_error_of_its_extension_point() -> None:
    plugins = (*default_profile(NAME).enabled, EnabledPlugin(Failing()))
    story = Measured("n1", profile=Profile(NAME, plugins))
    story.apply(pod("a"))
    story.decide()
    name = "scheduler_schedule_attempts_total"
    assert story.value(name, result="error", profile=NAME) == 1
    assert points(story)["Filter"] == "Error"


def points(story: Measured) -> dict[str, str]:
    """Return the extension points that were measured and their status."""
    name = "scheduler_framework_extension_point_duration_seconds_count"
    return {
        one.labels["extension_point"]: one.labels["status"]
        for family in story.metrics.families(story.scheduler)
        for one in family.samples
        if one.name == name
    }


@pytest.mark.parametrize(
    ("names", "cpu", "expected"),
    [
        (("n1", "n2"), "1", {"PreFilter", "Filter", "PreScore", "Score"}),
        (("n1",), "1", {"PreFilter", "Filter"}),  # one feasible node needs no score
        (("n1",), "2", {"PreFilter", "Filter", "PostFilter"}),
    ],
)
def test_extension_points_that_ran_are_measured(
    names: tuple[str, ...], cpu: str, expected: set[str]
) -> None:
    story = Measured(*names)
    story.apply(pod("a", cpu=cpu))
    story.decide()
    assert set(points(story)) == expected


def test_preemption_counts_attempts_and_victims() -> None:
    story = Measured("n1")
    low = story.bind(pod("low", cpu="1"))
    story.tell(bound_answer(low))
    story.apply(pod("high", cpu="1", priority=10))
    story.decide()
    assert story.value("scheduler_preemption_attempts_total") == 1
    assert story.value("scheduler_preemption_victims_sum") == 1


def test_a_profile_without_preemption_attempts_none() -> None:
    plugins = [one for one in default_profile(NAME).enabled if "Preemption" not in one.plugin.name]
    plugins = [one for one in plugins if one.plugin.name != "DynamicResources"]
    story = Measured("n1", profile=Profile(NAME, plugins))
    story.apply(pod("big", cpu="2"))
    story.decide()
    assert story.value("scheduler_preemption_attempts_total") == 0
    assert "PostFilter" not in points(story)


def test_requests_count_by_code_and_method_of_the_host() -> None:
    story = Measured()
    story.metrics.requested("GET", "200", 0.01)
    labels = {"code": "200", "method": "GET", "host": "server:6443"}
    assert story.value("rest_client_requests_total", **labels) == 1
    labels = {"verb": "GET", "host": "server:6443"}
    assert story.value("rest_client_request_duration_seconds_sum", **labels) == 0.01


def test_the_cache_is_counted() -> None:
    story = Measured("n1", "n2")
    story.bind(pod("a"))
    counts = {kind: story.value("scheduler_cache_size", type=kind) for kind in ("nodes", "pods")}
    assert counts == {"nodes": 2, "pods": 1}
    assert story.value("scheduler_cache_size", type="assumed_pods") == 1


def test_every_metric_says_what_it_tells() -> None:
    story = Measured("n1")
    families = {family.name: family for family in story.metrics.families(story.scheduler)}
    ours = {name.removesuffix("_total"): about for name, about in ABOUT.items()}
    assert {name: families[name].documentation for name in ours} == ours
