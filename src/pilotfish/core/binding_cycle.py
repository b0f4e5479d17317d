"""One pod on its way to its node, and when the pods on their way are due."""

from __future__ import annotations

import enum
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec
import numpy as np

from pilotfish.core.message import unschedulable_message
from pilotfish.framework.binding import PreBind
from pilotfish.framework.binding_points import BindingPoints, Placed
from pilotfish.framework.errors import PluginError
from pilotfish.framework.plugin_call import PluginCall
from pilotfish.framework.profile_results import RejectedBy
from pilotfish.framework.rejection import Rejection
from pilotfish.queue.queued_pod_info import QueuedPodInfo

FIRST_PAUSE_SECONDS: Final = 0.1  # before the truth is read; doubled by each further pause

_THE_NODE: Final = np.ones(1, dtype=np.bool_)


class State(enum.Enum):
    """Where a binding cycle stands."""

    WAITING = "waits on permit"
    PRE_BINDING = "pre_bind is under way"
    BINDING = "Bind is under way"
    READ_DUE = "waits to read the truth"
    READING = "ReadPod is under way"
    BIND_DUE = "waits to send Bind again"
    CONFIRMING = "waits for the watch"


BEFORE_BIND = (State.WAITING, State.PRE_BINDING)
PAUSED = (State.READ_DUE, State.BIND_DUE)


class PermitWait(msgspec.Struct, frozen=True, order=True):
    """Until when a pod waits at a plugin."""

    deadline: float
    plugin: str
    seconds: float


@dataclass(slots=True, eq=False)
class BindingCycle:
    """One pod on its way to its node.

    Attributes:
        binds: how many Bind effects were sent.
        due: when its pause or its wait is over; None without one.
        pause_seconds: how long the next pause is.
        is_told: whether people know that it is bound.
    """

    info: QueuedPodInfo
    node_name: str
    state: State = State.BINDING
    binds: int = 0
    due: float | None = None
    pause_seconds: float = FIRST_PAUSE_SECONDS
    is_told: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class ReservedCycle(BindingCycle):
    """A binding cycle in which plugins have a part.

    Attributes:
        waits: where the pod waits at `permit`.
        allows: whom the plugins let go for this pod's sake: uids by plugin.
        asked: how many of the plugins with `pre_bind` were asked.
        work: what the one asked last wants; None of one that is async.
        written: how many of its writes are done.
        request: the number of the request that is under way, to know its answer by; 0 without one.
    """

    points: BindingPoints
    placed: Placed
    waits: dict[str, PermitWait] = field(default_factory=dict)
    allows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asked: int = 0
    work: PreBind | None = None
    written: int = 0
    request: int = 0

    @property
    def call(self) -> PluginCall:
        """The `pre_bind` that was asked last."""
        return self.points.pre_binds[self.asked - 1]


class Failure(msgspec.Struct, frozen=True):
    """Why a binding cycle fails.

    Attributes:
        message: as upstream words it.
        reason: of the pod's condition.
        rejectors: the plugins that have to change their mind; without any the pod is tried again
            after its back-off.
        status: of the answer to Bind; 0 without one.
        cause: what the server said to Bind; empty where it was not asked.
    """

    message: str
    reason: Literal["Unschedulable", "SchedulerError"] = "SchedulerError"
    rejectors: tuple[str, ...] = ()
    status: int = 0
    cause: str = ""

    @classmethod
    def refused(cls, plugin: str, rejection: Rejection) -> Failure:
        """Make the failure of a pod that a plugin rejects on its chosen node."""
        one = RejectedBy(plugin, rejection.reason, rejection.resolvable, _THE_NODE)
        return cls(unschedulable_message(1, [one]), "Unschedulable", (plugin,))

    @classmethod
    def error(cls, plugin: str, extension_point: str, problem: str) -> Failure:
        """Make the failure of a pod for which a plugin failed."""
        point = extension_point.title().replace("_", "")
        return cls(f'running {point} plugin "{plugin}": {problem}')

    @classmethod
    def of(cls, error: PluginError) -> Failure:
        """Make the failure of a pod for which a plugin raised."""
        return cls.error(error.plugin, error.extension_point, error.problem)


class Deadlines:
    """When binding cycles are due: a heap, in which entries of ended pauses linger."""

    def __init__(self, cycles: Mapping[str, BindingCycle]) -> None:
        self._cycles = cycles
        self._heap: list[tuple[float, str]] = []

    def set(self, cycle: BindingCycle, due: float) -> None:
        """Let a binding cycle be due at a time, in place of any earlier one."""
        cycle.due = due
        heapq.heappush(self._heap, (due, cycle.info.uid))

    def first(self) -> float | None:
        """Return when the next one is due."""
        while self._heap:
            due, uid = self._heap[0]
            cycle = self._cycles.get(uid)
            if cycle is not None and cycle.due == due:
                return due
            heapq.heappop(self._heap)
        return None

    def passed(self, now: float) -> Iterator[BindingCycle]:
        """Yield the binding cycles that are due; they are no longer then."""
        while (due := self.first()) is not None and due <= now:
            cycle = self._cycles[heapq.heappop(self._heap)[1]]
            cycle.due = None
            yield cycle

    def __contains__(self, cycle: BindingCycle) -> bool:
        return (cycle.due, cycle.info.uid) in self._heap
