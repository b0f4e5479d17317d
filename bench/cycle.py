"""Time the filters and scores of one plain pod, as a whole and plugin by plugin.

Usage: python bench/cycle.py
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import make
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.plugins.default import default_profile
from pilotfish.plugins.priority_sort import PrioritySort

SIZES: Final = (1_000, 5_000)
PODS_A_NODE: Final = 4
ROUNDS: Final = 300
WARM_UP: Final = 20
IMAGES: Final = [f"registry.example/app-{i}:v1" for i in range(30)]
POD: Final = make.pod("plain", cpu="100m", memory="128Mi", images=["registry.example/new:v1"])


def cluster_of(size: int) -> ClusterCache:
    """Make a cluster: 3 zones, every tenth node tainted, 30 images and 4 pods a node."""
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
            cache.set_pod(make.pod(f"p{i}-{j}", cpu=cpu, memory="256Mi", node_name=f"n{i}"))
    return cache


def median_micros(work: Callable[[], object]) -> float:
    """Time something repeatedly."""
    times = []
    for _ in range(ROUNDS + WARM_UP):
        start = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times[WARM_UP:]) / 1_000


def row_of(profile: Profile, cache: ClusterCache) -> tuple[float, float]:
    """Time the filters and the scores of a profile."""
    filtered = profile.filter(POD, cache)
    return (
        median_micros(lambda: profile.filter(POD, cache)),
        median_micros(lambda: profile.score(POD, cache, filtered)),
    )


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
        table = Table("plugin", title=f"{size:,} nodes, median of {ROUNDS}, microseconds a pod")
        for column in ("filter", "score", "both"):
            table.add_column(column, justify="right")
        profiles = {"(no plugin)": empty}
        for one in default.enabled:
            if not isinstance(one.plugin, PrioritySort):
                profiles[one.plugin.name] = alone(one.plugin)
        for name, profile in (profiles | {"all": default}).items():
            filter_micros, score_micros = row_of(profile, cache)
            both = filter_micros + score_micros
            table.add_row(name, f"{filter_micros:.1f}", f"{score_micros:.1f}", f"{both:.1f}")
        console.print(table)


if __name__ == "__main__":
    main()
