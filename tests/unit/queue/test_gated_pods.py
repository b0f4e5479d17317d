"""Pods that `pre_enqueue` holds out of the active queue, and what an error there does."""

from make import pod
from pilotfish.api.pod import Pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.framework.rejection import Reject
from pilotfish.plugins.default import default_profile
from pilotfish.queue.scheduling_queue import SchedulingQueue


class FlakyGate(Plugin):
    """Fails in pre_enqueue for pods that carry the label `broken`."""

    name = "FlakyGate"
    requeue_on = frozenset({ClusterEvent.POD_LABELS_CHANGED})

    def pre_enqueue(self, pod: Pod) -> Reject | None:
        """Fail, or let it pass."""
        if "broken" in pod.labels:
            raise ValueError("no idea")
        return None


class ByNumber(Plugin):
    """Sorts by the number that a label gives."""

    name = "ByNumber"

    def sort_key(self, pod: Pod) -> tuple[int]:
        """Return the pod's place."""
        return (int(pod.labels["number"]),)


def make_queue(*plugins: EnabledPlugin) -> SchedulingQueue:
    profile = Profile("my-scheduler", plugins)
    return SchedulingQueue({"my-scheduler": profile}, SchedulerSettings())


def names(queue: SchedulingQueue, now: float) -> list[str]:
    """Pop all that can be popped."""
    found = []
    while (info := queue.pop(now)) is not None:
        found.append(info.pod.name)
        queue.done(info.uid)
        queue.check_invariants()
    return found


def test_gated_pod_is_held_until_its_last_gate_is_removed() -> None:
    queue = make_queue(*default_profile("my-scheduler").enabled)
    queue.add(pod("a", scheduling_gates=[{"name": "x"}, {"name": "y"}]), 0.0)
    assert queue.counts()["gated"] == 1
    queue.update(pod("a", scheduling_gates=[{"name": "y"}]), 1.0)
    queue.wake({ClusterEvent.NODE_ADDED, ClusterEvent.WILDCARD}, 1.0)
    assert queue.pop(1.0) is None
    queue.update(pod("a"), 2.0)
    assert names(queue, 2.0) == ["a"]


def test_pod_for_which_pre_enqueue_fails_comes_first_with_the_error() -> None:
    queue = make_queue(*default_profile("my-scheduler").enabled, EnabledPlugin(FlakyGate()))
    queue.add(pod("b"), 0.0)
    queue.add(pod("a", labels={"broken": "yes"}), 0.0)
    info = queue.pop(0.0)
    assert info is not None
    assert info.pod.name == "a"
    assert "'FlakyGate' failed in pre_enqueue for pod default/a: ValueError: no idea" in info.error
    queue.requeue(info, (), 0.0)
    assert names(queue, 0.0) == ["b"]
    queue.check_invariants()


def test_pod_for_which_sort_key_fails_is_tried_again_after_its_back_off() -> None:
    queue = make_queue(EnabledPlugin(ByNumber()))
    queue.add(pod("a"), 0.0)
    info = queue.pop(0.0)
    assert info is not None
    assert "'ByNumber' failed in sort_key" in info.error
    queue.requeue(info, (), 0.0)
    queue.update(pod("a", labels={"number": "2"}), 0.5)
    assert queue.pop(0.5) is None
    again = queue.pop(2.0)
    assert again is info
    assert not info.error
