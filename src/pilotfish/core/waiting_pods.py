"""Pods that wait on permit.

Theory of operation: a pod waits as long as a plugin does that asked for it. Each wait ends by the
plugin that asked for it, which allows the pod or denies it, or by its own deadline; the first no,
and the earliest deadline, end the others too. A pod that is denied waits no more, but fails only
when `settle` is called, so that a group that falls pod by pod is no deep recursion.

Source: kubernetes v1.36 pkg/scheduler/framework/runtime/waiting_pods_map.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from pilotfish.config.duration import format_duration
from pilotfish.core.binding_cycle import Deadlines, Failure, ReservedCycle, State
from pilotfish.framework.binding import Deny, WaitingPod
from pilotfish.framework.binding_points import BindingPoints
from pilotfish.framework.rejection import Rejection

NANOSECONDS: Final = 10**9


class WaitingPods:
    """Who waits where.

    Args:
        deadlines: of all binding cycles.
        fail: ends a binding cycle.
    """

    def __init__(
        self, deadlines: Deadlines, fail: Callable[[ReservedCycle, Failure, float], None]
    ) -> None:
        self._deadlines = deadlines
        self._fail = fail
        self._cycles: dict[str, ReservedCycle] = {}
        self._at: dict[tuple[BindingPoints, str], dict[str, WaitingPod]] = {}  # oldest first
        self._denied: dict[str, tuple[ReservedCycle, Failure]] = {}

    def __contains__(self, uid: str) -> bool:
        return uid in self._cycles

    @property
    def is_settled(self) -> bool:
        """Whether every pod that was denied has failed."""
        return not self._denied

    def add(self, cycle: ReservedCycle) -> None:
        """Let a pod wait."""
        uid = cycle.info.uid
        cycle.state = State.WAITING
        self._cycles[uid] = cycle
        pod = WaitingPod(cycle.placed.pod, cycle.node_name)
        for plugin in cycle.waits:
            self._at.setdefault((cycle.points, plugin), {})[uid] = pod
        self._set_deadline(cycle)

    def discard(self, uid: str) -> None:
        """Let a pod wait no more."""
        self._denied.pop(uid, None)
        cycle = self._cycles.pop(uid, None)
        if cycle is not None:
            for plugin in cycle.waits:
                del self._at[cycle.points, plugin][uid]

    def at(self, points: BindingPoints, plugin: str) -> tuple[WaitingPod, ...]:
        """List the pods that wait at a plugin, oldest first."""
        return tuple(self._at.get((points, plugin), {}).values())

    def allow(self, points: BindingPoints, plugin: str, uids: Iterable[str]) -> list[ReservedCycle]:
        """End waits at a plugin, and return the pods that wait nowhere else."""
        free = []
        here = self._at.get((points, plugin), {})
        for uid in uids:
            if here.pop(uid, None) is None:
                continue
            cycle = self._cycles[uid]
            del cycle.waits[plugin]
            if cycle.waits:
                self._set_deadline(cycle)
            else:
                del self._cycles[uid]
                cycle.due = None
                free.append(cycle)
        return free

    def deny(self, points: BindingPoints, plugin: str, deny: Deny) -> None:
        """End the wait of pods that will fail."""
        here = self._at.get((points, plugin), {})
        for uid in [uid for uid in deny.uids if uid in here]:
            cycle = self._cycles[uid]
            self.discard(uid)
            self._denied[uid] = (cycle, Failure.refused(plugin, Rejection(deny.reason)))

    def settle(self, now: float) -> None:
        """Fail the pods that were denied, and those that are denied thereby."""
        while self._denied:
            cycle, failure = self._denied.pop(next(iter(self._denied)))
            self._fail(cycle, failure, now)

    def expire(self, cycle: ReservedCycle, now: float) -> None:
        """Fail a pod that waited for as long as it may."""
        wait = min(cycle.waits.values())
        after = format_duration(round(wait.seconds * NANOSECONDS))
        reason = f"rejected due to timeout after waiting {after} at plugin {wait.plugin}"
        self._fail(cycle, Failure.refused(wait.plugin, Rejection(reason)), now)

    def _set_deadline(self, cycle: ReservedCycle) -> None:
        self._deadlines.set(cycle, min(cycle.waits.values()).deadline)
