"""A pod as its kubelet knows it: containers, their states, and what is due when.

The records hold no decoded pod, so that 50,000 of them stay small: what a status says
beyond them is read from the stored pod when it is written. What many pods say alike is shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from pilotfish.cluster.kubelet.behavior import Behavior, behavior_of, own_run_seconds
from pilotfish.cluster.objects import JsonObject, Stored, shared
from pilotfish.cluster.settings import KubeletSettings
from pilotfish.cluster.timestamps import seconds_of

Kind = Literal["init", "sidecar", "main"]
State = Literal["waiting", "running", "terminated"]
Step = Literal["", "pull", "fail_pull", "back_off_pull", "pulled", "start", "restart"]
DEFAULT_GRACE_SECONDS = 30.0


class Termination(msgspec.Struct, gc=False):
    """How a container ended."""

    exit_code: int
    reason: str
    started_at: float
    finished_at: float
    message: str = ""


class ContainerRun(msgspec.Struct):
    """One container.

    Attributes:
        run_seconds: until it ends by itself; None for what never ends.
        ready_seconds: what its probes take from its start until it is ready.
        pre_stop: seconds of its preStop sleep; None without a hook, -1 for another hook.
        reason: why it waits.
        step: what is done to it at `due`, while it does not run.
        ends_at: when it ends, by itself or because it was stopped.
        back_off: seconds until it is restarted; 0 where the next start is at once.
    """

    name: str
    image: str
    kind: Kind
    pull_policy: str
    run_seconds: float | None = None
    ready_seconds: float = 0.0
    pre_stop: float | None = None
    state: State = "waiting"
    reason: str = "ContainerCreating"
    message: str = ""
    step: Step = ""
    due: float | None = None
    started_at: float = 0.0
    ready_at: float | None = None
    ends_at: float | None = None
    is_killed: bool = False
    is_started: bool = False
    is_process: bool = False
    is_ready: bool = False
    restarts: int = 0
    pull_seconds: float = 0.0
    pull_back_off: float = 0.0
    back_off: float = 0.0
    last_failure: float = 0.0
    termination: Termination | None = None
    """How it ended, while terminated."""
    last: Termination | None = None
    """How it ended the time before."""

    def dues(self) -> Iterator[float]:
        """Yield the times at which something happens to it."""
        if self.due is not None:
            yield self.due
        if self.state == "running":
            if self.ready_at is not None and not self.is_ready:
                yield self.ready_at
            if self.ends_at is not None:
                yield self.ends_at

    @property
    def is_initialized(self) -> bool:
        """Whether the next init container may start."""
        if self.kind == "sidecar":
            return self.is_started
        return self.termination is not None and self.termination.exit_code == 0


class PodRun(msgspec.Struct):
    """One pod on its node.

    Attributes:
        sandbox_at: when its network stands.
        fails_at: when its activeDeadlineSeconds are over.
        stops_by: when the last container is killed; None while it is not being stopped.
        is_deleted: whether it is removed once it has stopped.
        failure: reason and message where it fails as a whole.
        has_news: whether its status may have to be written. Its network alone is no news: a kubelet
            says that it stands once a container has started, or has failed to.
        seen: the resourceVersion up to which its changes are taken in, the kubelet's own included.
    """

    uid: str
    namespace: str
    name: str
    node_name: str
    restart_policy: str
    containers: list[ContainerRun]
    behavior: Behavior
    started_at: float
    sandbox_at: float
    grace_seconds: float
    fails_at: float | None = None
    is_host_network: bool = False
    has_gates: bool = False
    ip: str = ""
    has_sandbox: bool = False
    stopping_since: float | None = None
    stops_by: float | None = None
    is_deleted: bool = False
    failure: tuple[str, str] | None = None
    has_news: bool = True
    seen: int = 0

    @property
    def full_name(self) -> str:
        """The pod as the kubelet's messages name it.

        Source: kubernetes v1.36 pkg/kubelet/util/format/pod.go.
        """
        return f"{self.name}_{self.namespace}({self.uid})"

    @property
    def mains(self) -> list[ContainerRun]:
        """The containers proper."""
        return [c for c in self.containers if c.kind == "main"]

    @property
    def inits(self) -> list[ContainerRun]:
        """Init containers and sidecars, in order."""
        return [c for c in self.containers if c.kind != "main"]

    def next_due(self) -> float | None:
        """Give the time of the next thing that happens, None when only others can act."""
        times = [t for c in self.containers for t in c.dues()]
        if not self.has_sandbox and self.stops_by is None:
            times.append(self.sandbox_at)
        if self.fails_at is not None and self.stops_by is None:
            times.append(self.fails_at)
        return min(times, default=None)


def pod_run(
    stored: Stored, pod: JsonObject, settings: KubeletSettings, now: float, sandbox: float
) -> PodRun:
    """Make the record of a pod that the kubelet sees for the first time."""
    spec = pod["spec"]
    behavior = behavior_of(pod, settings)
    containers = [
        *(_container(c, _init_kind(c)) for c in spec.get("initContainers") or ()),
        *(_container(c, "main") for c in spec["containers"]),
    ]
    if len(containers) > len(spec["containers"]):
        for container in containers:
            container.reason = "PodInitializing"
    started_at = _time((pod.get("status") or {}).get("startTime"), now)
    deadline = spec.get("activeDeadlineSeconds")
    return PodRun(
        uid=stored.uid,
        namespace=stored.namespace,
        name=stored.name,
        node_name=shared(spec["nodeName"]),
        restart_policy=shared(spec.get("restartPolicy") or "Always"),
        containers=containers,
        behavior=behavior,
        started_at=started_at,
        sandbox_at=now + sandbox,
        grace_seconds=float(spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS)),
        fails_at=None if deadline is None else started_at + deadline,
        is_host_network=bool(spec.get("hostNetwork")),
        has_gates=bool(spec.get("readinessGates")),
    )


def adopt(run: PodRun, status: JsonObject) -> None:
    """Take over a pod that runs already, as after the kubelet's restart."""
    found = {
        s["name"]: s
        for key in ("initContainerStatuses", "containerStatuses")
        for s in status.get(key) or ()
    }
    run.has_sandbox = bool(status.get("podIP"))
    run.ip = status.get("podIP", "")
    for container in run.containers:
        if given := found.get(container.name):
            _adopt(container, given, run)


def behave(run: PodRun, behavior: Behavior, now: float) -> None:
    """Take in how a pod behaves from now on: when what runs ends, and whether it is ready."""
    if behavior == run.behavior or run.stops_by is not None:
        return
    run.behavior = behavior
    for container in run.containers:
        if container.state != "running" or container.kind == "init":
            continue
        if not container.is_process:
            ends_after = run_seconds(container, behavior, 0.0)
            lasted = max(now, container.started_at + (ends_after or 0.0))
            container.ends_at = None if ends_after is None else lasted
        if behavior.fault == "NotReady":
            container.ready_at, container.is_ready = None, False
        elif container.ready_at is None:
            container.ready_at = max(now, container.started_at + container.ready_seconds)


def _adopt(container: ContainerRun, given: JsonObject, run: PodRun) -> None:
    container.restarts = given.get("restartCount", 0)
    container.last = _termination(given.get("lastState") or {})
    state = given.get("state") or {}
    if "running" in state:
        container.state = "running"
        container.is_started = True
        container.is_ready = bool(given.get("ready"))
        container.started_at = _time(state["running"].get("startedAt"), run.started_at)
        if run.behavior.fault != "NotReady":
            container.ready_at = container.started_at + container.ready_seconds
        if (ends_after := run_seconds(container, run.behavior, 0.0)) is not None:
            container.ends_at = container.started_at + ends_after
    elif (termination := _termination(state)) is not None:
        container.state = "terminated"
        container.termination = termination
        container.is_started = False


def run_seconds(container: ContainerRun, behavior: Behavior, chance: float) -> float | None:
    """Give how long a container runs; an init container always ends."""
    delay = behavior.init if container.kind == "init" else behavior.run
    if container.kind == "sidecar":
        return None
    if container.run_seconds is not None and behavior.fault != "CrashLoop":
        return container.run_seconds
    return None if delay is None else delay.seconds + delay.jitter_seconds * chance


def _container(spec: JsonObject, kind: Kind) -> ContainerRun:
    return ContainerRun(
        name=shared(spec["name"]),
        image=shared(spec.get("image", "")),
        kind=kind,
        pull_policy=shared(spec.get("imagePullPolicy") or "IfNotPresent"),
        run_seconds=own_run_seconds(spec),
        ready_seconds=_ready_seconds(spec),
        pre_stop=_pre_stop(spec),
    )


def _init_kind(spec: JsonObject) -> Kind:
    return "sidecar" if spec.get("restartPolicy") == "Always" else "init"


def _ready_seconds(spec: JsonObject) -> float:
    """Give what probes take that succeed at their first tries.

    Source: kubernetes v1.36 pkg/kubelet/prober/worker.go.
    """
    seconds = 0.0
    for name in ("startupProbe", "readinessProbe"):
        if probe := spec.get(name):
            more = max(0, probe.get("successThreshold", 1) - 1) * probe.get("periodSeconds", 10)
            seconds += probe.get("initialDelaySeconds", 0) + more
    return seconds


def _pre_stop(spec: JsonObject) -> float | None:
    hook = (spec.get("lifecycle") or {}).get("preStop")
    if not hook:
        return None
    return float(hook["sleep"].get("seconds", 0)) if "sleep" in hook else -1.0


def _termination(state: JsonObject) -> Termination | None:
    if (given := state.get("terminated")) is None:
        return None
    finished = _time(given.get("finishedAt"), 0.0)
    return Termination(
        exit_code=given.get("exitCode", 0),
        reason=given.get("reason", ""),
        started_at=_time(given.get("startedAt"), finished),
        finished_at=finished,
        message=given.get("message", ""),
    )


def _time(text: str | None, default: float) -> float:
    return seconds_of(text) if text else default
