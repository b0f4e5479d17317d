"""Binding cycles: what happens between the choice of a node and the certainty that it holds.

Theory of operation: a pod whose node is chosen counts there (it is assumed) until the API server
is known to have refused. An answer other than yes or no leaves the truth open: it is then read from
the server, and only if the pod is unbound the bind is sent again, to the *same* node, because the
first request may still arrive: the server refuses a second bind, so nothing can be bound twice or
counted on the wrong node. Nobody else waits meanwhile.

    in             on                              to           done
    (chosen)       start                           BINDING      assume, Bind
    BINDING        answered bound                  CONFIRMING   finish_binding, tell
    BINDING        answered refused                (failed)
    BINDING        answered unknown                READ_DUE
    READ_DUE       its time comes                  READING      ReadPod
    READING        read error                      READ_DUE     each time after a longer pause
    READING        read: bound to our node         CONFIRMING   finish_binding, tell
    READING        read: bound to another node     CONFIRMING   counted there
    READING        read: no such pod, or it ends   (dropped)    forget
    READING        read: not bound                 BIND_DUE     (failed) after BIND_TRIES binds
    BIND_DUE       its time comes                  BINDING      Bind; (failed) if the node is gone
    any            watch: bound to our node        (finished)   tell
    any            watch: bound to another node    (finished)   the cache counts it there
    any            watch: the pod is gone          (dropped)    the cache stops counting it
    CONFIRMING     watch: still not bound          CONFIRMING   the watch is late

(failed) forgets the pod, which others may profit from, and queues it again as after an error,
unless it is on its way out. To tell is to record Bound and the Event Scheduled, once. Whatever
comes in another state is late news and is passed over.
"""

from __future__ import annotations

import enum
import heapq
from dataclasses import dataclass
from typing import Final

from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.core.attempt_timer import AttemptTimer
from pilotfish.core.effects import Bind, BindFailed, Bound, Effect, ReadPod
from pilotfish.core.inputs import BindAnswered, PodRead
from pilotfish.core.notices import Notices
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.invariants import require
from pilotfish.queue.queued_pod_info import QueuedPodInfo
from pilotfish.queue.scheduling_queue import SchedulingQueue

BIND_TRIES: Final = 4  # Bind effects of one binding cycle
FIRST_PAUSE_SECONDS: Final = 0.1  # before the truth is read; doubled by each further pause
LONGEST_PAUSE_SECONDS: Final = 10.0
NOT_FOUND: Final = 404
CONFLICT: Final = 409


class State(enum.Enum):
    """Where a binding cycle stands."""

    BINDING = "Bind is under way"
    READ_DUE = "waits to read the truth"
    READING = "ReadPod is under way"
    BIND_DUE = "waits to send Bind again"
    CONFIRMING = "waits for the watch"


@dataclass(slots=True, eq=False)
class BindingCycle:
    """One pod on its way to its node.

    Attributes:
        due: when its pause is over; None outside of pauses.
        pause_seconds: how long the next pause is.
        is_told: whether people know that it is bound.
    """

    info: QueuedPodInfo
    node_name: str
    state: State = State.BINDING
    binds: int = 1
    due: float | None = None
    pause_seconds: float = FIRST_PAUSE_SECONDS
    is_told: bool = False


class BindingCycles:
    """All binding cycles under way."""

    def __init__(
        self,
        cache: ClusterCache,
        queue: SchedulingQueue,
        notices: Notices,
        outbox: list[Effect],
        timer: AttemptTimer,
    ) -> None:
        self._cache = cache
        self._queue = queue
        self._notices = notices
        self._outbox = outbox
        self._timer = timer
        self._cycles: dict[str, BindingCycle] = {}
        self._pauses: list[tuple[float, str]] = []  # a heap; entries of ended pauses linger

    def __contains__(self, uid: str) -> bool:
        return uid in self._cycles

    def __len__(self) -> int:
        return len(self._cycles)

    def start(self, info: QueuedPodInfo, node_name: str) -> None:
        """Begin with a pod in flight; its node is in the cache now."""
        self._cache.assume(info.pod, node_name)
        self._queue.done(info.uid)
        self._cycles[info.uid] = cycle = BindingCycle(info, node_name)
        self._send_bind(cycle)

    def update(self, pod: Pod) -> None:
        """Take note of a new version of the pod that is not bound."""
        self._cycles[pod.uid].info.pod = pod

    # -- answers

    def answered(self, answer: BindAnswered, now: float) -> None:
        """Take the answer to a Bind effect."""
        cycle = self._in(State.BINDING, answer.uid)
        if cycle is None:
            return
        match answer.outcome:
            case "bound":
                self._confirm(cycle, now)
            case "unknown":
                self._record_failure(cycle, answer.status, answer.message, "read the truth")
                self._pause(cycle, State.READ_DUE, now)
            case "refused":
                self._fail(cycle, answer.status, answer.message, now)

    def read(self, read: PodRead, now: float) -> None:
        """Take the answer to a ReadPod effect."""
        cycle = self._in(State.READING, read.uid)
        if cycle is None:
            return
        pod = read.pod
        if read.error:
            self._pause(cycle, State.READ_DUE, now)
        elif pod is None or (not pod.node_name and (pod.is_terminating or pod.is_terminal)):
            del self._cycles[read.uid]
            self._notices.forget(read.uid)
            self._queue.wake(self._cache.forget(read.uid), now)
        elif pod.node_name == cycle.node_name:
            self._confirm(cycle, now)
        elif pod.node_name:
            self._yield_to(cycle, pod.node_name)
            self._queue.wake(self._cache.forget(read.uid), now)
            self._cache.assume(pod, pod.node_name)
            self._cache.finish_binding(read.uid)
            cycle.node_name, cycle.state = pod.node_name, State.CONFIRMING
        elif cycle.binds < BIND_TRIES:
            self._pause(cycle, State.BIND_DUE, now)
        else:
            self._fail(cycle, CONFLICT, f"{cycle.binds} binds without a clear answer", now)

    # -- the watch

    def seen_bound(self, pod: Pod) -> None:
        """Take it from the watch that a pod is bound; ends its binding cycle, if it has one."""
        cycle = self._cycles.pop(pod.uid, None)
        if cycle is None:
            return
        if pod.node_name == cycle.node_name:
            self._tell(cycle)
        else:
            self._yield_to(cycle, pod.node_name)

    def drop(self, uid: str) -> None:
        """Take it from the watch that a pod is gone."""
        self._cycles.pop(uid, None)

    # -- the clock

    def resume(self, now: float) -> None:
        """Go on with the binding cycles whose pause is over."""
        while (due := self.next_deadline()) is not None and due <= now:
            cycle = self._cycles[heapq.heappop(self._pauses)[1]]
            cycle.due = None
            if cycle.state is State.READ_DUE:
                cycle.state = State.READING
                meta = cycle.info.pod.metadata
                self._outbox.append(ReadPod(meta.uid, meta.namespace, meta.name))
            elif cycle.node_name in self._cache.nodes.row_of:
                cycle.state = State.BINDING
                cycle.binds += 1
                self._send_bind(cycle)
            else:
                self._fail(cycle, 0, f'node "{cycle.node_name}" is gone', now)

    def next_deadline(self) -> float | None:
        """Return when the next pause is over."""
        while self._pauses:
            due, uid = self._pauses[0]
            cycle = self._cycles.get(uid)
            if cycle is not None and cycle.due == due:
                return due
            heapq.heappop(self._pauses)
        return None

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where a state and what is kept for it disagree."""
        self._queue.check_invariants()
        pauses = set(self._pauses)
        for uid, cycle in self._cycles.items():
            story = f"{cycle.info.pod.key} on {cycle.node_name}: {cycle.state.value}"
            is_paused = cycle.state in (State.READ_DUE, State.BIND_DUE)
            require((cycle.due is not None) == is_paused, f"{story}; due at {cycle.due}")
            require(not is_paused or (cycle.due, uid) in pauses, f"{story}; never resumes")
            require(uid not in self._queue, f"{story}; but it is queued")
            counted = self._cache.pod(uid)
            on = counted.node_name if counted else "no node"
            require(on == cycle.node_name, f"{story}; but it counts on {on}")
            is_assumed = self._cache.is_assumed(uid)
            require(is_assumed != (cycle.state is State.CONFIRMING), f"{story}; {is_assumed=}")
            require(1 <= cycle.binds <= BIND_TRIES, f"{story}; {cycle.binds} binds")

    # -- steps

    def _in(self, state: State, uid: str) -> BindingCycle | None:
        cycle = self._cycles.get(uid)
        return cycle if cycle is not None and cycle.state is state else None

    def _send_bind(self, cycle: BindingCycle) -> None:
        meta = cycle.info.pod.metadata
        self._outbox.append(Bind(meta.uid, meta.namespace, meta.name, cycle.node_name))

    def _pause(self, cycle: BindingCycle, state: State, now: float) -> None:
        cycle.state = state
        cycle.due = now + cycle.pause_seconds
        cycle.pause_seconds = min(2 * cycle.pause_seconds, LONGEST_PAUSE_SECONDS)
        heapq.heappush(self._pauses, (cycle.due, cycle.info.uid))

    def _confirm(self, cycle: BindingCycle, now: float) -> None:
        self._cache.finish_binding(cycle.info.uid)
        self._queue.wake((ClusterEvent.ASSIGNED_POD_ADDED,), now)
        cycle.state = State.CONFIRMING
        self._tell(cycle)

    def _tell(self, cycle: BindingCycle) -> None:
        if cycle.is_told:
            return
        cycle.is_told = True
        self._timer.stop(cycle.info, "scheduled")
        pod = cycle.info.pod
        self._outbox.append(Bound(pod.uid, pod.namespace, pod.name, cycle.node_name))
        self._notices.scheduled(pod, cycle.node_name)

    def _yield_to(self, cycle: BindingCycle, node_name: str) -> None:
        """Note that somebody else bound the pod: there is nothing of ours to tell."""
        if not cycle.is_told:
            cycle.is_told = True
            self._timer.stop(cycle.info, "error")
            message = f'the pod is already assigned to node "{node_name}"'
            self._record_failure(cycle, CONFLICT, message, "leave it there")

    def _fail(self, cycle: BindingCycle, status: int, message: str, now: float) -> None:
        info = cycle.info
        del self._cycles[info.uid]
        self._timer.stop(info, "error")
        self._queue.wake(self._cache.forget(info.uid), now)
        if info.pod.is_terminating or info.pod.is_terminal:
            self._record_failure(cycle, status, message, "drop it, it is on its way out")
            self._notices.forget(info.uid)
            return
        self._record_failure(cycle, status, message, "decide anew")
        self._queue.requeue(info, (), now)
        if status != NOT_FOUND:  # nobody is left to read about a pod that is gone
            error = f'running Bind plugin "DefaultBinder": {message}'  # as upstream words it
            self._notices.failed(info.pod, "SchedulerError", error)

    def _record_failure(
        self, cycle: BindingCycle, status: int, message: str, next_step: str
    ) -> None:
        meta = cycle.info.pod.metadata
        self._outbox.append(
            BindFailed(
                meta.uid, meta.namespace, meta.name, cycle.node_name, status, message, next_step
            )
        )
