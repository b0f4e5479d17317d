"""The scheduling queue as a dialogue: pods come, attempts fail, events happen, time passes."""

from collections.abc import Iterator

import msgspec
import pytest

from make import pod, toleration
from pilotfish.api.pod import Pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.framework.rejection import Reject
from pilotfish.plugins.default import default_profile
from pilotfish.queue.queued_pod_info import QueuedPodInfo
from pilotfish.queue.scheduling_queue import SchedulingQueue

FIT = {"NodeResourcesFit"}
TAINTS = {"TaintToleration"}
GATES = [{"name": "wait"}]


class Fussy(Plugin):
    """Rejects, and wants another look at anything that happens."""

    name = "Fussy"
    requeue_on = frozenset({ClusterEvent.WILDCARD})

    def pre_filter(self, pod: Pod) -> Reject:
        """Reject it."""
        return Reject(None, f"{pod.name} is not to its taste")


def make_queue(settings: SchedulerSettings | None = None) -> SchedulingQueue:
    plugins = default_profile("my-scheduler").enabled
    mine = [*plugins, EnabledPlugin(Fussy())]
    profile = Profile("my-scheduler", mine)
    return SchedulingQueue({"my-scheduler": profile}, settings or SchedulerSettings())


@pytest.fixture
def queue() -> Iterator[SchedulingQueue]:
    made = make_queue()
    yield made
    made.check_invariants()


def popped(queue: SchedulingQueue, now: float) -> QueuedPodInfo:
    info = queue.pop(now)
    assert info is not None
    return info


def fail(
    queue: SchedulingQueue, now: float, plugins: set[str], *, ends: float | None = None
) -> str:
    """Pop a pod and bring it back as rejected; return its name."""
    info = popped(queue, now)
    queue.requeue(info, plugins, now if ends is None else ends)
    return info.pod.name


def names(queue: SchedulingQueue, now: float) -> list[str]:
    """Pop all that can be popped."""
    found = []
    while (info := queue.pop(now)) is not None:
        found.append(info.pod.name)
        queue.done(info.uid)
    return found


# -- order


def test_more_important_pods_come_first_then_those_that_waited_longer(
    queue: SchedulingQueue,
) -> None:
    for number, (name, priority) in enumerate([("a", 0), ("b", 5), ("c", 0), ("d", 5)]):
        queue.add(pod(name, priority=priority), float(number))
    assert names(queue, 9.0) == ["b", "d", "a", "c"]


def test_pods_that_are_equal_in_everything_come_out_as_they_came(queue: SchedulingQueue) -> None:
    for name in "dbca":
        queue.add(pod(name), 0.0)
    assert names(queue, 0.0) == ["d", "b", "c", "a"]


def test_update_of_an_active_pod_moves_it_to_its_new_place(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    queue.add(pod("b"), 0.0)
    queue.update(pod("b", priority=9), 1.0)
    assert names(queue, 1.0) == ["b", "a"]


def test_attempts_are_counted(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, set())
    assert popped(queue, 9.0).attempts == 2


def test_many_updates_do_not_make_the_heap_grow(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    for number in range(1000):
        queue.update(pod("a", labels={"n": str(number)}), 0.0)
    assert len(queue) == 1
    assert names(queue, 0.0) == ["a"]


# -- events


def test_rejected_pod_waits_for_an_event_that_its_rejector_names(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, FIT)
    assert queue.counts() == {"active": 0, "backoff": 0, "unschedulable": 1, "gated": 0}
    queue.wake({ClusterEvent.NODE_TAINTS_CHANGED}, 5.0)
    assert not queue.has_ready()
    queue.wake({ClusterEvent.NODE_ALLOCATABLE_CHANGED}, 5.0)
    assert names(queue, 5.0) == ["a"]


def test_any_of_several_rejectors_may_ask_for_another_attempt(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, FIT | TAINTS)
    queue.wake({ClusterEvent.NODE_TAINTS_CHANGED}, 5.0)
    assert names(queue, 5.0) == ["a"]


def test_wildcard_event_wakes_every_unschedulable_pod(queue: SchedulingQueue) -> None:
    for name, plugins in (("a", FIT), ("b", TAINTS)):
        queue.add(pod(name), 0.0)
        fail(queue, 0.0, plugins)
    queue.wake({ClusterEvent.WILDCARD}, 5.0)
    assert names(queue, 5.0) == ["a", "b"]


def test_plugin_that_waits_for_the_wildcard_wants_every_event(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, {"Fussy"})
    queue.wake({ClusterEvent.NAMESPACE_ADDED}, 5.0)
    assert names(queue, 5.0) == ["a"]


def test_event_during_the_attempt_is_not_lost(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    info = popped(queue, 0.0)
    queue.wake({ClusterEvent.NODE_ALLOCATABLE_CHANGED}, 0.1)
    queue.requeue(info, FIT, 0.2)
    assert queue.counts()["backoff"] == 1


def test_event_during_the_attempt_that_the_rejector_does_not_name_changes_nothing(
    queue: SchedulingQueue,
) -> None:
    queue.add(pod("a"), 0.0)
    info = popped(queue, 0.0)
    queue.wake({ClusterEvent.NODE_TAINTS_CHANGED}, 0.1)
    queue.requeue(info, FIT, 0.2)
    assert queue.counts()["unschedulable"] == 1


def test_event_before_the_attempt_is_not_applied_to_it(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    queue.add(pod("b"), 0.0)
    first = popped(queue, 0.0)
    queue.wake({ClusterEvent.NODE_ALLOCATABLE_CHANGED}, 0.1)
    second = popped(queue, 0.2)
    queue.requeue(second, FIT, 0.3)
    queue.requeue(first, FIT, 0.3)
    assert queue.counts() == {"active": 0, "backoff": 1, "unschedulable": 1, "gated": 0}
    waiting = queue.get("uid-b")
    assert waiting is second


def test_update_of_a_pod_in_flight_is_kept_for_that_pod_alone(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    queue.add(pod("b"), 0.0)
    first, second = popped(queue, 0.0), popped(queue, 0.0)
    queue.update(pod("a", tolerations=["x:NoSchedule"]), 0.1)
    queue.requeue(first, TAINTS, 0.2)
    queue.requeue(second, TAINTS, 0.2)
    assert queue.counts() == {"active": 0, "backoff": 1, "unschedulable": 1, "gated": 0}
    assert first.pod.spec.tolerations == (toleration("x:NoSchedule"),)


# -- back-off


def test_back_off_doubles_from_one_second_to_ten(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    now, waits = 0.0, []
    for _ in range(6):
        fail(queue, now, set())
        deadline = queue.next_deadline()
        assert deadline is not None
        waits.append(deadline - now - 1.0)  # a back-off ends with the second in which it expires
        now = deadline
    assert waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_rejections_and_errors_count_apart_and_a_rejection_ends_the_errors(
    queue: SchedulingQueue,
) -> None:
    queue.add(pod("a"), 0.0)
    for now in (0.0, 20.0, 40.0):
        fail(queue, now, set())
    info = popped(queue, 100.0)
    queue.requeue(info, FIT, 100.0)
    assert (info.unschedulable_count, info.consecutive_errors_count) == (1, 0)
    queue.wake({ClusterEvent.NODE_ADDED}, 100.0)
    assert queue.next_deadline() == 102.0


def test_pod_woken_in_its_back_off_is_popped_when_nothing_else_is_active(
    queue: SchedulingQueue,
) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, FIT)
    queue.add(pod("b"), 0.1)
    queue.wake({ClusterEvent.NODE_ADDED}, 0.1)
    assert queue.counts()["backoff"] == 1
    assert names(queue, 0.2) == ["b", "a"]


def test_pod_that_met_an_error_waits_even_when_nothing_else_is_active(
    queue: SchedulingQueue,
) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, set())
    assert not queue.has_ready()
    assert queue.pop(1.99) is None
    assert names(queue, 2.0) == ["a"]


def test_pods_whose_back_off_ends_in_one_second_come_out_by_importance(
    queue: SchedulingQueue,
) -> None:
    for name, priority, failed_at in (("a", 0, 0.1), ("b", 9, 0.7), ("c", 99, 1.0)):
        queue.add(pod(name, priority=priority), failed_at)
        fail(queue, failed_at, FIT)
        queue.wake({ClusterEvent.NODE_ADDED}, failed_at)
    assert names(queue, 1.5) == ["b", "a", "c"]


def test_back_off_can_be_turned_off() -> None:
    queue = make_queue(SchedulerSettings(pod_max_backoff_seconds=0.0))
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, set())
    assert names(queue, 0.0) == ["a"]


# -- the pod itself


def test_update_that_a_rejector_waits_for_requeues_the_pod(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, TAINTS)
    queue.update(pod("a", tolerations=["x:NoSchedule"]), 5.0)
    assert names(queue, 5.0) == ["a"]


def test_smaller_requests_requeue_a_pod_that_did_not_fit(queue: SchedulingQueue) -> None:
    queue.add(pod("a", cpu="4"), 0.0)
    fail(queue, 0.0, FIT)
    queue.update(pod("a", cpu="8"), 5.0)
    assert not queue.has_ready()
    queue.update(pod("a", cpu="2"), 5.0)
    assert names(queue, 5.0) == ["a"]


def test_update_of_labels_or_status_does_not_requeue_a_pod_that_did_not_fit(
    queue: SchedulingQueue,
) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, FIT | {"Fussy"})
    changed = pod("a", status={"conditions": [{"type": "PodScheduled", "status": "False"}]})
    queue.update(changed, 5.0)
    assert not queue.has_ready()
    waiting = queue.get("uid-a")
    assert waiting is not None
    assert waiting.pod is changed


@pytest.mark.parametrize("place", ["active", "backoff", "unschedulable", "gated", "in flight"])
def test_deletion_finds_the_pod_anywhere(queue: SchedulingQueue, place: str) -> None:
    queue.add(pod("a", scheduling_gates=GATES if place == "gated" else []), 0.0)
    match place:
        case "backoff":
            fail(queue, 0.0, set())
        case "unschedulable":
            fail(queue, 0.0, FIT)
        case "in flight":
            queue.pop(0.0)
    assert "uid-a" in queue
    assert queue.delete("uid-a") is not None
    assert "uid-a" not in queue
    assert queue.delete("uid-a") is None
    assert len(queue) == 0
    assert names(queue, 1000.0) == []


# -- time


def test_pod_that_no_event_woke_is_tried_again_after_five_minutes(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 7.0, FIT)
    assert queue.next_deadline() == 307.0
    assert queue.pop(306.9) is None
    assert names(queue, 307.0) == ["a"]


def test_gated_pod_stays_gated_after_five_minutes(queue: SchedulingQueue) -> None:
    queue.add(pod("a", scheduling_gates=GATES), 0.0)
    assert queue.pop(300.0) is None
    assert queue.next_deadline() == 600.0


def test_polling_cycle_wakes_the_pods_that_are_not_in_back_off(queue: SchedulingQueue) -> None:
    for name, failed_at in (("a", 0.0), ("b", 8.0)):
        queue.add(pod(name), failed_at)
        fail(queue, failed_at, FIT)
    queue.wake_rested(9.0)
    assert names(queue, 9.0) == ["a"]
    queue.wake_rested(11.0)
    assert names(queue, 11.0) == ["b"]


def test_nothing_is_due_in_an_empty_queue(queue: SchedulingQueue) -> None:
    assert queue.next_deadline() is None
    assert queue.pop(0.0) is None
    assert not queue.has_ready()


def test_change_of_an_objects_version_alone_is_no_news(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, {"Fussy"})
    old = pod("a")
    meta = msgspec.structs.replace(old.metadata, resource_version="2")
    queue.update(msgspec.structs.replace(old, metadata=meta), 5.0)
    assert not queue.has_ready()


def test_pods_are_counted_where_they_come_by_what_brought_them(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    queue.add(pod("gated", schedulingGates=GATES), 0.0)
    fail(queue, 0.0, FIT)
    queue.wake((ClusterEvent.NODE_ADDED,), 0.0)
    fail(queue, 0.0, FIT)  # nothing else is there, so it need not wait for the end of its back-off
    queue.wake((ClusterEvent.NODE_ADDED,), 5.0)
    assert queue.incoming == {
        ("active", "UnschedulablePodAdd"): 1,
        ("unschedulable", "UnschedulablePodAdd"): 1,
        ("unschedulable", "ScheduleAttemptFailure"): 2,
        ("backoff", "NodeAdd"): 1,
        ("active", "PopFromBackoffQ"): 1,
        ("active", "NodeAdd"): 1,
    }


def test_a_pod_that_changes_in_its_place_did_not_come(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    queue.update(pod("a", labels={"x": "y"}), 1.0)
    assert queue.incoming == {("active", "UnschedulablePodAdd"): 1}


def test_waiting_pods_count_for_each_plugin_that_holds_them(queue: SchedulingQueue) -> None:
    queue.add(pod("a"), 0.0)
    fail(queue, 0.0, FIT | TAINTS)
    queue.add(pod("b"), 0.0)
    fail(queue, 0.0, TAINTS)
    queue.add(pod("gated", schedulingGates=GATES), 0.0)
    name = "my-scheduler"
    assert queue.rejections() == {
        ("NodeResourcesFit", name): 1,
        ("TaintToleration", name): 2,
        ("SchedulingGates", name): 1,
    }
