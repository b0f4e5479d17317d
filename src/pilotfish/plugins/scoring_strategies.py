"""How what is requested of a resource becomes a score, and how resources are averaged.

Source: kubernetes v1.36 pkg/scheduler/framework/plugins/noderesources/least_allocated.go,
    most_allocated.go, requested_to_capacity_ratio.go,
    pkg/scheduler/framework/plugins/helper/shape_score.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Protocol

import numpy as np

from pilotfish.framework.arrays import MAX_NODE_SCORE, Scores

MAX_UTILIZATION: Final = 100
SHAPE_SCALE: Final = 10  # a shape's scores go to 10, a node's to 100


class Strategy(Protocol):
    """One way to score requests."""

    def share(self, requested: Scores, allocatable: Scores) -> Scores:
        """int64[N] each: score one resource, 0..100; where nothing is allocatable, anything."""

    def mean(self, total: Scores, weights: Scores) -> Scores:
        """int64[N] each: divide the weighted sum of the shares by the sum of the weights."""

    def counts(self, share: Scores, allocatable: Scores) -> Scores:
        """int64[N], 0 or 1: whether a node's weights include this resource."""


class LeastAllocated:
    """The more is left, the better."""

    def share(self, requested: Scores, allocatable: Scores) -> Scores:
        """Score what is left; nothing where more is requested than there is."""
        left = np.maximum(allocatable - requested, 0)
        share: Scores = left * MAX_NODE_SCORE // np.maximum(allocatable, 1)
        return share

    def mean(self, total: Scores, weights: Scores) -> Scores:
        """Divide; fractions are dropped."""
        return total // np.maximum(weights, 1)

    def counts(self, _share: Scores, allocatable: Scores) -> Scores:
        """Count what the node has."""
        return (allocatable > 0).astype(np.int64)


class MostAllocated(LeastAllocated):
    """The less is left, the better."""

    def share(self, requested: Scores, allocatable: Scores) -> Scores:
        """Score what is requested, at most all that there is."""
        taken = np.minimum(requested, allocatable)
        return taken * MAX_NODE_SCORE // np.maximum(allocatable, 1)


class RequestedToCapacityRatio:
    """The score follows a line over the utilization.

    Args:
        shape: (utilization, score) of each point, 0..100 and 0..10; utilizations grow.
    """

    def __init__(self, shape: Sequence[tuple[int, int]]) -> None:
        if not shape:
            raise ValueError("RequestedToCapacityRatio needs a shape of one point or more")
        points = [(utilization, score * SHAPE_SCALE) for utilization, score in shape]
        line = [_on_line(points, utilization) for utilization in range(MAX_UTILIZATION + 1)]
        self._line = np.array(line, dtype=np.int64)  # int64[101]

    def share(self, requested: Scores, allocatable: Scores) -> Scores:
        """Look the utilization up; more than all that there is counts as all."""
        utilization = requested * MAX_UTILIZATION // np.maximum(allocatable, 1)
        share: Scores = self._line[np.minimum(utilization, MAX_UTILIZATION)]
        return share

    def mean(self, total: Scores, weights: Scores) -> Scores:
        """Divide; halves are rounded up."""
        weights = np.maximum(weights, 1)
        return (2 * total + weights) // (2 * weights)

    def counts(self, share: Scores, allocatable: Scores) -> Scores:
        """Count what the node has, and what scores anything."""
        return ((allocatable > 0) & (share > 0)).astype(np.int64)


def _on_line(points: Sequence[tuple[int, int]], utilization: int) -> int:
    if utilization <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if utilization <= x1:
            rise = (y1 - y0) * (utilization - x0)
            steps = abs(rise) // (x1 - x0)  # towards zero, as Go divides
            return y0 + (steps if rise >= 0 else -steps)
    return points[-1][1]
