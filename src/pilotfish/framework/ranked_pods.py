"""The pods of a node by importance, and as numbers: what preemption weighs them by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotfish.framework.pod_info import PodInfo

PRIORITY, STARTED, FIRST_REQUEST = range(3)  # rows of `amounts`
NOT_STARTED: Final = float("inf")  # it will start last


class RankedPods(msgspec.Struct, frozen=True):
    """The pods of one node, the most important first: by priority, then those that run for longer.

    Attributes:
        amounts: float64[2 + R, P]: priority, seconds of the start, then the requests by row of the
            table; no request is too large to be exact.
    """

    pods: tuple[PodInfo, ...]
    amounts: NDArray[np.float64]

    @staticmethod
    def of(pods: Iterable[PodInfo], resources: Mapping[str, int]) -> RankedPods:
        """Rank the pods of a node, for the resources that a table has rows for."""
        started = {pod.uid: _started(pod) for pod in pods}
        ranked = sorted(pods, key=lambda pod: (-pod.priority, started[pod.uid]))
        amounts = [
            (
                pod.priority,
                started[pod.uid],
                *(pod.shape.requests.get(name, 0) for name in resources),
            )
            for pod in ranked
        ]
        shape = (len(ranked), FIRST_REQUEST + len(resources))
        return RankedPods(tuple(ranked), np.array(amounts, dtype=np.float64).reshape(shape).T)


def _started(pod: PodInfo) -> float:
    if pod.start_time is None:
        return NOT_STARTED
    return datetime.fromisoformat(pod.start_time).timestamp()
