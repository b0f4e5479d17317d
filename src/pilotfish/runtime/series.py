"""Series: counters, gauges and histograms that cost next to nothing until somebody asks for them.

prometheus-client writes them; its own ones take a lock and three to seven times as long a value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest


class CounterSeries:
    """Counts, by labels; one without labels is there from the start."""

    def __init__(self, name: str, about: str, *labels: str) -> None:
        self._name = name
        self._about = about
        self._labels = labels
        self.values: Counter[tuple[str, ...]] = Counter()
        if not labels:
            self.values[()] = 0

    def inc(self, *labels: str) -> None:
        """Count one more."""
        self.values[labels] += 1

    def family(self) -> Metric:
        """Return what there is now."""
        family = CounterMetricFamily(self._name, self._about, labels=self._labels)
        for labels, value in self.values.items():
            family.add_metric(labels, value)
        return family


class HistogramSeries:
    """Sorts values into buckets, by labels; one without labels is there from the start.

    Args:
        name: of the metric.
        about: what it tells.
        bounds: of the buckets, each included, in order; the last one has none.
        *labels: their names.
    """

    def __init__(self, name: str, about: str, bounds: Sequence[float], *labels: str) -> None:
        self._name = name
        self._about = about
        self._labels = labels
        self._bounds = bounds
        self._texts = [*map(_go_float, bounds), "+Inf"]
        self._cells: dict[tuple[str, ...], list[float]] = {}  # a count for each bucket, the sum
        if not labels:
            self._start(())

    def observe(self, value: float, *labels: str) -> None:
        """Take a value."""
        cells = self._cells.get(labels) or self._start(labels)
        cells[bisect_left(self._bounds, value)] += 1
        cells[-1] += value

    def family(self) -> Metric:
        """Return what there is now."""
        family = HistogramMetricFamily(self._name, self._about, labels=self._labels)
        for labels, (*counts, total) in self._cells.items():
            buckets = list(zip(self._texts, accumulate(counts), strict=True))
            family.add_metric(labels, buckets, total)
        return family

    def _start(self, labels: tuple[str, ...]) -> list[float]:
        self._cells[labels] = cells = [0.0] * (len(self._bounds) + 2)
        return cells


def gauge(
    name: str, about: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]
) -> Metric:
    """Make a gauge from what it is now."""
    family = GaugeMetricFamily(name, about, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def doubling(first: float, count: int) -> tuple[float, ...]:
    """Return bounds of which each is twice the one before."""
    return tuple(first * 2.0**i for i in range(count))


def render(families: Iterable[Metric]) -> bytes:
    """Write metrics in Prometheus's text format."""
    return generate_latest(_Collected(families))


class _Collected:
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Hand over what was collected."""
        return self._families


def _go_float(value: float) -> str:
    """Write a bound as Go does, so that it is the same label value."""
    return repr(value).removesuffix(".0")
