"""Metrics of a running scheduler, under upstream's names where they mean the same.

Source: kubernetes v1.36 pkg/scheduler/metrics/metrics.go,
    staging/src/k8s.io/component-base/metrics/prometheus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from prometheus_client import ProcessCollector
from prometheus_client.core import Metric

from pilotfish.core.attempt_timer import Result
from pilotfish.core.decision import Decision
from pilotfish.core.effects import Record
from pilotfish.core.scheduler import Scheduler
from pilotfish.queue.queued_pod_info import QueuedPodInfo
from pilotfish.runtime.series import CounterSeries, HistogramSeries, doubling, gauge

MANY_ATTEMPTS = 15  # from here on they share one label value
REQUEST_BOUNDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)


ABOUT: Final = {
    "scheduler_schedule_attempts_total": "Attempts to place a pod, by what came of them.",
    "scheduler_scheduling_attempt_duration_seconds": (
        "Length of an attempt, with the binding for pods that were scheduled."
    ),
    "scheduler_scheduling_algorithm_duration_seconds": (
        "Length of a scheduling cycle: filters, scores, and preemption where there was any."
    ),
    "scheduler_pod_scheduling_sli_duration_seconds": (
        "Time from the beginning of a pod's first attempt until it was bound."
    ),
    "scheduler_pod_scheduling_attempts": "Attempts that a pod took until it was bound.",
    "scheduler_framework_extension_point_duration_seconds": (
        "Time that all plugins of an extension point took together."
    ),
    "scheduler_preemption_attempts_total": "Pods for which preemption was considered.",
    "scheduler_preemption_victims": "Pods that were chosen to be evicted for one other.",
    "scheduler_queue_incoming_pods_total": "Pods that came to a queue, by what brought them there.",
    "scheduler_pending_pods": "Pods that wait, by where they do.",
    "scheduler_unschedulable_pods": (
        "Pods that wait because a plugin rejected them; one pod counts for each such plugin."
    ),
    "scheduler_cache_size": (
        "What the cache holds; assumed pods are those whose binding is not confirmed."
    ),
    "rest_client_requests_total": "Requests to the API server.",
    "rest_client_request_duration_seconds": "Time until the API server's answer began.",
    "leader_election_master_status": "Whether this process holds the Lease (1) or stands by (0).",
}
"""What each metric tells."""


class Metrics:
    """Measures one scheduler: its timer, an observer of its records and of its requests.

    Args:
        server: the API server's URL.
        clock: monotonic seconds.
    """

    def __init__(self, server: str, clock: Callable[[], float]) -> None:
        self._host = urlsplit(server).netloc
        self._clock = clock
        self._lap_at = 0.0
        self._profile = ""
        self.leads: dict[str, float] = {}
        """Whether this process holds a Lease, by the Lease's name."""
        self._process = ProcessCollector(registry=None)
        seconds = doubling(0.001, 15)
        name = "scheduler_schedule_attempts_total"
        self._attempts = _counter(name, "result", "profile")
        name = "scheduler_scheduling_attempt_duration_seconds"
        self._attempt_seconds = _histogram(name, seconds, "result", "profile")
        name = "scheduler_scheduling_algorithm_duration_seconds"
        self._algorithm_seconds = _histogram(name, seconds)
        name = "scheduler_pod_scheduling_sli_duration_seconds"
        self._pod_seconds = _histogram(name, doubling(0.01, 20), "attempts")
        name = "scheduler_pod_scheduling_attempts"
        self._pod_attempts = _histogram(name, doubling(1.0, 5))
        name = "scheduler_framework_extension_point_duration_seconds"
        labels = ("extension_point", "status", "profile")
        self._extension_point_seconds = _histogram(name, doubling(0.0001, 12), *labels)
        self._preemption_attempts = _counter("scheduler_preemption_attempts_total")
        self._victims = _histogram("scheduler_preemption_victims", doubling(1.0, 7))
        self._requests = _counter("rest_client_requests_total", "code", "method", "host")
        name = "rest_client_request_duration_seconds"
        self._request_seconds = _histogram(name, REQUEST_BOUNDS, "verb", "host")

    # -- the timer

    def start(self, info: QueuedPodInfo) -> None:
        """Begin an attempt."""
        self._lap_at = info.attempt_at = self._clock()
        if info.first_attempt_at is None:
            info.first_attempt_at = info.attempt_at
        self._profile = info.pod.spec.scheduler_name

    def lap(self, extension_point: str, status: str) -> None:
        """End an extension point."""
        now = self._clock()
        seconds, self._lap_at = now - self._lap_at, now
        self._extension_point_seconds.observe(seconds, extension_point, status, self._profile)
        if extension_point == "PostFilter":
            self._preemption_attempts.inc()

    def decided(self, info: QueuedPodInfo) -> None:
        """End a scheduling cycle."""
        self._algorithm_seconds.observe(self._clock() - info.attempt_at)

    def stop(self, info: QueuedPodInfo, result: Result) -> None:
        """End an attempt."""
        profile, now = info.pod.spec.scheduler_name, self._clock()
        self._attempts.inc(result, profile)
        self._attempt_seconds.observe(now - info.attempt_at, result, profile)
        if result == "scheduled":
            attempts = str(info.attempts) if info.attempts < MANY_ATTEMPTS else f"{MANY_ATTEMPTS}+"
            self._pod_attempts.observe(info.attempts)
            self._pod_seconds.observe(now - (info.first_attempt_at or now), attempts)

    # -- observers

    def observe(self, record: Record) -> None:
        """Take a record."""
        if isinstance(record, Decision) and record.victims:
            self._victims.observe(len(record.victims))

    def requested(self, method: str, code: str, seconds: float) -> None:
        """Take a request that was sent."""
        self._requests.inc(code, method, self._host)
        self._request_seconds.observe(seconds, method, self._host)

    # -- what there is

    def families(self, scheduler: Scheduler) -> Iterator[Metric]:
        """Yield everything as it is now."""
        queue = scheduler.queue
        for series in (
            self._attempts,
            self._attempt_seconds,
            self._algorithm_seconds,
            self._pod_seconds,
            self._pod_attempts,
            self._extension_point_seconds,
            self._preemption_attempts,
            self._victims,
            self._requests,
            self._request_seconds,
        ):
            yield series.family()
        incoming = _counter("scheduler_queue_incoming_pods_total", "queue", "event")
        incoming.values.update(queue.incoming)
        yield incoming.family()
        yield _gauge("scheduler_pending_pods", "queue", queue.counts())
        rejections: dict[tuple[str, ...], float] = dict(queue.rejections().items())
        name = "scheduler_unschedulable_pods"
        yield gauge(name, ABOUT[name], ("plugin", "profile"), rejections)
        yield _gauge("scheduler_cache_size", "type", scheduler.cache.counts())
        yield _gauge("leader_election_master_status", "name", self.leads)
        yield from self._process.collect()


def _counter(name: str, *labels: str) -> CounterSeries:
    return CounterSeries(name, ABOUT[name], *labels)


def _histogram(name: str, bounds: Sequence[float], *labels: str) -> HistogramSeries:
    return HistogramSeries(name, ABOUT[name], bounds, *labels)


def _gauge(name: str, label: str, values: Mapping[str, float]) -> Metric:
    return gauge(name, ABOUT[name], (label,), {(key,): value for key, value in values.items()})
