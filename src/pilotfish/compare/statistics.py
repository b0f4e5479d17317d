"""Quantiles of what was measured, with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

QUANTILES: Final = (50, 90, 99)
RESAMPLES: Final = 1000
CONFIDENCE_PERCENT: Final = 95


class Estimate(msgspec.Struct, frozen=True):
    """A figure, and the interval in which it would fall again with 95 % confidence."""

    value: float
    low: float
    high: float


def quantiles(samples: Sequence[Sequence[float]], seed: int = 0) -> dict[int, Estimate]:
    """Estimate p50, p90 and p99 over several runs.

    The interval is a bootstrap in two steps, runs and then pods in them, since the pods of one run
    share its fate: the phase of a poll, a busy machine.

    Args:
        samples: the values of each run.
        seed: of the resampling.

    Returns:
        By the quantile in percent; nothing without a value.
    """
    runs = [np.asarray(run, dtype=float) for run in samples if len(run)]
    if not runs:
        return {}
    rng = np.random.default_rng(seed)
    everything = np.concatenate(runs)
    sizes = np.array([len(run) for run in runs])
    begins = np.cumsum(sizes) - sizes
    chosen = rng.integers(len(runs), size=(RESAMPLES, len(runs)))
    run_of = chosen[:, np.arange(len(everything)) % len(runs)]  # intp[resamples, pods]
    pods = begins[run_of] + (rng.random(run_of.shape) * sizes[run_of]).astype(np.intp)
    drawn = np.percentile(everything[pods], QUANTILES, axis=1)
    values = np.percentile(everything, QUANTILES)
    tail = (100 - CONFIDENCE_PERCENT) / 2
    low, high = np.percentile(drawn, (tail, 100 - tail), axis=1)
    return {
        quantile: Estimate(float(values[i]), float(low[i]), float(high[i]))
        for i, quantile in enumerate(QUANTILES)
    }


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; None without a value."""
    return sum(values) / len(values) if values else None
