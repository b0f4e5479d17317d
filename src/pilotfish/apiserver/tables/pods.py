"""The table of pods.

Source: kubernetes v1.36 pkg/printers/internalversion/printers.go, printPod.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from pilotfish.apiserver.tables.ages import human_duration, seconds_of
from pilotfish.apiserver.tables.cells import (
    age_of,
    has_condition,
    is_being_deleted,
    name_of,
    part,
)
from pilotfish.apiserver.tables.columns import (
    AGE,
    NAME,
    NONE,
    Cells,
    Object,
    Table,
    texts,
    wide,
)

_TERMINAL = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


class _Restarts(msgspec.Struct):
    """How often containers were restarted, and when one last ended."""

    count: int = 0
    last: float | None = None

    def add(self, container: Object) -> None:
        self.count += container.get("restartCount", 0)
        ended = seconds_of(part(container, "lastState", "terminated").get("finishedAt"))
        if ended is not None and (self.last is None or ended > self.last):
            self.last = ended

    def render(self, now: float) -> str:
        if not self.count or self.last is None:
            return str(self.count)
        return f"{self.count} ({human_duration(now - self.last)} ago)"


class _Summary(msgspec.Struct):
    """What the first columns say of a pod."""

    reason: str
    ready: int = 0
    restarts: _Restarts = msgspec.field(default_factory=_Restarts)


def _cells(pod: Object, now: float) -> Cells:
    spec, status = part(pod, "spec"), part(pod, "status")
    sidecars = {c.get("name") for c in spec.get("initContainers") or () if _is_sidecar(c)}
    summary = _summary(pod, sidecars)
    total = len(spec.get("containers") or ()) + len(sidecars)
    addresses = status.get("podIPs") or ()
    return [
        name_of(pod),
        f"{summary.ready}/{total}",
        summary.reason,
        summary.restarts.render(now),
        age_of(pod, now),
        (addresses[0].get("ip") if addresses else "") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _readiness_gates(pod),
    ]


def _summary(pod: Object, sidecars: set[Any]) -> _Summary:
    status = part(pod, "status")
    phase = status.get("phase", "")
    summary = _Summary(status.get("reason") or phase)
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            summary.reason = "SchedulingGated"
    of_sidecars = _Restarts()
    initializing = _read_init_containers(pod, sidecars, summary, of_sidecars)
    if not initializing or has_condition(pod, "Initialized"):
        summary.restarts = of_sidecars
        _read_containers(pod, summary)
    if is_being_deleted(pod):
        if status.get("reason") == "NodeLost":
            summary.reason = "Unknown"
        elif phase not in _TERMINAL:
            summary.reason = "Terminating"
    return summary


def _read_init_containers(
    pod: Object, sidecars: set[Any], summary: _Summary, of_sidecars: _Restarts
) -> bool:
    """Add the init containers up to the one at work; tell whether there is one."""
    for index, container in enumerate(part(pod, "status").get("initContainerStatuses") or ()):
        is_sidecar = container.get("name") in sidecars
        summary.restarts.add(container)
        if is_sidecar:
            of_sidecars.add(container)
        state = container.get("state") or {}
        terminated, waiting = state.get("terminated"), state.get("waiting") or {}
        if terminated is not None and not terminated.get("exitCode", 0):
            continue
        if is_sidecar and container.get("started"):
            summary.ready += bool(container.get("ready"))
            continue
        if terminated is not None:
            summary.reason = f"Init:{_how_it_ended(terminated)}"
        elif waiting.get("reason") not in (None, "", "PodInitializing"):
            summary.reason = f"Init:{waiting['reason']}"
        else:
            total = len(part(pod, "spec").get("initContainers") or ())
            summary.reason = f"Init:{index}/{total}"
        return True
    return False


def _read_containers(pod: Object, summary: _Summary) -> None:
    running, failure = False, ""
    for container in reversed(part(pod, "status").get("containerStatuses") or ()):
        summary.restarts.add(container)
        state = container.get("state") or {}
        terminated = state.get("terminated")
        if waiting := part(state, "waiting").get("reason"):
            summary.reason = waiting
        elif terminated is not None:
            summary.reason = _how_it_ended(terminated)
            if terminated.get("exitCode", 0):
                failure = summary.reason
        elif container.get("ready") and state.get("running") is not None:
            running = True
            summary.ready += 1
    if summary.reason != "Completed":
        return
    if running and has_condition(pod, "Ready"):
        summary.reason = "Running"
    elif failure:
        summary.reason = failure
    elif running:
        summary.reason = "NotReady"


def _how_it_ended(terminated: Object) -> str:
    if reason := terminated.get("reason"):
        return str(reason)
    if signal := terminated.get("signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def _readiness_gates(pod: Object) -> str:
    gates = part(pod, "spec").get("readinessGates") or ()
    if not gates:
        return NONE
    met = sum(has_condition(pod, gate.get("conditionType", "")) for gate in gates)
    return f"{met}/{len(gates)}"


def _conditions(pod: Object) -> Sequence[Object]:
    phase = part(pod, "status").get("phase")
    if phase not in _TERMINAL:
        return ()
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _TERMINAL[phase]}]


PODS = Table(
    (
        NAME,
        *texts("Ready", "Status", "Restarts"),
        AGE,
        *wide("IP", "Node", "Nominated Node", "Readiness Gates"),
    ),
    _cells,
    _conditions,
)
