"""The scheduling queue: active, backoff, unschedulable and gated pods.

Theory of operation: every pending pod of ours is in exactly one place. `pop` takes the next one out
of active_q, or out of backoff_q when active_q is empty, and it is in flight until `requeue` brings
it back or `done` lets it go. Time is an argument of each call and never runs backwards.

    from            to              when
    (new)           active_q        add; pre_enqueue lets it pass
    (new)           gated           add; pre_enqueue rejects it
    active_q        in flight       pop
    backoff_q       in flight       pop, active_q being empty; not those that met an error
    backoff_q       active_q        its back-off is over
    in flight       (gone)          done: its binding cycle has begun
    in flight       unschedulable   requeue: plugins rejected it, and nothing that could undo this
                                    happened meanwhile
    in flight       backoff_q       requeue: after an error, or something happened meanwhile
    (binding)       backoff_q       requeue: its bind was refused
    unschedulable   active_q        an event that a plugin which rejected it waits for, an update of
                                    the pod itself that such a plugin waits for, a polling cycle, or
                                    five minutes; unless it is still in back-off
    unschedulable   backoff_q       as before, while it is still in back-off; not by a polling cycle
    gated           active_q        an event that the gating plugin waits for, or any update of the
    gated           backoff_q       pod itself, if pre_enqueue now lets it pass
    anywhere        (gone)          delete

Whatever moves to active_q or backoff_q passes `pre_enqueue` first, and is gated if it does not. A
pod for which a plugin fails there moves on and is popped first: its attempt reports the error.

Source: kubernetes v1.36 pkg/scheduler/backend/queue/scheduling_queue.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping
from typing import Final

from pilotfish.api.pod import Pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.framework.errors import PluginError
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.invariants import require
from pilotfish.framework.profile import Profile
from pilotfish.framework.profile_results import RejectedBy
from pilotfish.queue.backoff_queue import BackoffQueue
from pilotfish.queue.in_flight import InFlight
from pilotfish.queue.pod_changes import changes_of
from pilotfish.queue.pod_heap import PodHeap
from pilotfish.queue.queued_pod_info import QueuedPodInfo
from pilotfish.queue.unschedulable_pods import UnschedulablePods

IN_ORDER = {event: number for number, event in enumerate(ClusterEvent)}  # sets have no stable one

# What moves a pod beside cluster events, as upstream's metrics name it.
POD_ADDED: Final = "UnschedulablePodAdd"
ATTEMPT_FAILED: Final = "ScheduleAttemptFailure"
BACKOFF_COMPLETE: Final = "BackoffComplete"
POPPED_EARLY: Final = "PopFromBackoffQ"
ACTIVATED: Final = "ForceActivate"
WAITED_TOO_LONG: Final = "UnschedulableTimeout"
POLLED: Final = "PollCycle"  # differs: upstream does not poll
UNMOVED: Final = ""  # it only got a new place in the same queue, which is no arrival


class SchedulingQueue:
    """The pending pods of the profiles given."""

    def __init__(self, profiles: Mapping[str, Profile], settings: SchedulerSettings) -> None:
        self._profiles = profiles
        self._requeue_on = {
            name: {one.plugin.name: frozenset(one.plugin.requeue_on) for one in profile.enabled}
            for name, profile in profiles.items()
        }
        self._max_waiting_seconds = settings.pod_max_in_unschedulable_pods_seconds
        self._active_q = PodHeap(lambda info: info.order)
        self._backoff_q = BackoffQueue(settings)
        self._pool = UnschedulablePods()
        self._in_flight = InFlight()
        self.incoming: Counter[tuple[str, str]] = Counter()
        """How many pods came to a place because of an event, by upstream's labels of both."""

    def __contains__(self, uid: str) -> bool:
        return self.get(uid) is not None

    def __len__(self) -> int:
        return len(self._active_q) + len(self._backoff_q) + len(self._pool) + len(self._in_flight)

    def get(self, uid: str) -> QueuedPodInfo | None:
        """Return a pod wherever it is."""
        return (
            self._active_q.get(uid)
            or self._pool.get(uid)
            or self._backoff_q.get(uid)
            or self._in_flight.get(uid)
        )

    def counts(self) -> dict[str, int]:
        """Count the pods in each place, under the labels of upstream's metric pending_pods."""
        gated = sum(info.gated_by is not None for info in self._pool)
        return {
            "active": len(self._active_q),
            "backoff": len(self._backoff_q),
            "unschedulable": len(self._pool) - gated,
            "gated": gated,
        }

    def rejections(self) -> Counter[tuple[str, str]]:
        """Count the queued pods that a plugin rejected or gates, by plugin and scheduler name."""
        found: Counter[tuple[str, str]] = Counter()
        for place in (self._active_q, self._backoff_q, self._pool):
            for info in place:
                plugins = (info.gated_by.plugin,) if info.gated_by else info.rejector_plugins
                found.update((plugin, info.pod.spec.scheduler_name) for plugin in plugins)
        return found

    def has_ready(self) -> bool:
        """Say whether `pop` would find a pod without time passing."""
        return len(self._active_q) > 0 or self._backoff_q.has_rejected()

    # -- pods come, change and go

    def add(self, pod: Pod, now: float) -> None:
        """Add a new pending pod."""
        self._activate(QueuedPodInfo(pod, timestamp=now), now, POD_ADDED)

    def update(self, pod: Pod, now: float) -> None:
        """Replace a pod by its new version, which may be worth another attempt."""
        uid = pod.uid
        if (info := self._in_flight.get(uid)) is not None:
            for event in changes_of(info.pod, pod):
                self._in_flight.record(event, uid)
            info.pod = pod
        elif (info := self._active_q.discard(uid) or self._backoff_q.discard(uid)) is not None:
            info.pod = pod
            self._move(info, now, UNMOVED)
        elif (info := self._pool.get(uid)) is not None:
            events = changes_of(info.pod, pod)
            info.pod = pod
            if info.gated_by or any(self._pool.is_interested(uid, event) for event in events):
                self._move(info, now, ClusterEvent.POD_CHANGED.value)

    def delete(self, uid: str) -> QueuedPodInfo | None:
        """Remove a pod wherever it is, and return it."""
        return (
            self._active_q.discard(uid)
            or self._backoff_q.discard(uid)
            or self._pool.discard(uid)
            or self._in_flight.done(uid)
        )

    # -- attempts

    def pop(self, now: float) -> QueuedPodInfo | None:
        """Take out the next pod to decide about; None when there is none."""
        self.flush(now)
        info = self._active_q.pop()
        if info is None and (info := self._backoff_q.pop_rejected()) is not None:
            self._count("active", POPPED_EARLY)
        if info is not None:
            info.attempts += 1
            self._in_flight.start(info)
        return info

    def done(self, uid: str) -> None:
        """Let go of a pod in flight: its binding cycle has begun."""
        self._in_flight.done(uid)

    def requeue(self, info: QueuedPodInfo, rejector_plugins: Iterable[str], now: float) -> None:
        """Take a pod back after an attempt that failed.

        Args:
            info: the pod, as `pop` returned it.
            rejector_plugins: who rejected it; empty after an error.
            now: the time.
        """
        uid = info.uid
        info.rejector_plugins = tuple(sorted(set(rejector_plugins)))
        if info.rejector_plugins:
            info.unschedulable_count += 1
            info.consecutive_errors_count = 0
        else:
            info.consecutive_errors_count += 1
        info.timestamp = now
        info.backoff_expiration = None
        interests = self._interests(info)
        happened = any(
            event in interests
            or event is ClusterEvent.WILDCARD
            or ClusterEvent.WILDCARD in interests
            for event in self._in_flight.events_for(uid)
        )
        self._in_flight.done(uid)
        if happened or not info.rejector_plugins:
            self._move(info, now, ATTEMPT_FAILED)
        else:
            self._pool.add(info, interests, now)
            self._count("unschedulable", ATTEMPT_FAILED)

    # -- the world and the clock

    def is_awaited(self, event: ClusterEvent) -> bool:
        """Say whether some plugin names an event in its `requeue_on`."""
        by_profile = self._requeue_on.values()
        return any(event in named for by_plugin in by_profile for named in by_plugin.values())

    def wake(
        self, events: Collection[ClusterEvent], now: float, *, but: Container[str] = ()
    ) -> None:
        """Move the pods that one of these events may help, but those of some uids.

        A finer question than the kind of event, whether this very change helps that very pod,
        would be asked here and in `requeue`, of the plugins that rejected the pod.
        """
        if not len(self._pool) and not len(self._in_flight):
            return
        for event in sorted(events, key=IN_ORDER.__getitem__):
            self._in_flight.record(event)
            for info in self._pool.waiting_for(event):
                if info.uid not in but:
                    self._move(info, now, event.value)

    def wake_rested(self, now: float) -> None:
        """Move all waiting pods that are not in back-off: a polling cycle is worth an attempt."""
        for info in list(self._pool):
            if not self._backoff_q.is_backing_off(info, now):
                self._move(info, now, POLLED)

    def activate(self, uid: str, now: float) -> None:
        """Move a waiting pod, for which something changed that is no event for others."""
        info = self._pool.get(uid)
        if info is not None:
            self._move(info, now, ACTIVATED)

    def flush(self, now: float) -> None:
        """Move the pods whose back-off is over, and those that waited for too long."""
        for info in self._backoff_q.pop_completed(now):
            self._active_q.push(info)
            self._count("active", BACKOFF_COMPLETE)
        while (oldest := self._pool.oldest()) is not None:
            if now < oldest.waiting_since + self._max_waiting_seconds:
                break
            self._pool.discard(oldest.uid)
            self._move(oldest, now, WAITED_TOO_LONG)

    def next_deadline(self) -> float | None:
        """Return when `flush` will next have something to do."""
        deadline = self._backoff_q.next_deadline()
        oldest = self._pool.oldest()
        if oldest is None:
            return deadline
        longest = oldest.waiting_since + self._max_waiting_seconds
        return longest if deadline is None else min(deadline, longest)

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError unless each pod is in exactly one place, and rightly there."""
        places = (self._active_q, self._backoff_q, self._pool, self._in_flight)
        for place in places:
            place.check_invariants()
        uids = [info.uid for place in places for info in place]
        require(len(uids) == len(set(uids)), "a pod is in two places")
        for info in (*self._active_q, *self._backoff_q):
            require(info.gated_by is None, f"{info.pod.key} is gated and may be popped")
        for info in self._pool:
            held = bool(info.gated_by or info.rejector_plugins)
            require(held, f"nothing holds {info.pod.key}")

    def _move(self, info: QueuedPodInfo, now: float, event: str) -> None:
        """Move a pod on to where it waits for its attempt."""
        if not self._backoff_q.is_backing_off(info, now):
            self._activate(info, now, event)
        elif self._passes(info, now, event):
            self._pool.discard(info.uid)
            self._backoff_q.add(info)
            self._count("backoff", event)

    def _activate(self, info: QueuedPodInfo, now: float, event: str) -> None:
        if self._passes(info, now, event):
            self._pool.discard(info.uid)
            self._active_q.push(info)
            self._count("active", event)

    def _passes(self, info: QueuedPodInfo, now: float, event: str) -> bool:
        """Ask `pre_enqueue`; a pod that is rejected goes to, or stays in, the pool."""
        before = info.gated_by
        info.gated_by = self._gate(info)
        if info.gated_by is None:
            return True
        in_pool = self._pool.get(info.uid) is not None
        if not in_pool:
            self._count("unschedulable", event)
        if not in_pool or before is None or before.plugin != info.gated_by.plugin:
            self._pool.discard(info.uid)
            self._pool.add(info, self._interests(info), now)
        return False

    def _count(self, place: str, event: str) -> None:
        if event:
            self.incoming[place, event] += 1

    def _gate(self, info: QueuedPodInfo) -> RejectedBy | None:
        """Ask for a rejection, else for the pod's order; after an error the pod comes first."""
        profile = self._profiles[info.pod.spec.scheduler_name]
        info.error = ""
        try:
            rejected = profile.pre_enqueue(info.pod)
            if rejected is None:
                info.order = profile.sort_key(info.pod, info.timestamp)
        except PluginError as error:
            info.order, info.error = (), str(error)
            return None
        return rejected

    def _interests(self, info: QueuedPodInfo) -> frozenset[ClusterEvent]:
        """Return the events that can undo what holds a pod."""
        requeue_on = self._requeue_on[info.pod.spec.scheduler_name]
        plugins = (info.gated_by.plugin,) if info.gated_by else info.rejector_plugins
        return frozenset().union(*(requeue_on.get(plugin, ()) for plugin in plugins))
