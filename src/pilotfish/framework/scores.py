"""Normalisation: a plugin's numbers become scores from 0 to 100, over the feasible nodes only."""

from __future__ import annotations

import numpy as np

from pilotfish.framework.arrays import MAX_NODE_SCORE, Mask, Scores


def most_is_best(raw: Scores, feasible: Mask) -> Scores:
    """Scale so that the largest raw number of a feasible node scores 100.

    Args:
        raw: int64[N], non-negative.
        feasible: bool[N], the nodes over which the largest is taken.

    Returns:
        int64[N] in 0..100 where feasible; all 0 when every raw number is zero. Truncates toward
        zero.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/helper/normalize_score.go.
    """
    highest = int(np.max(raw, where=feasible, initial=0))
    return raw * MAX_NODE_SCORE // highest if highest else np.zeros_like(raw)


def fewest_is_best(raw: Scores, feasible: Mask) -> Scores:
    """Map counts to scores, the smallest count highest.

    Args:
        raw: int64[N], non-negative.
        feasible: bool[N], the nodes over which the highest count is taken.

    Returns:
        int64[N] in 0..100 where feasible; all 100 when every count is zero. Truncates toward zero.

    Source: kubernetes v1.36 pkg/scheduler/framework/plugins/helper/normalize_score.go,
        reverse=true.
    """
    return MAX_NODE_SCORE - most_is_best(raw, feasible)
