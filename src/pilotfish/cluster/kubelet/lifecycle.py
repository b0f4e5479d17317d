"""The life of a pod on its node, from the first sight of it to its end.

*Theory of operation.* A pod's record says when its next things are due; `advance` does all that are
due by now, in order of time, and marks the pod where its status changed. Nothing else moves a pod
but `stop` (it is deleted or has failed) and what processes of local images report.

    sandbox -> init containers, one after the other -> containers, all together -> ended
    a container: pull -> start -> running -> ready -> ended -> restart (at once, then backed off)

Notes are the Events that a kubelet writes; processes are started and stopped by effects.

Source: kubernetes v1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go (SyncPod, doBackOff),
    kuberuntime_container.go (killContainer), images/image_manager.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, Protocol

import msgspec

from pilotfish.cluster.kubelet.behavior import draw, share
from pilotfish.cluster.kubelet.images import is_pullable, made_up_size, pull_error
from pilotfish.cluster.kubelet.pod_run import (
    ContainerRun,
    PodRun,
    Step,
    Termination,
    run_seconds,
)
from pilotfish.cluster.kubelet.processes import ContainerConfigError
from pilotfish.cluster.settings import KubeletSettings

SYNC_SECONDS: Final = 1.0  # from a container's end until its pod is looked at again
PULL_SYNC_SECONDS: Final = 2.0  # from a failed pull until the back-off is seen
NEVER_PULL_SYNC_SECONDS: Final = 10.0
CONFIG_SYNC_SECONDS: Final = 10.0
BACK_OFF_SECONDS: Final = 10.0  # upstream initialCrashLoopBackOff, and the image manager's
BACK_OFF_MAX_SECONDS: Final = 300.0  # upstream MaxContainerBackOff, MaxImageBackOff
BACK_OFF_FORGOTTEN_SECONDS: Final = 2 * BACK_OFF_MAX_SECONDS  # client-go flowcontrol.Backoff
MIN_STOP_SECONDS: Final = 2.0  # upstream minimumGracePeriodInSeconds
KILLED: Final = 137
DEADLINE_EXCEEDED: Final = (
    "DeadlineExceeded",
    "Pod was active on the node longer than the specified deadline",
)


class Note(msgspec.Struct, frozen=True):
    """An Event about a pod; of a container where one is named."""

    type: str
    reason: str
    message: str
    container: ContainerRun | None = None


class Images(Protocol):
    """What a pod's life needs of its node."""

    pullable: tuple[str, ...] | None

    def has(self, image: str) -> bool:
        """Say whether an image is there."""

    def add(self, image: str, size: int) -> None:
        """Keep an image that was pulled."""


class Processes(Protocol):
    """Starts and stops the containers that are processes."""

    def is_local(self, image: str) -> bool:
        """Say whether containers of this image are processes."""

    def start(self, pod: PodRun, container: ContainerRun, now: float) -> None:
        """Start one; what comes of it is reported later.

        Raises:
            ContainerConfigError: It cannot be made as the pod says.
        """

    def stop(self, pod: PodRun, container: ContainerRun, grace_seconds: float) -> None:
        """Stop one; its end is reported later."""


class Lifecycle:
    """Moves pods on; see the module's theory of operation."""

    def __init__(
        self,
        settings: KubeletSettings,
        processes: Processes,
        note: Callable[[PodRun, Note, float], None],
    ) -> None:
        self._settings = settings
        self._processes = processes
        self._note = note
        self._steps: dict[Step, Callable[[PodRun, ContainerRun, Images, float], None]] = {
            "pull": self._pull,
            "pulled": self._pulled,
            "fail_pull": self._fail_pull,
            "back_off_pull": self._back_off_pull,
            "start": self._start,
            "restart": self._restart,
        }

    def advance(self, pod: PodRun, images: Images, now: float) -> None:
        """Do what is due by now."""
        while (due := pod.next_due()) is not None and due <= now:
            self._step(pod, images, due)

    def resume(self, pod: PodRun, now: float) -> None:
        """Go on with a pod that was taken over from an earlier kubelet; back-offs are forgotten."""
        for container in pod.containers:
            ended = container.termination
            must_restart = ended is not None and _restarts(pod, container, ended.exit_code)
            was_backed_off = container.state == "waiting" and container.last is not None
            if container.state == "running" and self._processes.is_local(container.image):
                self.ended(pod, container, KILLED, now)  # its process ended with that kubelet
            elif must_restart or was_backed_off:
                container.step, container.due = "restart", now
        if pod.has_sandbox and not is_decided(pod):
            self._start_next(pod, now)

    def stop(self, pod: PodRun, now: float, grace_seconds: float) -> None:
        """Stop all containers within a grace period; a shorter one later wins."""
        pod.has_news = True
        if pod.stopping_since is None:
            pod.stopping_since = now
            pod.stops_by = now + grace_seconds
            for container in pod.containers:
                container.due, container.step = None, ""
                if container.state == "running":
                    self._stop_container(pod, container, now, grace_seconds)
            return
        stops_by = pod.stopping_since + grace_seconds
        if pod.stops_by is not None and stops_by < pod.stops_by:
            pod.stops_by = stops_by
            for container in pod.containers:
                if container.state == "running":
                    self._hasten(pod, container, max(now, stops_by), now)

    def started(self, pod: PodRun, container: ContainerRun, now: float) -> None:
        """Record that a container's process runs."""
        self._run(pod, container, now, None)

    def ended(
        self, pod: PodRun, container: ContainerRun, exit_code: int, now: float, message: str = ""
    ) -> None:
        """Record that a container has ended; it starts again where the pod's policy wants it to."""
        pod.has_news = True
        reason = "Completed" if exit_code == 0 else "Error"
        if container.state != "running":
            reason = "StartError"
            container.started_at = now
            _count_restart(container)
            self._say(pod, "Created", "Container created", container, now)
            self._note(pod, Note("Warning", "Failed", f"Error: {message}", container), now)
        container.termination = Termination(
            exit_code, reason, container.started_at, now, message=message
        )
        container.state = "terminated"
        container.is_started = container.is_ready = False
        container.ready_at = container.ends_at = None
        if pod.stops_by is not None:
            return
        if _restarts(pod, container, exit_code):
            container.step, container.due = "restart", now + SYNC_SECONDS
        elif is_decided(pod):
            self._stop_sidecars(pod, now)
        elif container.kind == "init" and exit_code == 0:
            self._start_next(pod, now)

    def _step(self, pod: PodRun, images: Images, now: float) -> None:
        """Do the one thing that is due first."""
        if pod.fails_at is not None and pod.fails_at <= now and pod.stops_by is None:
            reason, message = pod.failure = DEADLINE_EXCEEDED
            self._note(pod, Note("Normal", reason, message), now)
            self.stop(pod, now, pod.grace_seconds)
            return
        if not pod.has_sandbox and pod.sandbox_at <= now and pod.stops_by is None:
            pod.has_sandbox = True
            self._start_next(pod, now)
            return
        container = next(c for c in pod.containers if any(due <= now for due in c.dues()))
        if container.due is not None and container.due <= now:
            step, container.due = container.step, None
            container.step = ""
            self._steps[step](pod, container, images, now)
        elif (
            container.ready_at is not None and not container.is_ready and container.ready_at <= now
        ):
            container.is_ready = pod.has_news = True
        else:
            code = KILLED if container.is_killed else self._exit_code(pod, container)
            self.ended(pod, container, code, now)

    def _start_next(self, pod: PodRun, now: float) -> None:
        """Begin the next init container, or all containers once there is none left."""
        waiting = next((c for c in pod.inits if not c.is_initialized), None)
        for container in pod.mains if waiting is None else [waiting]:
            if container.state == "waiting" and container.due is None:
                container.step, container.due = "pull", now

    def _pull(self, pod: PodRun, container: ContainerRun, images: Images, now: float) -> None:
        image, is_faulty = container.image, pod.behavior.fault == "ImagePull"
        is_local = self._processes.is_local(image)
        is_present = (images.has(image) or is_local) and not is_faulty
        if is_present and container.pull_policy != "Always":
            text = f'Container image "{image}" already present on machine'
            self._say(pod, "Pulled", f"{text} and can be accessed by the pod", container, now)
            self._create(pod, container, now)
        elif container.pull_policy == "Never":
            why = f'Container image "{image}" is not present with pull policy of Never'
            self._note(pod, Note("Warning", "ErrImageNeverPull", why, container), now)
            self._fail(pod, container, "ErrImageNeverPull", why, now)
            container.step, container.due = "pull", now + NEVER_PULL_SYNC_SECONDS
        else:
            self._say(pod, "Pulling", f'Pulling image "{image}"', container, now)
            can = not is_faulty and (is_local or is_pullable(image, images.pullable))
            took = self._draw(pod, container, "pull")
            container.pull_seconds = took
            container.step, container.due = "pulled" if can else "fail_pull", now + took

    def _pulled(self, pod: PodRun, container: ContainerRun, images: Images, now: float) -> None:
        image, size = container.image, made_up_size(container.image)
        images.add(image, size)
        took = go_duration(container.pull_seconds)
        text = f'Successfully pulled image "{image}" in {took} ({took} including waiting).'
        self._say(pod, "Pulled", f"{text} Image size: {size} bytes.", container, now)
        self._create(pod, container, now)

    def _fail_pull(self, pod: PodRun, container: ContainerRun, _: Images, now: float) -> None:
        why = pull_error(container.image)
        text = f'Failed to pull image "{container.image}": {why}'
        self._note(pod, Note("Warning", "Failed", text, container), now)
        self._fail(pod, container, "ErrImagePull", why, now)
        container.pull_back_off = _doubled(container.pull_back_off)
        container.step, container.due = "back_off_pull", now + PULL_SYNC_SECONDS

    def _back_off_pull(self, pod: PodRun, container: ContainerRun, _: Images, now: float) -> None:
        text = f'Back-off pulling image "{container.image}"'
        self._say(pod, "BackOff", text, container, now)
        why = f"{text}: ErrImagePull: {pull_error(container.image)}"
        self._fail(pod, container, "ImagePullBackOff", why, now)
        container.step, container.due = "pull", now + container.pull_back_off - PULL_SYNC_SECONDS

    def _create(self, pod: PodRun, container: ContainerRun, now: float) -> None:
        container.step, container.due = "start", now + self._draw(pod, container, "start")

    def _start(self, pod: PodRun, container: ContainerRun, _: Images, now: float) -> None:
        if self._processes.is_local(container.image):
            try:
                self._processes.start(pod, container, now)
            except ContainerConfigError as error:
                self._note(pod, Note("Warning", "Failed", f"Error: {error}", container), now)
                _wait(pod, container, "CreateContainerConfigError", str(error))
                container.step, container.due = "start", now + CONFIG_SYNC_SECONDS
            return
        chance = share(self._settings.seed, pod.uid, container.name, container.restarts, "run")
        self._run(pod, container, now, run_seconds(container, pod.behavior, chance))

    def _run(
        self, pod: PodRun, container: ContainerRun, now: float, ends_after: float | None
    ) -> None:
        self._say(pod, "Created", "Container created", container, now)
        self._say(pod, "Started", "Container started", container, now)
        _count_restart(container)
        _wait(pod, container, "", "")
        container.state, container.is_started = "running", True
        container.started_at, container.is_killed = now, False
        container.ends_at = None if ends_after is None else now + ends_after
        if container.kind == "init":
            return
        if pod.behavior.fault != "NotReady":
            takes = container.ready_seconds + self._draw(pod, container, "ready")
            container.ready_at, container.is_ready = now + takes, takes <= 0
        if container.kind == "sidecar":
            self._start_next(pod, now)

    def _restart(self, pod: PodRun, container: ContainerRun, _: Images, now: float) -> None:
        ended = container.termination or container.last
        finished = now if ended is None else ended.finished_at
        if finished - container.last_failure > BACK_OFF_FORGOTTEN_SECONDS:
            container.back_off = 0.0
        retry = finished + container.back_off
        if now < retry:
            text = f"Back-off restarting failed container {container.name} in pod {pod.full_name}"
            self._note(pod, Note("Warning", "BackOff", text, container), now)
            pause = go_duration(container.back_off)
            why = f"back-off {pause} restarting failed container={container.name}"
            _wait(pod, container, "CrashLoopBackOff", f"{why} pod={pod.full_name}")
            container.step, container.due = "restart", retry
            return
        container.back_off = _doubled(container.back_off)
        container.last_failure = finished
        container.step, container.due = "pull", now

    def _stop_container(
        self, pod: PodRun, container: ContainerRun, now: float, grace_seconds: float
    ) -> None:
        self._say(pod, "Killing", f"Stopping container {container.name}", container, now)
        hook = container.pre_stop or 0.0
        if hook < 0:
            hook = draw(self._settings.pre_stop, self._settings.seed, pod.uid, "preStop")
        hook = min(hook, grace_seconds)
        left = max(grace_seconds - hook, MIN_STOP_SECONDS)
        if container.is_process:
            self._processes.stop(pod, container, left)
            return
        takes = self._draw(pod, container, "stop")
        container.is_killed = takes > left
        container.ends_at = now + hook + min(takes, left)

    def _hasten(self, pod: PodRun, container: ContainerRun, by: float, now: float) -> None:
        if container.is_process:
            self._processes.stop(pod, container, by - now)
        elif container.ends_at is not None and container.ends_at > by:
            container.ends_at, container.is_killed = by, True

    def _stop_sidecars(self, pod: PodRun, now: float) -> None:
        for container in reversed(pod.inits):
            container.due = None
            if container.state == "running":
                self._stop_container(pod, container, now, pod.grace_seconds)

    def _exit_code(self, pod: PodRun, container: ContainerRun) -> int:
        is_stopped = pod.stops_by is not None
        return 0 if is_stopped or container.kind != "main" else pod.behavior.exit_code

    def _say(
        self, pod: PodRun, reason: str, message: str, container: ContainerRun, now: float
    ) -> None:
        self._note(pod, Note("Normal", reason, message, container), now)

    def _fail(
        self, pod: PodRun, container: ContainerRun, reason: str, message: str, now: float
    ) -> None:
        self._note(pod, Note("Warning", "Failed", f"Error: {reason}", container), now)
        _wait(pod, container, reason, message)

    def _draw(
        self, pod: PodRun, container: ContainerRun, what: Literal["pull", "start", "ready", "stop"]
    ) -> float:
        about = (pod.uid, container.name, container.restarts, what)
        return draw(getattr(pod.behavior, what), self._settings.seed, *about)


def is_decided(pod: PodRun) -> bool:
    """Say whether all containers have ended for good, or an init container has failed for good."""
    if any(_is_over(c) and not c.is_initialized for c in pod.inits if c.kind == "init"):
        return True
    return all(_is_over(c) for c in pod.mains)


def go_duration(seconds: float) -> str:
    """Write a time as Go does, to the millisecond: `812ms`, `1.5s`, `2m40s`."""
    if seconds < 1:
        return f"{int(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{int(minutes)}m{text}" if minutes else text


def _count_restart(container: ContainerRun) -> None:
    """Count a start, or the try of one, that is not the first."""
    if container.termination is not None or container.last is not None:
        container.restarts += 1


def _restarts(pod: PodRun, container: ContainerRun, exit_code: int) -> bool:
    if container.kind == "sidecar":
        return not is_decided(pod)
    if exit_code == 0 and container.kind == "init":
        return False
    return pod.restart_policy == "Always" or (pod.restart_policy == "OnFailure" and exit_code != 0)


def _is_over(container: ContainerRun) -> bool:
    return container.state == "terminated" and container.due is None


def _wait(pod: PodRun, container: ContainerRun, reason: str, message: str) -> None:
    """Make a container wait; how it ended, if it has, becomes its last state."""
    if container.termination is not None:
        container.last, container.termination = container.termination, None
    container.state, container.reason, container.message = "waiting", reason, message
    pod.has_news = True


def _doubled(back_off: float) -> float:
    return min(max(2 * back_off, BACK_OFF_SECONDS), BACK_OFF_MAX_SECONDS)
