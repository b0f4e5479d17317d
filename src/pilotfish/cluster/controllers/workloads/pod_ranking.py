"""Which pods of a workload go first when there are too many.

Source: kubernetes v1.36 pkg/controller/controller_utils.go, ActivePodsWithRanks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cmp_to_key
from math import log2

from pilotfish.cluster.controllers.pod_index import PodInfo

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def victims(
    pods: Sequence[PodInfo], related: Iterable[PodInfo], count: int, now: float
) -> Sequence[PodInfo]:
    """Choose the pods to delete.

    Args:
        pods: The active pods of the workload.
        related: All pods of workloads with the same owner, by which crowding on a node is told.
        count: How many must go.
        now: Ages are compared on a logarithmic scale; equal ones are told apart by uid.
    """
    if count >= len(pods):
        return pods
    crowd = Counter(pod.node_name for pod in related if pod.is_active)

    def compare(a: PodInfo, b: PodInfo) -> int:
        return _compare(a, b, crowd, now)

    return sorted(pods, key=cmp_to_key(compare))[:count]


def _compare(a: PodInfo, b: PodInfo, crowd: Counter[str], now: float) -> int:
    first = _rank(a, crowd)
    second = _rank(b, crowd)
    if first != second:
        return -1 if first < second else 1
    if a.is_ready and a.ready_since != b.ready_since:
        return _younger_first(a.ready_since or 0, b.ready_since or 0, now) or _by_uid(a, b)
    if a.max_restarts != b.max_restarts:
        return b.max_restarts - a.max_restarts
    if a.created != b.created:
        return _younger_first(a.created, b.created, now) or _by_uid(a, b)
    return 0


def _rank(pod: PodInfo, crowd: Counter[str]) -> tuple[bool, int, bool, int, int]:
    return (
        bool(pod.node_name),
        _PHASES.get(pod.phase, 0),
        pod.is_ready,
        pod.deletion_cost,
        -crowd[pod.node_name],
    )


def _younger_first(a: float, b: float, now: float) -> int:
    return _logarithmic(now - a) - _logarithmic(now - b)


def _logarithmic(seconds: float) -> int:
    return int(log2(seconds * 1e9)) if seconds > 0 else -1


def _by_uid(a: PodInfo, b: PodInfo) -> int:
    return -1 if a.uid < b.uid else 1
