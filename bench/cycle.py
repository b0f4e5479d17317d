"""Measure the CPU time of scheduling cycles against limits and a stored baseline.

    make bench-cycle
    .venv/bin/python bench/cycle.py --update    # after a change that is meant
    .venv/bin/python bench/cycle.py --quick     # few rounds, with slack; CI runs it

A cycle is all that the core does for one pod: the pending pod arrives and is queued, every plugin
of the default profile filters and scores every node, the pod is assumed, its bind is answered, and
the watch shows it bound. Each pod is new: its name, its uid and one of its labels are its own.
A preemption is an attempt that finds no room and chooses victims among 10 pods on every node.

Machines and hours differ, so all times are CPU times relative to a loop of Python and NumPy that
is measured in between; milliseconds are those of the machine of the baseline, `cycle.json`.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from msgspec.structs import replace

import workload
from pilotfish.api.pod import Pod
from pilotfish.core.decision import Decision
from pilotfish.core.effects import Bind, EvictPod
from pilotfish.core.inputs import Applied, BindAnswered, Deleted, EvictionAnswered
from pilotfish.core.scheduler import Scheduler

HERE: Final = Path(__file__).resolve().parent
BASELINE: Final = HERE / "cycle.json"
SMALL, LARGE = 5_000, 20_000
MOST_GROWTH: Final = 4.5  # from SMALL to LARGE, which is four times as large
MOST_CHANGE: Final = 1.5  # of the baseline
QUICK_SLACK: Final = 2.0  # other processes take caches and clock from a short measurement
CALIBRATION: Final = "calibration"  # its milliseconds
MOST_MB: Final = 250.0
MEMORY: Final = "MB, 5,000 nodes and 50,000 pods"
LIMITS: Final = {
    "plain, 5,000 nodes": 0.5,
    "spread, 5,000 nodes": 1.0,
    "affinity, 5,000 nodes": 2.0,
    "anti-affinity, 5,000 nodes": 2.0,
    "preemption, 1,000 nodes": 10.0,
    "preemption, 5,000 nodes": 40.0,
}
"""Milliseconds on the machine of the baseline."""


class Effort(NamedTuple):
    """How often something is measured, and which of the batches' medians counts."""

    batches: int
    rounds: int
    chosen: Callable[[list[float]], float]


THOROUGH, QUICK = Effort(15, 20, statistics.median), Effort(5, 8, min)


COLUMNS: Final = np.arange(1, 20 * SMALL + 1, dtype=np.int64).reshape(20, SMALL)


def calibration() -> float:
    """Return the CPU seconds of a fixed piece of work: half of it Python, half NumPy on 0.8 MB."""
    began = time.process_time()
    total = np.zeros(SMALL, dtype=np.int64)
    for i, column in enumerate(COLUMNS):
        total += (column > i) * (column * 100 // (column + i))
    counts: dict[str, tuple[int, str]] = {}
    for i in range(1_000):
        counts[f"key-{i % 100}"] = (i, "value")
    return time.process_time() - began


class Clock:
    """Measures in units of the calibration.

    Attributes:
        units: the CPU seconds of each calibration so far.
    """

    def __init__(self, effort: Effort) -> None:
        self._effort = effort
        self.units: list[float] = []

    def relative(self, work: Callable[[int], float]) -> float:
        """Return the cost of some work: the chosen one of the batches' medians."""
        rounds = self._effort.rounds
        ratios: list[float] = []
        for batch in range(self._effort.batches + 1):
            numbers = range(batch * rounds, (batch + 1) * rounds)
            units, times = zip(*((calibration(), work(number)) for number in numbers), strict=True)
            ratios.append(statistics.median(times) / statistics.median(units))
            self.units += units
        return self._effort.chosen(ratios[1:])  # the first one warms up


def cycle(scheduler: Scheduler, pod: Pod) -> Callable[[int], float]:
    """Return what places a pod like this one and then takes it away; only the first is timed."""

    def work(number: int) -> float:
        fresh = another(pod, number)
        began = time.process_time()
        scheduler.handle(Applied("pods", fresh), 0.0)
        effects, _ = scheduler.decide(0.0, 1)
        (bind,) = (effect for effect in effects if isinstance(effect, Bind))
        scheduler.handle(BindAnswered(bind.uid, bind.node_name, "bound", 201), 0.0)
        bound = replace(fresh, spec=replace(fresh.spec, node_name=bind.node_name))
        scheduler.handle(Applied("pods", bound), 0.0)
        taken = time.process_time() - began
        scheduler.handle(Deleted("pods", bound), 0.0)
        return taken

    return work


def preemption(scheduler: Scheduler) -> Callable[[int], float]:
    """Return what lets a pod look for victims, and takes it away before it evicts them."""

    def work(number: int) -> float:
        fresh = another(workload.PREEMPTOR, number)
        scheduler.handle(Applied("pods", fresh), 0.0)
        began = time.process_time()
        effects, _ = scheduler.decide(0.0, 1)
        taken = time.process_time() - began
        (decision,) = (effect for effect in effects if isinstance(effect, Decision))
        if not decision.victims:
            raise RuntimeError(f"no victims: {decision.message}")
        scheduler.handle(Deleted("pods", fresh), 0.0)
        for effect in effects:
            if isinstance(effect, EvictPod):
                scheduler.handle(EvictionAnswered(effect.uid, "failed"), 0.0)
        return taken

    return work


def another(pod: Pod, number: int) -> Pod:
    """Make a new pod of the same kind."""
    name = f"{pod.name}-{number}"
    labels = {**pod.labels, "instance": name}
    return replace(pod, metadata=replace(pod.metadata, name=name, uid=name, labels=labels))


def measure(clock: Clock) -> dict[str, float]:
    """Measure everything, in units of the calibration; memory in MB."""
    found = {}
    for size in (SMALL, LARGE):
        print(f"a cluster of {size:,} nodes ...", flush=True)
        scheduler = workload.filled(size)
        _settle()
        for name, pod in workload.PODS.items():
            found[f"{name}, {size:,} nodes"] = clock.relative(cycle(scheduler, pod))
    for size in (SMALL // 5, SMALL):
        print(f"a cluster of {size:,} nodes without room ...", flush=True)
        scheduler = workload.full(size)
        _settle()
        found[f"preemption, {size:,} nodes"] = clock.relative(preemption(scheduler))
    print("the memory of a large cluster ...", flush=True)
    printed = subprocess.check_output([sys.executable, HERE / "memory.py"])
    found[MEMORY] = float(printed)
    return found


def _settle() -> None:
    """Keep the cluster out of garbage collections, as `pilotfish run` does."""
    gc.collect()
    gc.freeze()


class Row(NamedTuple):
    """One figure, what it was and what it may be, in milliseconds unless it says otherwise."""

    name: str
    now: float
    before: float | None
    limit: float | None

    def verdict(self, slack: float) -> str:
        """Say what is wrong with it; empty if nothing is."""
        if self.limit is not None and self.now > self.limit * slack:
            return "OVER"
        if self.before is not None and self.now > self.before * MOST_CHANGE * slack:
            return "WORSE"
        return ""


def rows(found: Mapping[str, float], baseline: Mapping[str, float]) -> list[Row]:
    """Compare what was found with the baseline and the limits."""
    unit_ms = baseline[CALIBRATION]
    table = [
        Row(name, units * unit_ms, _times(baseline.get(name), unit_ms), LIMITS.get(name))
        for name, units in found.items()
        if name != MEMORY
    ]
    for name in workload.PODS:
        small, large = f"{name}, {SMALL:,} nodes", f"{name}, {LARGE:,} nodes"
        growth = found[large] / found[small]
        before = baseline[large] / baseline[small] if large in baseline else None
        table.append(Row(f"{name}, growth to {LARGE:,} nodes", growth, before, MOST_GROWTH))
    table.append(Row(MEMORY, found[MEMORY], baseline.get(MEMORY), MOST_MB))
    return table


def _times(units: float | None, unit_ms: float) -> float | None:
    return None if units is None else units * unit_ms


def show(table: list[Row], slack: float) -> None:
    """Print one line a figure."""
    print(f"{'CPU ms':40}{'now':>8}{'baseline':>10}{'ratio':>7}{'limit':>8}")
    for row in table:
        before, ratio = ("", "") if row.before is None else _compared(row.now, row.before)
        limit = "" if row.limit is None else f"< {row.limit:g}"
        print(f"{row.name:40}{row.now:8.3g}{before:>10}{ratio:>7}{limit:>8}  {row.verdict(slack)}")


def _compared(now: float, before: float) -> tuple[str, str]:
    return f"{before:.3g}", f"{now / before:.2f}"


def main() -> int:
    """Measure as the command line says; 1 where a figure is too high."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--update", action="store_true", help="make the outcome the baseline")
    parser.add_argument("--quick", action="store_true", help="few rounds, and more slack")
    given = parser.parse_args()
    clock = Clock(QUICK if given.quick else THOROUGH)
    found = measure(clock)
    unit_ms = statistics.quantiles(clock.units, n=10)[0] * 1000  # as without other processes
    if given.update:
        rounded = {name: float(f"{value:.3g}") for name, value in found.items()}
        BASELINE.write_text(json.dumps({CALIBRATION: unit_ms, **rounded}, indent=2) + "\n")
    baseline = json.loads(BASELINE.read_text())
    table = rows(found, baseline)
    slack = QUICK_SLACK if given.quick else 1.0
    show(table, slack)
    print(f"the calibration took {unit_ms / baseline[CALIBRATION]:.2f} of its time there")
    return int(any(row.verdict(slack) for row in table))


if __name__ == "__main__":
    sys.exit(main())
