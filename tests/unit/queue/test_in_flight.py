"""Events that happen while pods are in flight."""

from __future__ import annotations

from make import pod
from pilotfish.framework import ClusterEvent
from pilotfish.queue.in_flight import InFlight
from pilotfish.queue.queued_pod_info import QueuedPodInfo

NODE, POD = ClusterEvent.NODE_ADDED, ClusterEvent.ASSIGNED_POD_DELETED


def start(in_flight: InFlight, *names: str) -> None:
    for name in names:
        in_flight.start(QueuedPodInfo(pod(name), timestamp=0.0))


def test_pod_hears_of_each_kind_of_event_since_it_was_popped() -> None:
    in_flight = InFlight()
    in_flight.record(NODE)
    start(in_flight, "a")
    in_flight.record(POD)
    start(in_flight, "b")
    in_flight.record(NODE)
    assert set(in_flight.events_for("uid-a")) == {NODE, POD}
    assert set(in_flight.events_for("uid-b")) == {NODE}
    in_flight.check_invariants()


def test_event_that_happens_often_is_noted_once_for_the_pods_that_wait_long() -> None:
    in_flight = InFlight()
    start(in_flight, "a")
    for _ in range(1000):
        in_flight.record(NODE)
        in_flight.record(POD)
    assert sorted(event.value for event in in_flight.events_for("uid-a")) == [POD.value, NODE.value]
    start(in_flight, "b")
    in_flight.record(NODE)
    assert list(in_flight.events_for("uid-b")) == [NODE]


def test_event_is_noted_again_when_the_pod_that_heard_of_it_is_done() -> None:
    in_flight = InFlight()
    start(in_flight, "a")
    in_flight.record(NODE)
    in_flight.done("uid-a")
    start(in_flight, "b")
    assert list(in_flight.events_for("uid-b")) == []
    in_flight.record(NODE)
    assert list(in_flight.events_for("uid-b")) == [NODE]
    in_flight.check_invariants()


def test_event_of_one_pod_is_not_heard_of_by_others() -> None:
    in_flight = InFlight()
    start(in_flight, "a", "b")
    in_flight.record(ClusterEvent.POD_CHANGED, "uid-a")
    assert list(in_flight.events_for("uid-b")) == []
    assert list(in_flight.events_for("uid-a")) == [ClusterEvent.POD_CHANGED]
