"""A run: what was measured of one scheduler with one sequence of arrivals."""

from __future__ import annotations

import statistics
from collections import Counter

import msgspec

from pilotfish.compare.contenders import Contender
from pilotfish.compare.heard import Heard
from pilotfish.compare.pod_times import PodTimes
from pilotfish.compare.traffic import Traffic


class Run(msgspec.Struct, kw_only=True):
    """What was measured; None stands for what could not be seen.

    Attributes:
        repetition: from 1.
        place: which one it was of its repetition, from 1: the order alternates.
        pods: those of the workload, without the warm-up.
        wall_seconds: from the first arrival to the end.
        cpu_seconds: of the scheduler's process in that time.
        peak_bytes: of its resident memory, since its start.
        traffic: its requests in that time.
        heard: what it said of itself in that time.
        events: Kubernetes Events about the pods, by reason; counted when the run is complete.
        trouble: why the run is not complete; empty for a complete one.
    """

    contender: Contender
    repetition: int
    place: int
    started_at: str = ""
    pods: list[PodTimes] = msgspec.field(default_factory=list)
    wall_seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    traffic: Traffic | None = None
    heard: Heard | None = None
    events: Counter[str] | None = None
    nodes: int = 0
    trouble: str = ""

    @property
    def succeeded(self) -> int:
        """How many pods ran."""
        return sum(pod.running is not None for pod in self.pods)

    @property
    def bound_per_second(self) -> float | None:
        """Pods bound a second, between the first and the last bind."""
        times = sorted(pod.bound for pod in self.pods if pod.bound is not None)
        if len(times) <= 1 or times[-1] == times[0]:
            return None
        return (len(times) - 1) / (times[-1] - times[0])

    @property
    def imbalance(self) -> float | None:
        """Standard deviation of the pods a node, over their mean: 0 is even."""
        counts = Counter(pod.node for pod in self.pods if pod.node)
        if not counts or not self.nodes:
            return None
        everywhere = [*counts.values(), *[0] * (self.nodes - len(counts))]
        return statistics.pstdev(everywhere) / statistics.fmean(everywhere)

    def seconds(self, latency: str) -> list[float]:
        """Return a latency of each pod of which both ends were seen.

        Args:
            latency: "detected", "bound" or "running", each since the creation; or "started", from
                bound to running.
        """
        if latency == "started":
            ends = [(pod.bound, pod.running) for pod in self.pods]
        else:
            ends = [(pod.created, getattr(pod, latency)) for pod in self.pods]
        return [end - begin for begin, end in ends if begin is not None and end is not None]
