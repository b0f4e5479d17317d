"""What containers write: simulated lines, and the real ones of processes.

A simulated container writes a line when it starts, then one every `logSeconds`, and one when it
ends: a function of its status and the time, so nothing is kept. Lines of processes, and those that
someone appends, are kept. Of either kind a container has its newest 10,000 lines.

Source: kubernetes v1.36 pkg/kubelet/kubelet_pods.go (validateContainerLogStatus) and
    pkg/registry/core/pod/strategy.go (LogLocation) for what is refused.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

import msgspec

from pilotfish.cluster.errors import StatusError, bad_request, not_found
from pilotfish.cluster.kinds import NODES, PODS
from pilotfish.cluster.kubelet.node_objects import micro_time
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.settings import KubeletSettings
from pilotfish.cluster.timestamps import seconds_of

KEPT_LINES: Final = 10_000


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One line, without its end."""

    time: float
    text: str

    def render(self, *, timestamps: bool) -> bytes:
        """Write the line as the API answers it."""
        stamp = f"{micro_time(self.time)} " if timestamps else ""
        return f"{stamp}{self.text}\n".encode()


class LogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are wanted."""

    container: str = ""
    """Empty: the only one."""
    previous: bool = False
    """Of the container that ended last."""
    since: float | None = None
    """Lines from this time on, in seconds since the epoch."""
    tail_lines: int | None = None
    """At most so many of the newest lines there are at first."""


class _Container(msgspec.Struct, frozen=True):
    """A container's run, whose log is read."""

    id: str
    name: str
    image: str
    started_at: float
    finished_at: float | None
    exit_code: int


class Logs:
    """The logs of all containers."""

    def __init__(self, client: LoopbackClient, settings: KubeletSettings) -> None:
        self._client = client
        self._settings = settings
        self._kept: dict[tuple[str, str], deque[LogLine]] = {}

    def keep(self, uid: str, container: str) -> deque[LogLine]:
        """Simulate no lines of a container that is a process; its own are kept."""
        return self._kept.setdefault((uid, container), deque(maxlen=KEPT_LINES))

    def append(self, uid: str, container: str, text: str, now: float) -> None:
        """Keep a line that a container of a pod really wrote."""
        self.keep(uid, container).append(LogLine(now, text))

    def forget(self, uid: str) -> None:
        """Drop the lines of a pod that is gone."""
        for key in [key for key in self._kept if key[0] == uid]:
            del self._kept[key]

    def has_node(self, namespace: str, name: str, options: LogOptions) -> bool:
        """Say whether the pod has a node, without which nobody could write its log.

        Raises:
            StatusError: There is no such pod or container.
        """
        pod = self._client.get(PODS, namespace, name)
        if pod is None:
            raise not_found(PODS, name)
        _container_name(pod, options.container)
        return bool(pod["spec"].get("nodeName"))

    def reader(self, namespace: str, name: str, options: LogOptions, now: float) -> LogReader:
        """Open a container's log.

        Raises:
            StatusError: There is no such pod or container, or it has no log yet.
        """
        pod = self._client.get(PODS, namespace, name)
        if pod is None:
            raise not_found(PODS, name)
        node = pod["spec"].get("nodeName", "")
        if self._client.store.get(NODES.storage, "", node) is None:
            raise not_found(PODS, node)  # as upstream says it
        container = _find(pod, _container_name(pod, options.container), previous=options.previous)
        return LogReader(self, pod["metadata"], container, options, now)

    def lines(self, uid: str, container: _Container, start: float, end: float) -> list[LogLine]:
        """Give a container's lines from a time on, and before another."""
        return list(self._lines(uid, container, start, end))

    def is_over(self, namespace: str, name: str, uid: str, container: _Container) -> bool:
        """Say whether a container's run has ended."""
        pod = self._client.get(PODS, namespace, name)
        if pod is None or pod["metadata"]["uid"] != uid or container.finished_at is not None:
            return True
        found = _status(pod, container.name)
        return found.get("containerID") != container.id or "running" not in found["state"]

    def next_time(self, uid: str, container: _Container, now: float) -> float | None:
        """Give when a simulated container writes its next line; None for real ones."""
        if (period := self.period(uid, container.name)) is None:
            return None
        count = math.floor((now - container.started_at) / period) + 1
        return container.started_at + count * period

    def period(self, uid: str, name: str) -> float | None:
        """Give how often a simulated container writes; None for real ones."""
        return None if (uid, name) in self._kept else self._settings.log_seconds

    def _lines(
        self, uid: str, container: _Container, start: float, end: float
    ) -> Iterator[LogLine]:
        kept = self._kept.get((uid, container.name))
        if kept is not None:
            begin, until = max(start, container.started_at), container.finished_at
            stop = end if until is None else min(end, until + 1.0)
            recent = takewhile(lambda line: line.time >= begin, reversed(kept))
            yield from reversed([line for line in recent if line.time < stop])
            return
        period, began = self._settings.log_seconds, container.started_at
        stop = end if container.finished_at is None else min(end, container.finished_at)
        last = math.ceil((stop - began) / period)
        first = max(0, last - KEPT_LINES, math.ceil((start - began) / period))
        for count in range(first, last):
            text = (
                f"still running, {count * period:.12g} s" if count else f"{container.image} started"
            )
            yield LogLine(began + count * period, f"{container.name}: {text} (simulated)")
        finished = container.finished_at
        if finished is not None and start <= finished < end:
            text = f"{container.name}: ended with exit code {container.exit_code} (simulated)"
            yield LogLine(finished, text)


class LogReader:
    """One reader's place in a container's log: each line once, in order of time."""

    def __init__(
        self,
        logs: Logs,
        metadata: JsonObject,
        container: _Container,
        options: LogOptions,
        now: float,
    ) -> None:
        self._logs = logs
        self._uid: str = metadata["uid"]
        self._key: tuple[str, str] = (metadata["namespace"], metadata["name"])
        self._container = container
        self._position = -math.inf if options.since is None else options.since
        self._tail = options.tail_lines
        self._position = max(self._position, container.started_at)
        if self._tail is not None:
            self._skip_to_tail(self._tail, now)

    def take(self, now: float) -> list[LogLine]:
        """Give the lines until now that were not given yet."""
        end = math.nextafter(now, math.inf)
        lines = self._logs.lines(self._uid, self._container, self._position, end)
        self._position = max(self._position, end)
        if self._tail is not None:
            lines, self._tail = lines[len(lines) - min(self._tail, len(lines)) :], None
        return lines

    def next_time(self, now: float) -> float | None:
        """Give when there is a next line; None where only the container knows."""
        return self._logs.next_time(self._uid, self._container, now)

    def is_over(self) -> bool:
        """Say whether no more lines will come: the container has ended, or its pod is gone."""
        return self._logs.is_over(*self._key, self._uid, self._container)

    def _skip_to_tail(self, tail: int, now: float) -> None:
        """Start where at least `tail` lines are left, without making up all before them."""
        period = self._logs.period(self._uid, self._container.name)
        end = now if self._container.finished_at is None else self._container.finished_at
        if period is not None:
            self._position = max(self._position, end - (tail + 1) * period)


def _container_name(pod: JsonObject, wanted: str) -> str:
    spec, name = pod["spec"], pod["metadata"]["name"]
    names = [c["name"] for c in spec["containers"]]
    inits = [c["name"] for c in spec.get("initContainers") or ()]
    if wanted in names or wanted in inits:
        return wanted
    if wanted:
        raise bad_request(f"container {wanted} is not valid for pod {name}")
    if len(names) == 1:
        return str(names[0])
    text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
    if inits:
        text += f" or one of the init containers: [{' '.join(inits)}]"
    raise bad_request(text)


def _find(pod: JsonObject, name: str, *, previous: bool) -> _Container:
    status = _status(pod, name)
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    if previous:
        if last is None:
            raise _refusal(pod, "previous terminated container", name, "not found")
        return _ended(name, status, last)
    if running := state.get("running"):
        began = seconds_of(running["startedAt"])
        return _Container(status["containerID"], name, status["image"], began, None, 0)
    if ended := state.get("terminated") or last:
        return _ended(name, status, ended)
    reason = (state.get("waiting") or {}).get("reason", "ContainerCreating")
    why = {
        "ErrImagePull": "image can't be pulled",
        "ImagePullBackOff": "trying and failing to pull image",
    }.get(reason, reason)
    raise _refusal(pod, "container", name, f"is waiting to start: {why}")


def _status(pod: JsonObject, name: str) -> JsonObject:
    status = pod.get("status") or {}
    every = [
        *(status.get("containerStatuses") or ()),
        *(status.get("initContainerStatuses") or ()),
    ]
    return next((s for s in every if s["name"] == name), {})


def _ended(name: str, status: JsonObject, how: JsonObject) -> _Container:
    return _Container(
        how.get("containerID", ""),
        name,
        status["image"],
        seconds_of(how["startedAt"]),
        seconds_of(how["finishedAt"]),
        how["exitCode"],
    )


def _refusal(pod: JsonObject, what: str, name: str, why: str) -> StatusError:
    return bad_request(f'{what} "{name}" in pod "{pod["metadata"]["name"]}" {why}')
