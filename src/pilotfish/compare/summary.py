"""Summary: the figures of all runs, one column a scheduler, as every output shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from pilotfish.compare.run import Run
from pilotfish.compare.statistics import QUANTILES, Estimate, mean, quantiles

NOT_MEASURED: Final = "not measured"
SELF_REPORTED: Final = " *"  # after the name of a figure that the scheduler said of itself
LATENCIES: Final = {
    "bound": "creation to bound",
    "started": "bound to running",
    "running": "creation to running",
    "detected": "creation to detected",
}


class Figure(msgspec.Struct, frozen=True):
    """One row: a figure of each scheduler.

    Attributes:
        values: in the order of the schedulers.
    """

    name: str
    values: tuple[str, ...]


def labels_of(runs: Sequence[Run]) -> list[str]:
    """List the schedulers in the order of their first run."""
    return list(dict.fromkeys(run.contender.label for run in runs))


def summarise(runs: Sequence[Run]) -> list[Figure]:
    """Make the rows of the summary table."""
    columns = [[run for run in runs if run.contender.label == one] for one in labels_of(runs)]
    return [
        Figure(name, tuple(figure(column) for column in columns)) for name, figure in _figures()
    ]


def requests_by_kind(runs: Sequence[Run]) -> list[Figure]:
    """Make the rows of the table of requests, the most frequent first."""
    columns = [[run for run in runs if run.contender.label == one] for one in labels_of(runs)]
    totals = [_requests(column) for column in columns]
    kinds = Counter[str]()
    for total in totals:
        kinds.update(total or {})
    rows = []
    for kind, _ in kinds.most_common():
        values = (
            NOT_MEASURED if total is None else f"{total[kind] / max(_placed(column), 1):.2f}"
            for total, column in zip(totals, columns, strict=True)
        )
        rows.append(Figure(kind, tuple(values)))
    return rows


def _figures() -> Iterator[tuple[str, Callable[[Sequence[Run]], str]]]:
    yield "runs that are complete", lambda runs: _share(sum(not r.trouble for r in runs), len(runs))
    yield "pods that ran", lambda runs: _share(_placed(runs), sum(len(r.pods) for r in runs))
    for latency in ("bound", "started", "running"):
        yield from _latency_figures(latency, "")
    yield "pods bound a second", lambda runs: _mean([r.bound_per_second for r in runs], "{:.1f}")
    yield "requests a pod", lambda runs: _per_pod(runs, _requests_of)
    yield "requests a second", _requests_a_second
    yield "kB received a pod", lambda runs: _per_pod(runs, _kilobytes)
    yield "CPU ms a pod", lambda runs: _per_pod(runs, _cpu_milliseconds)
    yield "CPU, share of a core", _cpu_share
    yield "peak memory MB", lambda runs: _mean([_megabytes(r) for r in runs], "{:.0f}")
    yield "Events a pod", lambda runs: _per_pod(runs, _events)
    yield "imbalance of nodes", lambda runs: _mean([r.imbalance for r in runs], "{:.2f}")
    yield from _latency_figures("detected", SELF_REPORTED)
    yield f"polling cycles{SELF_REPORTED}", lambda runs: _heard(runs, "cycles")
    yield f"cycles that found nothing{SELF_REPORTED}", lambda runs: _heard(runs, "empty_cycles")
    yield f"detections a pod{SELF_REPORTED}", lambda runs: _per_pod(runs, _detections)
    yield f"watch: added{SELF_REPORTED}", lambda runs: _heard(runs, "added")
    yield f"watch: updated{SELF_REPORTED}", lambda runs: _heard(runs, "updated")


def _latency_figures(
    latency: str, mark: str
) -> Iterator[tuple[str, Callable[[Sequence[Run]], str]]]:
    def average(runs: Sequence[Run]) -> str:
        return _mean([1000 * s for run in runs for s in run.seconds(latency)], "{:.0f}")

    yield f"{LATENCIES[latency]}, mean ms{mark}", average
    for quantile in QUANTILES:

        def figure(runs: Sequence[Run], quantile: int = quantile) -> str:
            estimates = quantiles([run.seconds(latency) for run in runs])
            return _milliseconds(estimates[quantile]) if estimates else NOT_MEASURED

        yield f"{LATENCIES[latency]}, p{quantile} ms{mark}", figure


def _milliseconds(estimate: Estimate) -> str:
    value, low, high = (1000 * x for x in (estimate.value, estimate.low, estimate.high))
    return f"{value:.0f} ({low:.0f} to {high:.0f})"


def _share(some: int, everything: int) -> str:
    return f"{some} of {everything}"


def _placed(runs: Sequence[Run]) -> int:
    return sum(run.succeeded for run in runs)


def _mean(values: Sequence[float | None], form: str) -> str:
    average = mean([value for value in values if value is not None])
    return NOT_MEASURED if average is None else form.format(average)


def _per_pod(runs: Sequence[Run], of: Callable[[Run], float | None]) -> str:
    pairs = [(value, run.succeeded) for run in runs if (value := of(run)) is not None]
    pods = sum(pods for _, pods in pairs)
    return f"{sum(value for value, _ in pairs) / pods:.2f}" if pods else NOT_MEASURED


def _requests(runs: Sequence[Run]) -> Counter[str] | None:
    counted = [run.traffic.requests for run in runs if run.traffic is not None]
    return sum(counted, Counter()) if counted else None


def _requests_of(run: Run) -> float | None:
    return None if run.traffic is None else float(run.traffic.requests.total())


def _requests_a_second(runs: Sequence[Run]) -> str:
    rates = [
        run.traffic.requests.total() / run.wall_seconds
        for run in runs
        if run.traffic is not None and run.wall_seconds
    ]
    return _mean(rates, "{:.2f}")


def _events(run: Run) -> float | None:
    return None if run.events is None else float(run.events.total())


def _kilobytes(run: Run) -> float | None:
    return None if run.traffic is None else run.traffic.bytes_received / 1000


def _cpu_milliseconds(run: Run) -> float | None:
    return None if run.cpu_seconds is None else 1000 * run.cpu_seconds


def _cpu_share(runs: Sequence[Run]) -> str:
    shares = [
        100 * run.cpu_seconds / run.wall_seconds
        for run in runs
        if run.cpu_seconds is not None and run.wall_seconds
    ]
    return _mean(shares, "{:.1f} %")


def _megabytes(run: Run) -> float | None:
    return None if run.peak_bytes is None else run.peak_bytes / 1e6


def _heard(runs: Sequence[Run], name: str) -> str:
    said = [getattr(run.heard, name) for run in runs if run.heard is not None and run.heard.spoke]
    return _mean(said, "{:.0f}")


def _detections(run: Run) -> float | None:
    if run.heard is None or not run.heard.spoke:
        return None
    return float(run.heard.detections.total())
