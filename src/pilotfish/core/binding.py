"""Binding cycles: what happens between the choice of a node and the certainty that it holds.

Theory of operation: a pod whose node is chosen counts there (it is assumed) until the API server
is known to have refused. An answer other than yes or no leaves the truth open: it is then read from
the server, and only if the pod is unbound the bind is sent again, to the *same* node, because the
first request may still arrive: the server refuses a second bind, so nothing can be bound twice or
counted on the wrong node. Nobody else waits meanwhile.

    in             on                              to           done
    (chosen)       a plugin says no, or raises     (failed)     in the scheduling cycle: see below
    (chosen)       a plugin says Wait              WAITING      assume, reserve
    (chosen)       otherwise                       PRE_BINDING  assume, reserve
    WAITING        allowed by the last plugin      PRE_BINDING
    WAITING        denied; its time is over        (failed)
    PRE_BINDING    a plugin wants something        PRE_BINDING  PatchObject, CallPlugin, or to ask
    PRE_BINDING    no plugin wants anything more   BINDING      Bind; (failed) if the node is gone
    PRE_BINDING    a no, an error, time is over    (failed)
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
    before Bind    watch: bound, or on its way out (dropped)    undo; forget
    any            watch: bound to our node        (finished)   tell
    any            watch: bound to another node    (finished)   undo; the cache counts it there
    any            watch: the pod is gone          (dropped)    the cache stops counting it
    CONFIRMING     watch: still not bound          CONFIRMING   the watch is late

(failed) undoes what plugins did, forgets the pod, which others may profit from, and queues it again
as after an error, or as rejected by the plugin that said no, unless it is on its way out. To tell
is to record Bound and the Event Scheduled, once, and to call `post_bind`. Whatever comes in another
state is late news and is passed over. Pods that WAIT are still in flight for the queue, so that no
event is lost to them. `core.reservations` has what is done for plugins; a pod of a profile without
such plugins is bound as soon as it is chosen.

Source: kubernetes v1.36 pkg/scheduler/schedule_one.go (handleBindingCycleError).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.core.assumed_objects import AssumedObjects
from pilotfish.core.attempt_timer import AttemptTimer
from pilotfish.core.binding_cycle import (
    BEFORE_BIND,
    PAUSED,
    BindingCycle,
    Deadlines,
    Failure,
    ReservedCycle,
    State,
)
from pilotfish.core.effects import Bind, BindFailed, Bound, Effect, ReadPod
from pilotfish.core.inputs import BindAnswered, PluginAnswered, PodRead, WriteAnswered
from pilotfish.core.notices import Notices
from pilotfish.core.reservations import Reservations
from pilotfish.framework.binding_points import BindingPoints
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.invariants import require
from pilotfish.queue.queued_pod_info import QueuedPodInfo
from pilotfish.queue.scheduling_queue import SchedulingQueue

BIND_TRIES: Final = 4  # Bind effects of one binding cycle
LONGEST_PAUSE_SECONDS: Final = 10.0
NOT_FOUND: Final = 404
CONFLICT: Final = 409


class BindingCycles:
    """All binding cycles under way."""

    def __init__(
        self,
        cache: ClusterCache,
        queue: SchedulingQueue,
        assumed: AssumedObjects,
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
        self._deadlines = Deadlines(self._cycles)
        self._freed: set[ClusterEvent] = set()  # not told to the queue yet
        self._fallen: set[str] = set()  # who left that room
        self._reservations = Reservations(
            self._cycles,
            self._deadlines,
            cache,
            queue,
            assumed,
            notices,
            outbox,
            bind=self._bind_late,
            fail=self._fail,
        )

    def __contains__(self, uid: str) -> bool:
        return uid in self._cycles

    def __len__(self) -> int:
        return len(self._cycles)

    def is_waiting(self, uid: str) -> bool:
        """Say whether a pod waits on permit."""
        return uid in self._reservations.waiting

    # -- the beginning

    def start(self, info: QueuedPodInfo, node_name: str) -> None:
        """Begin with a pod in flight in which no plugin has a part; its node is in the cache."""
        self._cache.assume(info.pod, node_name)
        self._queue.done(info.uid)
        self._cycles[info.uid] = cycle = BindingCycle(info, node_name)
        self._send_bind(cycle)

    def reserve(
        self,
        info: QueuedPodInfo,
        node_name: str,
        states: Mapping[str, object],
        points: BindingPoints,
        now: float,
    ) -> Failure | None:
        """Begin with a pod in flight as its plugins say; None asks to `proceed` with it."""
        cycle = self._reservations.reserve(info, node_name, states, points, now)
        if isinstance(cycle, Failure):
            return cycle
        self._cycles[info.uid] = cycle
        return None

    def proceed(self, uid: str, now: float) -> None:
        """Go on with a pod that was reserved for."""
        cycle = self._cycles[uid]
        if isinstance(cycle, ReservedCycle):
            self._reservations.proceed(cycle, now)

    def settle(self, now: float) -> None:
        """Fail the pods that the failure of others has doomed, then wake those whom it may help."""
        self._reservations.waiting.settle(now)
        if self._freed:
            self._queue.wake(self._freed, now, but=self._fallen)
            self._freed.clear()
            self._fallen.clear()

    # -- news of the pod

    def update(self, pod: Pod) -> Collection[ClusterEvent]:
        """Take note of a new version of the pod that is not bound."""
        cycle = self._cycles[pod.uid]
        cycle.info.pod = pod
        if cycle.state in BEFORE_BIND and (pod.is_terminating or pod.is_terminal):
            self._end(cycle)
            self._queue.delete(pod.uid)
            self._notices.forget(pod.uid)
            return self._cache.forget(pod.uid)
        return ()

    def preempt(self, uid: str, by: str, now: float) -> bool:
        """Take a pod back that makes room, and is not being bound yet; say whether it was."""
        cycle = self._cycles.get(uid)
        if not isinstance(cycle, ReservedCycle) or cycle.state not in BEFORE_BIND:
            return False
        self._reservations.preempt(cycle, by, now)
        return True

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
                self._refuse(cycle, answer.status, answer.message, now)

    def written(self, answer: WriteAnswered, now: float) -> None:
        """Take the answer to a PatchObject effect."""
        self._reservations.written(answer, now)

    def called(self, answer: PluginAnswered, now: float) -> None:
        """Take the answer to a CallPlugin effect."""
        self._reservations.called(answer, now)

    def read(self, read: PodRead, now: float) -> None:
        """Take the answer to a ReadPod effect."""
        cycle = self._in(State.READING, read.uid)
        if cycle is None:
            return
        pod = read.pod
        if read.error:
            self._pause(cycle, State.READ_DUE, now)
        elif pod is None or (not pod.node_name and (pod.is_terminating or pod.is_terminal)):
            self._end(cycle)
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
            self._refuse(cycle, CONFLICT, f"{cycle.binds} binds without a clear answer", now)

    # -- the watch

    def seen_bound(self, pod: Pod) -> None:
        """Take it from the watch that a pod is bound; ends its binding cycle, if it has one."""
        cycle = self._cycles.pop(pod.uid, None)
        if cycle is None:
            return
        if pod.node_name == cycle.node_name and cycle.state not in BEFORE_BIND:
            self._tell(cycle)
        else:
            self._yield_to(cycle, pod.node_name)

    def drop(self, uid: str) -> None:
        """Take it from the watch that a pod is gone."""
        if uid in self._cycles:
            self._end(self._cycles[uid])

    def news(self, kind: str, now: float) -> None:
        """Take note that there was news of a kind."""
        self._reservations.news(kind, now)

    # -- the clock

    def resume(self, now: float) -> None:
        """Go on with the binding cycles whose pause is over, or whose time is."""
        for cycle in self._deadlines.passed(now):
            if cycle.state is State.READ_DUE:
                cycle.state = State.READING
                meta = cycle.info.pod.metadata
                self._outbox.append(ReadPod(meta.uid, meta.namespace, meta.name))
            elif isinstance(cycle, ReservedCycle) and cycle.state in BEFORE_BIND:
                self._reservations.expire(cycle, now)
                self.settle(now)
            else:
                self._bind_late(cycle, now)

    def next_deadline(self) -> float | None:
        """Return when the next binding cycle is due."""
        return self._deadlines.first()

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where a state and what is kept for it disagree."""
        self._queue.check_invariants()
        self._reservations.check_invariants()
        require(not self._freed, "room was left and nobody is told")
        for uid, cycle in self._cycles.items():
            story = f"{cycle.info.pod.key} on {cycle.node_name}: {cycle.state.value}"
            must_be_due = cycle.state in PAUSED or cycle.state is State.WAITING
            may_be_due = must_be_due or cycle.state is State.PRE_BINDING
            is_due = cycle.due is not None
            require(must_be_due <= is_due <= may_be_due, f"{story}; due at {cycle.due}")
            require(not is_due or cycle in self._deadlines, f"{story}; never resumes")
            is_waiting = cycle.state is State.WAITING
            require(uid not in self._queue or is_waiting, f"{story}; but it is queued")
            counted = self._cache.pod(uid)
            on = counted.node_name if counted else "no node"
            require(on == cycle.node_name, f"{story}; but it counts on {on}")
            is_assumed = self._cache.is_assumed(uid)
            require(is_assumed != (cycle.state is State.CONFIRMING), f"{story}; {is_assumed=}")
            least = 0 if cycle.state in BEFORE_BIND else 1
            require(least <= cycle.binds <= BIND_TRIES, f"{story}; {cycle.binds} binds")

    # -- steps

    def _in(self, state: State, uid: str) -> BindingCycle | None:
        cycle = self._cycles.get(uid)
        return cycle if cycle is not None and cycle.state is state else None

    def _bind_late(self, cycle: BindingCycle, now: float) -> None:
        """Bind a pod whose node was chosen a while ago, if the node is still there."""
        if cycle.node_name in self._cache.nodes.row_of:
            self._send_bind(cycle)
        else:
            self._refuse(cycle, 0, f'node "{cycle.node_name}" is gone', now)

    def _send_bind(self, cycle: BindingCycle) -> None:
        cycle.state = State.BINDING
        cycle.binds += 1
        meta = cycle.info.pod.metadata
        self._outbox.append(Bind(meta.uid, meta.namespace, meta.name, cycle.node_name))

    def _pause(self, cycle: BindingCycle, state: State, now: float) -> None:
        cycle.state = state
        self._deadlines.set(cycle, now + cycle.pause_seconds)
        cycle.pause_seconds = min(2 * cycle.pause_seconds, LONGEST_PAUSE_SECONDS)

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
        if isinstance(cycle, ReservedCycle):
            self._reservations.post_bind(cycle)

    def _yield_to(self, cycle: BindingCycle, node_name: str) -> None:
        """Note that somebody else bound the pod: there is nothing of ours to tell."""
        if not cycle.is_told:
            cycle.is_told = True
            self._timer.stop(cycle.info, "error")
            message = f'the pod is already assigned to node "{node_name}"'
            self._record_failure(cycle, CONFLICT, message, "leave it there")
            self._undo(cycle)

    def _undo(self, cycle: BindingCycle) -> None:
        if isinstance(cycle, ReservedCycle):
            self._reservations.undo(cycle)

    def _end(self, cycle: BindingCycle) -> None:
        del self._cycles[cycle.info.uid]
        if not cycle.is_told:
            self._undo(cycle)

    def _refuse(self, cycle: BindingCycle, status: int, cause: str, now: float) -> None:
        """Fail a pod that the server, or the lack of its node, keeps from being bound."""
        message = Failure.error("DefaultBinder", "bind", cause).message
        self._fail(cycle, Failure(message, status=status, cause=cause), now)

    def _fail(self, cycle: BindingCycle, failure: Failure, now: float) -> None:
        info = cycle.info
        self._end(cycle)
        is_rejected = failure.reason == "Unschedulable"
        self._timer.stop(info, "unschedulable" if is_rejected else "error")
        freed = self._cache.forget(info.uid)
        cause = failure.cause or failure.message
        if info.pod.is_terminating or info.pod.is_terminal:
            self._queue.wake(freed, now)
            self._record_failure(cycle, failure.status, cause, "drop it, it is on its way out")
            self._notices.forget(info.uid)
            return
        self._record_failure(cycle, failure.status, cause, "decide anew")
        if failure.rejectors:  # the room that it leaves is no news to itself, nor to its group
            self._queue.requeue(info, failure.rejectors, now)
            self._freed.update(freed)
            self._fallen.add(info.uid)
        else:
            self._queue.wake(freed, now)
            self._queue.requeue(info, (), now)
        if failure.status != NOT_FOUND:  # nobody is left to read about a pod that is gone
            self._notices.failed(info.pod, failure.reason, failure.message)

    def _record_failure(
        self, cycle: BindingCycle, status: int, message: str, next_step: str
    ) -> None:
        meta = cycle.info.pod.metadata
        self._outbox.append(
            BindFailed(
                meta.uid, meta.namespace, meta.name, cycle.node_name, status, message, next_step
            )
        )
