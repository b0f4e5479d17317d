"""The words about nodes of which none fits: upstream's, exactly, since people search for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import numpy as np

from pilotfish.framework.profile_results import RejectedBy

NO_NODES: Final = "no nodes available to schedule pods"


def fit_message(nodes: int, rejections: Iterable[RejectedBy]) -> str:
    """Say why none of the nodes is feasible.

    Reasons are counted over all plugins and sorted as text, so that "10 x" comes before "2 y". A
    pod that `pre_filter` rejected as a whole has that reason alone.

    Source: kubernetes v1.36 pkg/scheduler/framework/types.go (FitError),
        pkg/scheduler/schedule_one.go (ErrNoNodesAvailable).
    """
    if not nodes:
        return NO_NODES
    counts: Counter[str] = Counter()
    whole: list[str] = []
    for rejection in rejections:
        if rejection.mask is None:
            whole.append(rejection.reason)
        else:
            counts[rejection.reason] += int(np.count_nonzero(rejection.mask))
    reasons = whole or sorted(f"{count} {reason}" for reason, count in counts.items())
    said = f" {', '.join(reasons)}." if reasons else ""
    return f"0/{nodes} nodes are available:{said}"
