"""Time the filters and scores of a pod, as a whole and plugin by plugin.

Usage: python bench/cycle.py
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import make
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.plugins.default import default_profile
from pilotfish.plugins.priority_sort import PrioritySort

SIZES: Final = (1_000, 5_000)
PODS_A_NODE: Final = 2
APPS: Final = 20
ROUNDS: Final = 300
WARM_UP: Final = 20
IMAGES: Final = [f"registry.example/app-{i}:v1" for i in range(30)]
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def term(app: int, topology_key: str) -> dict[str, Any]:
    """Make an affinity term that selects one app."""
    return {"topologyKey": topology_key, "labelSelector": {"matchLabels": {"app": f"app-{app}"}}}


def wish(app: int, topology_key: str) -> dict[str, Any]:
    """Make such a term that is preferred."""
    return {"weight": 50, "podAffinityTerm": term(app, topology_key)}


def pending(app: str, **spec: Any) -> Pod:
    """Make a pod to place."""
    images = ["registry.example/new:v1"]
    return make.pod(
        "pending", cpu="100m", memory="128Mi", images=images, labels={"app": app}, **spec
    )


PODS: Final = {
    "plain": pending("of-its-own"),
    "spread": pending(
        "app-4",
        topology_spread_constraints=[
            {"maxSkew": 5, "whenUnsatisfiable": "DoNotSchedule", **term(4, make.ZONE_LABEL)},
            {"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", **term(4, make.HOSTNAME_LABEL)},
        ],
    ),
    "affinity": pending(
        "app-4",
        affinity={
            "podAffinity": {
                REQUIRED: [term(9, make.ZONE_LABEL)],
                PREFERRED: [wish(9, make.HOSTNAME_LABEL)],
            },
            "podAntiAffinity": {REQUIRED: [term(4, make.HOSTNAME_LABEL)]},
        },
    ),
}


def cluster_of(size: int) -> ClusterCache:
    """Make a cluster: 3 zones, every tenth node tainted, 30 images and 2 pods a node."""
    cache = ClusterCache()
    for i in range(size):
        taints = ["dedicated=batch:NoSchedule"] if i % 10 == 0 else []
        soft = ["spot:PreferNoSchedule"] if i % 7 == 0 else []
        images = dict.fromkeys(IMAGES, 50 << 20)
        cache.set_node(
            make.node(f"n{i}", zone=f"z{i % 3}", taints=[*taints, *soft], pods=110, images=images)
        )
        for j in range(PODS_A_NODE):
            cpu = f"{100 + (i * 7 + j) % 400}m"
            cache.set_pod(bound(i * PODS_A_NODE + j, cpu=cpu, node_name=f"n{i}"))
    return cache


def bound(number: int, **rest: Any) -> Pod:
    """Make a pod in place; every fourth app keeps away from itself, the next draws its like."""
    app = number % APPS
    affinity: dict[str, Any] = {}
    if app % 4 == 0:
        affinity = {"podAntiAffinity": {REQUIRED: [term(app, make.HOSTNAME_LABEL)]}}
    elif app % 4 == 1:
        affinity = {"podAffinity": {PREFERRED: [wish(app, make.ZONE_LABEL)]}}
    labels = {"app": f"app-{app}", "instance": f"{number}"}
    return make.pod(f"p{number}", memory="256Mi", labels=labels, affinity=affinity, **rest)


def median_micros(work: Callable[[], object]) -> float:
    """Time something repeatedly."""
    times = []
    for _ in range(ROUNDS + WARM_UP):
        start = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times[WARM_UP:]) / 1_000


def told_times(profile: Profile, cache: ClusterCache, pod: Pod) -> str:
    """Time the filters of a profile, its scores, and both."""
    filtered = profile.filter(pod, cache)
    filter_micros = median_micros(lambda: profile.filter(pod, cache))
    score_micros = median_micros(lambda: profile.score(pod, cache, filtered))
    return f"{filter_micros:.0f} + {score_micros:.0f} = {filter_micros + score_micros:.0f}"


def alone(plugin: Plugin) -> Profile:
    """Make a profile of one plugin and what no profile can be without."""
    return Profile("bench", [EnabledPlugin(PrioritySort()), EnabledPlugin(plugin)])


def main() -> None:
    """Print one table a cluster size."""
    console = Console()
    default = default_profile("bench")
    empty = Profile("bench", [EnabledPlugin(PrioritySort())])
    for size in SIZES:
        cache = cluster_of(size)
        title = f"{size:,} nodes, {size * PODS_A_NODE:,} pods in place; filter + score, median us"
        table = Table("plugin", title=title)
        for name in PODS:
            table.add_column(f"{name} pod", justify="right")
        profiles = {"(no plugin)": empty}
        for one in default.enabled:
            if not isinstance(one.plugin, PrioritySort):
                profiles[one.plugin.name] = alone(one.plugin)
        for name, profile in (profiles | {"all": default}).items():
            table.add_row(name, *(told_times(profile, cache, pod) for pod in PODS.values()))
        console.print(table)


if __name__ == "__main__":
    main()
