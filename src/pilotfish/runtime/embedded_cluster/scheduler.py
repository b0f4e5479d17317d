"""pilotfish as the default-scheduler of a cluster in the same process, seen there as a pod.

*Theory of operation.* The scheduler is a client like any other: it speaks HTTP to the API server
and knows nothing of the cluster beside it; where it fails, it starts again and the cluster goes on.
Its pod is a static one: made on the first node there is, and made anew when it is gone; the
simulated kubelet runs it as a container of a local image, whose process is this scheduler. The pod
comes and goes, the scheduler stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from pilotfish import __version__
from pilotfish.client import ClusterConfig, load_config
from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.kinds import NODES, PODS
from pilotfish.cluster.kubelet.processes import (
    Input,
    ProcessExited,
    ProcessOutput,
    ProcessStarted,
    StartProcess,
    StopProcess,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Change
from pilotfish.runtime.lease_guard import DEFAULT_SCHEDULER
from pilotfish.runtime.options import RunOptions
from pilotfish.runtime.process import schedule

IMAGE: Final = f"pilotfish.local/pilotfish:{__version__}"
COMMAND: Final = ("pilotfish", "run", "--scheduler-name", DEFAULT_SCHEDULER)
NAMESPACE: Final = "kube-system"
REMEMBERED: Final = 2000  # lines of its log that a new pod shows
RESTART_SECONDS: Final = 5.0  # after a failure
Schedule = Callable[[RunOptions, ClusterConfig, logging.Logger, asyncio.Event], Awaitable[None]]
_LOGGER: Final = "pilotfish.scheduler"


class ClusterScheduler:
    """The scheduler and its pod.

    Args:
        cluster: where its pod is.
        report: takes news of its container, on the loop.
        clock: seconds since the epoch.
        schedule: is the scheduler; where it fails, it is called again.
    """

    def __init__(
        self,
        cluster: Cluster,
        report: Callable[[Input], None],
        clock: Callable[[], float],
        schedule: Schedule = schedule,
    ) -> None:
        self._cluster = cluster
        self._report = report
        self._clock = clock
        self._schedule = schedule
        self._lines: deque[str] = deque(maxlen=REMEMBERED)
        self._shown: tuple[str, str] | None = None  # uid and container that show the log
        self._is_wanted = True

    async def run(self, options: RunOptions, stopping: asyncio.Event) -> None:
        """Schedule until `stopping`."""
        self._make_pod()
        self._cluster.store.on_change.append(self._replace_pod)
        log = logging.getLogger(_LOGGER)
        log.handlers = [_Lines(self._write)]
        log.propagate = False
        log.setLevel(logging.INFO)
        try:
            while not stopping.is_set():
                try:
                    config = load_config(options.kubeconfig, None, {})
                    await self._schedule(options, config, log, stopping)
                except Exception:
                    log.exception("scheduler failed")
                    await self._fail(stopping)
        finally:
            self._is_wanted = False

    def start(self, effect: StartProcess) -> None:
        """Show the log in a container."""
        self._shown = (effect.uid, effect.container)
        self._report(ProcessStarted(*self._shown))
        for line in self._lines:
            self._report(ProcessOutput(*self._shown, line))

    def stop(self, effect: StopProcess) -> None:
        """Show it there no longer, if it is shown there."""
        if self._shown == (effect.uid, effect.container):
            self._shown = None
            self._report(ProcessExited(effect.uid, effect.container, 0))

    async def _fail(self, stopping: asyncio.Event) -> None:
        """Show the failure in the pod, and wait a while."""
        words = "the scheduler failed and starts again in %g s; the log of its pod says why"
        logging.getLogger(__name__).warning(words, RESTART_SECONDS)
        if self._shown is not None:
            self._report(ProcessExited(*self._shown, 1))
            self._shown = None
        with suppress(TimeoutError):
            async with asyncio.timeout(RESTART_SECONDS):
                await stopping.wait()

    def _write(self, line: str) -> None:
        self._lines.append(line)
        if self._shown is not None:
            self._report(ProcessOutput(*self._shown, line))

    def _replace_pod(self, change: Change) -> None:
        """Make the pod anew when it is gone, or when there is a first node."""
        is_ours = change.storage == PODS.storage and change.new.namespace == NAMESPACE
        is_gone = change.type == "DELETED" and is_ours
        if is_gone or (change.storage == NODES.storage and change.type == "ADDED"):
            asyncio.get_running_loop().call_soon(self._make_pod)

    def _make_pod(self) -> None:
        nodes = self._cluster.store.list(NODES.storage).items
        pods = self._cluster.store.list(PODS.storage, NAMESPACE).items
        is_there = any(pod.labels.get("component") == "kube-scheduler" for pod in pods)
        if not self._is_wanted or not nodes or is_there:
            return
        try:
            self._cluster.client.create(PODS, _pod(nodes[0].name), self._clock())
        except StatusError as error:
            logging.getLogger(_LOGGER).warning("no pod for the scheduler: %s", error)


class _Lines(logging.Handler):
    """Hands over each line."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        for line in self.format(record).splitlines():
            self._write(line)


def _pod(node_name: str) -> JsonObject:
    return {
        "metadata": {
            "name": f"kube-scheduler-{node_name}",
            "namespace": NAMESPACE,
            "labels": {"component": "kube-scheduler", "tier": "control-plane"},
            "annotations": {
                "kubernetes.io/config.source": "file",
                "kubernetes.io/config.mirror": "pilotfish",  # drain leaves it alone
            },
        },
        "spec": {
            "nodeName": node_name,
            "hostNetwork": True,
            "priorityClassName": "system-node-critical",
            "tolerations": [{"operator": "Exists"}],
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "kube-scheduler",
                    "image": IMAGE,
                    "imagePullPolicy": "IfNotPresent",
                    "command": list(COMMAND),
                }
            ],
        },
    }
