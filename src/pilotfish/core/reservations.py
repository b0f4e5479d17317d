"""The part of binding cycles that belongs to plugins: reserve, permit, pre_bind, and their undoing.

Theory of operation: see `pilotfish.core.binding` for the states. In the scheduling cycle the pod is
assumed, then each plugin reserves, then each is asked for its permit; a no or an error there fails
the attempt itself. When no plugin makes the pod wait any more, the plugins with `pre_bind` have
their turn, one after the other: the writes of one are sent one by one, then its question is asked,
and again at news of what it reads. A pod that is not bound at once is nominated for its node, so
that people, autoscalers and the next process know where it is going.

Whatever ends a binding cycle before the bind is sure undoes it: what was assumed counts no more,
then every plugin unreserves, in reverse order.

Source: kubernetes v1.36 pkg/scheduler/schedule_one.go,
    pkg/scheduler/framework/runtime/framework.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.core.assumed_objects import AssumedObjects
from pilotfish.core.binding_cycle import (
    BindingCycle,
    Deadlines,
    Failure,
    PermitWait,
    ReservedCycle,
    State,
)
from pilotfish.core.effects import CallPlugin, Effect, PatchObject, PluginFailed
from pilotfish.core.inputs import PluginAnswered, WriteAnswered
from pilotfish.core.notices import Notices
from pilotfish.core.waiting_pods import WaitingPods
from pilotfish.framework.binding import Deny
from pilotfish.framework.binding_points import BindingPoints, Placed, is_done
from pilotfish.framework.errors import PluginError
from pilotfish.framework.invariants import require
from pilotfish.framework.plugin_call import PluginCall
from pilotfish.framework.rejection import Rejection
from pilotfish.queue.queued_pod_info import QueuedPodInfo
from pilotfish.queue.scheduling_queue import SchedulingQueue


class Reservations:
    """Does for a binding cycle what its plugins want.

    Args:
        cycles: all binding cycles, by uid.
        deadlines: of the binding cycles.
        cache: assumes and forgets pods.
        queue: keeps pods in flight, and with them the events that they may need, while they wait.
        assumed: takes the objects that plugins assume.
        notices: tells where a pod is going that is not bound at once.
        outbox: takes effects.
        bind: goes on with a binding cycle when its plugins have no more to do before the bind.
        fail: ends a binding cycle.
    """

    def __init__(
        self,
        cycles: Mapping[str, BindingCycle],
        deadlines: Deadlines,
        cache: ClusterCache,
        queue: SchedulingQueue,
        assumed: AssumedObjects,
        notices: Notices,
        outbox: list[Effect],
        *,
        bind: Callable[[BindingCycle, float], None],
        fail: Callable[[BindingCycle, Failure, float], None],
    ) -> None:
        self._cycles = cycles
        self._deadlines = deadlines
        self._cache = cache
        self._queue = queue
        self._assumed = assumed
        self._notices = notices
        self._outbox = outbox
        self._bind = bind
        self._fail = fail
        self.waiting = WaitingPods(deadlines, fail)
        self._asking: dict[str, ReservedCycle] = {}  # whose question has no yes yet
        self._requests = 0

    # -- in the scheduling cycle

    def reserve(
        self,
        info: QueuedPodInfo,
        node_name: str,
        states: Mapping[str, object],
        points: BindingPoints,
        now: float,
    ) -> ReservedCycle | Failure:
        """Assume a pod on its node, reserve, and ask for its permit; a failure leaves no trace."""
        self._cache.assume(info.pod, node_name)
        placed = Placed(info.pod, node_name, states)
        cycle = ReservedCycle(info, node_name, points=points, placed=placed)
        failure: Failure | None
        try:
            failure = self._refusal(cycle, now)
        except PluginError as error:
            failure = Failure.of(error)
        if failure is None:
            return cycle
        self.undo(cycle)
        self._cache.forget(info.uid)
        return failure

    def _refusal(self, cycle: ReservedCycle, now: float) -> Failure | None:
        points, placed = cycle.points, cycle.placed
        assume = partial(self._assumed.assume, placed.pod.uid)
        refused = points.reserve(placed, self._cache, assume)
        if refused is None and points.permits:
            permitted = points.permit(placed, self._cache, partial(self.waiting.at, points))
            refused = permitted.refused
            cycle.allows = permitted.allowed
            cycle.waits = {
                plugin: PermitWait(now + seconds, plugin, seconds)
                for plugin, seconds in permitted.waits.items()
            }
        return Failure.refused(refused.plugin, refused.rejection) if refused else None

    def proceed(self, cycle: ReservedCycle, now: float) -> None:
        """Let a pod whose scheduling cycle is over wait or go on, and those go that it freed."""
        if cycle.waits:
            self.waiting.add(cycle)
            self._notices.nominated(cycle.info.pod, cycle.node_name)
        else:
            self._begin_pre_bind(cycle, now)
        for plugin, uids in cycle.allows.items():
            for free in self.waiting.allow(cycle.points, plugin, uids):
                self._begin_pre_bind(free, now)

    # -- pre_bind

    def _begin_pre_bind(self, cycle: ReservedCycle, now: float) -> None:
        self._queue.done(cycle.info.uid)
        self._pre_bind(cycle, now)

    def _pre_bind(self, cycle: ReservedCycle, now: float) -> None:
        """Ask the plugins that were not asked yet, until one has something to be done first."""
        calls = cycle.points.pre_binds
        cycle.state = State.PRE_BINDING
        while cycle.asked < len(calls):
            call = calls[cycle.asked]
            cycle.asked += 1
            cycle.work, cycle.written = None, 0
            if call.is_async:
                self._notices.nominated(cycle.info.pod, cycle.node_name)
                self._call(call, cycle)
                return
            try:
                answer = cycle.points.pre_bind(call, cycle.placed, self._cache)
            except PluginError as error:
                self._fail(cycle, Failure.of(error), now)
                return
            if isinstance(answer, Rejection):
                self._fail(cycle, Failure(answer.reason, "Unschedulable"), now)
                return
            if answer is not None:
                cycle.work = answer
                self._deadlines.set(cycle, now + answer.timeout_seconds)
                if not self._is_worked_off(cycle, now):
                    return
        self._bind(cycle, now)

    def _is_worked_off(self, cycle: ReservedCycle, now: float) -> bool:
        """Go on with what the plugin asked last wants; say whether all of it is done."""
        work, pod = cycle.work, cycle.placed.pod
        if work is None or cycle.request:
            return False
        if cycle.written < len(work.writes):
            self._notices.nominated(cycle.info.pod, cycle.node_name)
            patch = work.writes[cycle.written]
            self._outbox.append(PatchObject(pod.uid, self._next_request(cycle), patch))
            return False
        try:
            answer = is_done(cycle.call, work, pod, self._cache)
        except PluginError as error:
            self._fail(cycle, Failure.of(error), now)
            return False
        if isinstance(answer, Rejection):
            self._fail(cycle, Failure(answer.reason, "Unschedulable"), now)
            return False
        if answer:
            self._asking.pop(pod.uid, None)
            cycle.due = None
        else:
            self._notices.nominated(cycle.info.pod, cycle.node_name)
            self._asking[pod.uid] = cycle
        return answer

    def written(self, answer: WriteAnswered, now: float) -> None:
        """Take the answer to a PatchObject effect."""
        cycle = self._under_way(answer.uid, answer.number)
        if cycle is None:
            return
        if answer.error:
            self._fail(cycle, _error(cycle, answer.error), now)
            return
        cycle.written += 1
        if self._is_worked_off(cycle, now):
            self._pre_bind(cycle, now)

    def called(self, answer: PluginAnswered, now: float) -> None:
        """Take the answer to a CallPlugin effect."""
        if answer.extension_point == "post_bind":
            if answer.error:
                self._outbox.append(
                    PluginFailed(
                        answer.uid,
                        answer.namespace,
                        answer.name,
                        answer.plugin,
                        answer.extension_point,
                        answer.error,
                    )
                )
            return
        cycle = self._under_way(answer.uid, answer.number)
        if cycle is None:
            return
        if answer.error:
            self._fail(cycle, _error(cycle, answer.error), now)
        elif answer.rejection is not None:
            self._fail(cycle, Failure(answer.rejection.reason, "Unschedulable"), now)
        else:
            self._pre_bind(cycle, now)

    def news(self, kind: str, now: float) -> None:
        """Ask again those whose plugin reads this kind, of which there was news."""
        for cycle in list(self._asking.values()):
            if kind in cycle.call.plugin.reads and self._is_worked_off(cycle, now):
                self._pre_bind(cycle, now)

    # -- the end

    def post_bind(self, cycle: ReservedCycle) -> None:
        """Tell the plugins that the pod is bound."""
        for call in cycle.points.post_binds:
            if call.is_async:
                self._call(call, cycle)
                continue
            try:
                cycle.points.post_bind(call, cycle.placed)
            except PluginError as error:
                self._tell(cycle, error)

    def expire(self, cycle: ReservedCycle, now: float) -> None:
        """Fail a pod that waited for as long as it may."""
        if cycle.state is State.WAITING:
            self.waiting.expire(cycle, now)
        elif cycle.work is not None:
            self._fail(cycle, _error(cycle, cycle.work.timeout_message), now)

    def preempt(self, cycle: ReservedCycle, by: str, now: float) -> None:
        """Fail a pod that makes room before it is bound.

        Source: kubernetes v1.36 pkg/scheduler/framework/preemption/executor.go.
        """
        if cycle.state is State.WAITING:
            self._fail(cycle, Failure("waiting on permit for pod: preempted"), now)
        else:
            self._fail(cycle, _error(cycle, f"preempted by {by}"), now)

    def undo(self, cycle: ReservedCycle) -> None:
        """Take back what was assumed, then let every plugin unreserve, in reverse order."""
        uid, points = cycle.info.uid, cycle.points
        self.waiting.discard(uid)
        self._asking.pop(uid, None)
        self._assumed.release(uid)
        for call, answer in points.unreserve(cycle.placed, partial(self.waiting.at, points)):
            if isinstance(answer, Deny):
                self.waiting.deny(points, call.name, answer)
            elif answer is not None:
                self._tell(cycle, answer)

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where a state and what is kept for it disagree."""
        self._assumed.check_invariants()
        require(self.waiting.is_settled, "somebody was denied and is not told")
        for uid, cycle in self._cycles.items():
            story = f"{cycle.info.pod.key} on {cycle.node_name}: {cycle.state.value}"
            waits = isinstance(cycle, ReservedCycle) and bool(cycle.waits)
            is_waiting = cycle.state is State.WAITING
            require(waits == (uid in self.waiting) == is_waiting, f"{story}; waits wrongly")
            if isinstance(cycle, ReservedCycle) and cycle.state is State.PRE_BINDING:
                is_asking = uid in self._asking
                require(bool(cycle.request) != is_asking, f"{story}; {is_asking=}")
            else:
                require(uid not in self._asking, f"{story}; still asking")

    def _call(self, call: PluginCall, cycle: ReservedCycle) -> None:
        placed, number = cycle.placed, self._next_request(cycle)
        self._outbox.append(
            CallPlugin(placed.pod.uid, number, call.name, call.point, placed.pod, placed.node_name)
        )

    def _next_request(self, cycle: ReservedCycle) -> int:
        self._requests += 1
        cycle.request = self._requests
        return self._requests

    def _under_way(self, uid: str, number: int) -> ReservedCycle | None:
        """Return the binding cycle that waits for this answer; None of late ones."""
        cycle = self._cycles.get(uid)
        if (
            isinstance(cycle, ReservedCycle)
            and cycle.state is State.PRE_BINDING
            and cycle.request == number
        ):
            cycle.request = 0
            return cycle
        return None

    def _tell(self, cycle: ReservedCycle, error: PluginError) -> None:
        meta = cycle.info.pod.metadata
        point, problem = error.extension_point, error.problem
        self._outbox.append(
            PluginFailed(meta.uid, meta.namespace, meta.name, error.plugin, point, problem)
        )


def _error(cycle: ReservedCycle, problem: str) -> Failure:
    return Failure.error(cycle.call.name, cycle.call.point, problem)
