"""Compare pilotfish with kube-scheduler: same API server, same nodes, same pods, in turn.

    make bench
    .venv/bin/python bench/throughput.py --nodes 5000 --shape spread --shape affinity --rounds 3

Each measurement has a control plane of its own, with all pods created before the scheduler starts,
no kubelets and no controllers. Events are on. kube-scheduler's client limits are raised to 5,000/s,
since its default of 50/s is a rate limiter and not its speed. The rate is taken between the first
and the last bind that a watch shows; CPU and memory are the scheduler process's own, from its
start, so that few pods carry much of it.

The shapes of pods are those of upstream's scheduler_perf (SchedulingBasic, TopologySpreading,
SchedulingNodeAffinity, SchedulingPodAffinity, SchedulingPodAntiAffinity); all pods of a measurement
are alike.
"""

from __future__ import annotations

import argparse
import http.client
import os
import ssl
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "hack"))

from controlplane import ControlPlane, SchedulerOptions, node_manifest, pod_manifest

STALLED_SECONDS = 30.0
CAME_INTO_THE_SELECTION = b'{"type":"ADDED"'  # of bound pods: it was bound
FIGURES = ("pods/s", "CPU ms/pod", "peak RSS MB")
ZONE = "topology.kubernetes.io/zone"
LABELS = {"app": "measured"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def near(topology_key: str) -> dict[str, Any]:
    """Make an affinity term that selects the measured pods."""
    return {REQUIRED: [{"topologyKey": topology_key, "labelSelector": {"matchLabels": LABELS}}]}


@dataclass(frozen=True)
class Shape:
    """What all pods of a measurement look like.

    Attributes:
        spec: what their spec has beside a container.
        pods: how many there are unless the command line says otherwise.
        zones: how many zones the nodes are in.
        wanted: the ratios to reach, by figure: at least, for pods/s, else at most.
        wanted_rate_at_5000: the same for pods/s at 5,000 nodes and more, where it differs.
        is_one_a_node: whether a node takes one of them at most.
    """

    spec: Mapping[str, Any]
    pods: int = 1000
    zones: int = 10
    wanted: Mapping[str, float] = field(default_factory=lambda: {"pods/s": 2.0})
    wanted_rate_at_5000: float | None = None
    is_one_a_node: bool = False

    def wanted_at(self, nodes: int) -> Mapping[str, float]:
        """Return the ratios to reach with so many nodes."""
        if nodes < LARGE or self.wanted_rate_at_5000 is None:
            return self.wanted
        return {**self.wanted, "pods/s": self.wanted_rate_at_5000}


LARGE = 5000
SPREAD = {
    "maxSkew": 5,
    "topologyKey": ZONE,
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": {"matchLabels": LABELS},
}
TWO_ZONES = {"key": ZONE, "operator": "In", "values": ["zone-0", "zone-1"]}
NODE_AFFINITY = {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [TWO_ZONES]}]}}
SHAPES = {
    "plain": Shape({}, pods=5000, wanted={"pods/s": 1.7, "CPU ms/pod": 0.5, "peak RSS MB": 0.5}),
    "spread": Shape({"topologySpreadConstraints": [SPREAD]}, zones=3, wanted_rate_at_5000=3.0),
    "node-affinity": Shape({"affinity": {"nodeAffinity": NODE_AFFINITY}}),
    "affinity": Shape({"affinity": {"podAffinity": near(ZONE)}}, wanted_rate_at_5000=6.0),
    "anti-affinity": Shape(
        {"affinity": {"podAntiAffinity": near("kubernetes.io/hostname")}},
        wanted_rate_at_5000=3.0,
        is_one_a_node=True,
    ),
}


@dataclass(frozen=True)
class Result:
    """One measurement of one scheduler."""

    rate: float
    cpu_ms_per_pod: float
    peak_rss_mb: float

    def figures(self) -> dict[str, float]:
        """Return the figures by their printed names."""
        return dict(zip(FIGURES, (self.rate, self.cpu_ms_per_pod, self.peak_rss_mb), strict=True))


class Meter:
    """Counts binds as a watch shows them; it reads bytes and parses nothing."""

    def __init__(self, control_plane: ControlPlane, namespace: str, wanted: int) -> None:
        self.seen = 0
        self.first = self.last = 0.0
        self._wanted = wanted
        self._done = threading.Event()
        tls = ssl.create_default_context(cafile=str(control_plane.ca_file))
        address = urlsplit(control_plane.url).netloc
        self._connection = http.client.HTTPSConnection(address, context=tls)
        path = f"/api/v1/namespaces/{namespace}/pods?watch=1&fieldSelector=spec.nodeName!="
        headers = {"Authorization": f"Bearer {control_plane.admin_token}"}
        self._connection.request("GET", path, headers=headers)
        self._response = self._connection.getresponse()
        threading.Thread(target=self._count, daemon=True).start()

    def wait(self) -> None:
        """Wait for the last bind.

        Raises:
            TimeoutError: nothing was bound for a long time.
        """
        before = -1
        while not self._done.wait(STALLED_SECONDS):
            if self.seen == before:
                raise TimeoutError(f"stalled at {self.seen} of {self._wanted} pods")
            before = self.seen

    def _count(self) -> None:
        rest = b""
        while self.seen < self._wanted:
            chunk = self._response.read1(1 << 20)
            if not chunk:
                return
            window = rest + chunk
            fresh = window.count(CAME_INTO_THE_SELECTION)
            rest = window[1 - len(CAME_INTO_THE_SELECTION) :]
            if fresh:
                self.last = time.monotonic()
                self.first = self.first or self.last
                self.seen += fresh
        self._done.set()


@contextmanager
def pilotfish(control_plane: ControlPlane, options: list[str]) -> Iterator[int]:
    """Run pilotfish; yields its pid."""
    argv = [sys.executable, "-m", "pilotfish", "run", "--kubeconfig", str(control_plane.kubeconfig)]
    argv += ["--scheduler-name", "pilotfish", *options]
    with (control_plane.folder / "logs" / "pilotfish.log").open("wb") as log:
        child = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait(30)


@contextmanager
def kube_scheduler(control_plane: ControlPlane, options: list[str]) -> Iterator[int]:
    """Run kube-scheduler; yields its pid."""
    del options  # they are pilotfish's
    control_plane.start_scheduler(
        SchedulerOptions(scheduler_name="kube-scheduler", qps=5000, burst=5000, verbosity=0)
    )
    try:
        yield control_plane.pids["kube-scheduler"]
    finally:
        control_plane.stop_scheduler()


SCHEDULERS: dict[str, Callable[[ControlPlane, list[str]], AbstractContextManager[int]]] = {
    "pilotfish": pilotfish,
    "kube-scheduler": kube_scheduler,
}


def measure(name: str, shape: Shape, nodes: int, pods: int, options: list[str]) -> Result:
    """Place all pods by one scheduler on a fresh control plane."""
    with ControlPlane(controller_manager=False, kwok=False, audit=False) as control_plane:
        fill(control_plane, name, shape, nodes, pods)
        meter = Meter(control_plane, "default", pods)
        with SCHEDULERS[name](control_plane, options) as pid:
            meter.wait()
            process = psutil.Process(pid)
            cpu = process.cpu_times()
            peak_kb = next(
                int(line.split()[1])
                for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                if line.startswith("VmHWM:")
            )
        return Result(
            rate=(pods - 1) / (meter.last - meter.first),
            cpu_ms_per_pod=(cpu.user + cpu.system) * 1000 / pods,
            peak_rss_mb=peak_kb / 1024,
        )


def fill(
    control_plane: ControlPlane, scheduler_name: str, shape: Shape, nodes: int, pods: int
) -> None:
    """Make ready nodes, and the pods that wait for them."""
    control_plane.create_static_nodes(
        node_manifest(
            f"node-{i}", cpu="32", memory="64Gi", labels={ZONE: f"zone-{i % shape.zones}"}
        )
        for i in range(nodes)
    )
    control_plane.create(
        pod_manifest(
            f"pod-{i}",
            scheduler_name=scheduler_name,
            cpu="100m",
            memory="500Mi",
            labels=LABELS,
            spec=shape.spec,
        )
        for i in range(pods)
    )


def report(results: Mapping[str, Mapping[str, list[Result]]], nodes: int) -> None:
    """Print a table: for each shape and figure the medians, the ranges and the median ratio."""
    names = list(SCHEDULERS)
    print(f"{'shape':14}{'figure':13}" + "".join(f"{name:28}" for name in names) + "ratio")
    for shape, by_scheduler in results.items():
        wanted = SHAPES[shape].wanted_at(nodes)
        for figure in FIGURES:
            values = {n: [r.figures()[figure] for r in runs] for n, runs in by_scheduler.items()}
            shown = "".join(f"{_summary(values.get(name, [])):28}" for name in names)
            print(f"{shape:14}{figure:13}{shown}{_verdict(values, figure, wanted.get(figure))}")


def _summary(runs: list[float]) -> str:
    if not runs:
        return "-"
    return f"{statistics.median(runs):.4g} ({min(runs):.4g} to {max(runs):.4g})"


def _verdict(values: Mapping[str, list[float]], figure: str, wanted: float | None) -> str:
    if len(values) < len(SCHEDULERS):
        return ""
    pairs = zip(values["pilotfish"], values["kube-scheduler"], strict=True)
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    if wanted is None:
        return f"{ratio:.2f}"
    relation, reached = (">=", ratio >= wanted) if figure == "pods/s" else ("<=", ratio <= wanted)
    return f"{ratio:.2f}  wanted {relation} {wanted}: {'reached' if reached else 'NOT reached'}"


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--shape", choices=list(SHAPES), action="append", help="pods to place; default all, in turn"
    )
    parser.add_argument("--nodes", type=int, default=1000, help="nodes (default 1000)")
    parser.add_argument("--pods", type=int, help="pods (default 5000 plain ones, 1000 of others)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (default 3)")
    parser.add_argument("--only", choices=sorted(SCHEDULERS), help="measure this one alone")
    parser.add_argument("options", nargs="*", help="further options of `pilotfish run`, after --")
    given = parser.parse_args()
    names = [given.only] if given.only else list(SCHEDULERS)
    results: dict[str, dict[str, list[Result]]] = {}
    for shape_name in given.shape or SHAPES:
        shape = SHAPES[shape_name]
        pods = given.pods or shape.pods
        if shape.is_one_a_node:
            pods = min(pods, given.nodes)
        runs = results[shape_name] = {name: [] for name in names}
        for turn in range(given.rounds):
            for name in names if turn % 2 == 0 else reversed(names):
                result = measure(name, shape, given.nodes, pods, given.options)
                runs[name].append(result)
                figures = ", ".join(f"{value:.4g} {of}" for of, value in result.figures().items())
                print(f"{shape_name}, {pods} pods, round {turn + 1}, {name}: {figures}", flush=True)
    print(f"\n{given.nodes} nodes, {os.cpu_count()} cores, {given.rounds} rounds\n")
    report(results, given.nodes)


if __name__ == "__main__":
    main()
