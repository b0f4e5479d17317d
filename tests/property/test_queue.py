"""The scheduling queue against a model that scans lists: same places, same pods popped."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from make import pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.framework.events import ClusterEvent
from pilotfish.plugins.default import default_profile
from pilotfish.queue.queued_pod_info import QueuedPodInfo
from pilotfish.queue.scheduling_queue import SchedulingQueue

REQUEUE_ON = {
    "NodeResourcesFit": {ClusterEvent.NODE_ADDED, ClusterEvent.ASSIGNED_POD_DELETED},
    "TaintToleration": {ClusterEvent.NODE_ADDED, ClusterEvent.NODE_TAINTS_CHANGED},
}
EVENTS = sorted(set().union(*REQUEUE_ON.values(), {ClusterEvent.WILDCARD}), key=lambda e: e.name)
NAMES = st.sampled_from("abcdefgh")
PLUGINS = st.sets(st.sampled_from(sorted(REQUEUE_ON)))


@dataclass
class Modelled:
    """What the rules of the queue say about one pod."""

    place: str
    priority: int
    timestamp: float
    since: float = 0.0
    rejections: int = 0
    errors: int = 0
    plugins: frozenset[str] = frozenset()
    happened: set[ClusterEvent] = field(default_factory=set)  # while it was in flight

    @property
    def order(self) -> tuple[int, float]:
        """Its place among active pods."""
        return -self.priority, self.timestamp

    @property
    def expires(self) -> float:
        """The second in which its back-off ends."""
        count = self.errors or self.rejections
        return math.floor(self.timestamp + min(2.0 ** (count - 1), 10.0)) if count else -math.inf


class QueueAgainstModel(RuleBasedStateMachine):
    """Random histories of one queue."""

    def __init__(self) -> None:
        super().__init__()
        profile = default_profile("my-scheduler")
        self.queue = SchedulingQueue({"my-scheduler": profile}, SchedulerSettings())
        self.model: dict[str, Modelled] = {}
        self.flying: dict[str, QueuedPodInfo] = {}
        self.now = 0.0

    @rule(seconds=st.sampled_from([0.1, 0.9, 1.0, 7.0, 150.0]))
    def time_passes(self, seconds: float) -> None:
        """Let the clock go on."""
        self.now += seconds

    @rule(name=NAMES, priority=st.integers(0, 2), is_gated=st.booleans())
    def add(self, name: str, priority: int, *, is_gated: bool) -> None:
        """Add a pod, unless it is there."""
        if name in self.model:
            return
        gates = [{"name": "wait"}] if is_gated else []
        self.queue.add(pod(name, priority=priority, scheduling_gates=gates), self.now)
        place = "gated" if is_gated else "active"
        self.model[name] = Modelled(place, priority, self.now, since=self.now)

    @rule(name=NAMES)
    def open_gate(self, name: str) -> None:
        """Remove a pod's gates."""
        known = self.model.get(name)
        if known is not None and known.place == "gated":
            self.queue.update(pod(name, priority=known.priority), self.now)
            known.place = "active"

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        """Delete a pod, wherever it is."""
        was_there = self.model.pop(name, None) is not None
        self.flying.pop(name, None)
        assert (self.queue.delete(f"uid-{name}") is not None) == was_there

    @rule()
    def pop(self) -> None:
        """Pop: the right heap, and none in it comes before the one popped."""
        info = self.queue.pop(self.now)
        self.flush()
        active = self.at("active") or self.at("backoff")
        assert (info is not None) == bool(active)
        if info is None:
            return
        popped = self.model[info.pod.name]
        assert popped in active
        if popped.place == "active":
            assert popped.order == min(one.order for one in active)
        else:
            assert (popped.expires, popped.order) == min((o.expires, o.order) for o in active)
        popped.place, popped.happened = "in flight", set()
        self.flying[info.pod.name] = info

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), plugins=PLUGINS, is_done=st.booleans())
    def end_attempt(self, data: st.DataObject, plugins: set[str], *, is_done: bool) -> None:
        """Bring a pod back, or let it go on to its binding cycle."""
        name = data.draw(st.sampled_from(sorted(self.flying)))
        info, known = self.flying.pop(name), self.model[name]
        if is_done:
            self.queue.done(info.uid)
            del self.model[name]
            return
        self.queue.requeue(info, plugins, self.now)
        known.timestamp = known.since = self.now
        known.plugins = frozenset(plugins)
        if not plugins:
            known.errors += 1
            known.place = "error backoff"
            return
        known.rejections, known.errors = known.rejections + 1, 0
        helps = set().union(*(REQUEUE_ON[one] for one in plugins)) | {ClusterEvent.WILDCARD}
        known.place = "backoff" if known.happened & helps else "unschedulable"

    @rule(events=st.sets(st.sampled_from(EVENTS)))
    def wake(self, events: set[ClusterEvent]) -> None:
        """Let something happen in the cluster."""
        self.queue.wake(events, self.now)
        for known in self.model.values():
            helps = set().union(*(REQUEUE_ON[one] for one in known.plugins))
            if known.place == "in flight":
                known.happened |= events
            elif known.place == "unschedulable" and events & (helps | {ClusterEvent.WILDCARD}):
                self.move(known)

    @rule()
    def polling_cycle(self) -> None:
        """Wake whatever is not in back-off."""
        self.queue.wake_rested(self.now)
        for known in self.at("unschedulable"):
            if not self.is_backing_off(known):
                known.place = "active"

    @invariant()
    def places_agree(self) -> None:
        """The queue counts the pods where the model has them."""
        self.queue.check_invariants()
        places = [known.place for known in self.model.values()]
        assert self.queue.counts() == {
            "active": places.count("active"),
            "backoff": places.count("backoff") + places.count("error backoff"),
            "unschedulable": places.count("unschedulable"),
            "gated": places.count("gated"),
        }
        assert self.queue.has_ready() == ("active" in places or "backoff" in places)

    def flush(self) -> None:
        """Move what time alone moves."""
        for known in self.model.values():
            if known.place in ("backoff", "error backoff") and not self.is_backing_off(known):
                known.place = "active"
            elif known.place == "unschedulable" and self.now - known.since >= 300.0:
                self.move(known)

    def move(self, known: Modelled) -> None:
        """Move a waiting pod on."""
        known.place = "backoff" if self.is_backing_off(known) else "active"

    def is_backing_off(self, known: Modelled) -> bool:
        """Say whether a pod should not be tried yet."""
        return known.expires >= math.floor(self.now)

    def at(self, place: str) -> list[Modelled]:
        """List the pods in one place."""
        return [known for known in self.model.values() if known.place == place]


QueueAgainstModel.TestCase.settings = settings(max_examples=100, stateful_step_count=40)

TestQueueAgainstModel = QueueAgainstModel.TestCase
