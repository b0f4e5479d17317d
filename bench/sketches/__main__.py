"""Measure the hard plugins, and a sketch of preemption, at the size that decision 4 speaks of.

Run it with `.venv/bin/python -m bench.sketches`.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator

from bench.sketches.preemption import find_victims
from bench.sketches.workload import (
    BOUND_PODS,
    NODES,
    affinity_pods,
    bound_pod,
    make_cluster,
    preemptors,
    spread_pods,
)

from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.plugins.inter_pod_affinity import InterPodAffinity
from pilotfish.plugins.node_resources_fit import NodeResourcesFit
from pilotfish.plugins.pod_topology_spread import PodTopologySpread
from pilotfish.plugins.priority_sort import PrioritySort

PODS = 100  # measured for each sketch
BUDGET_MS = 2.0


def main() -> None:
    """Print the CPU time of one pod: median, fastest, and the worst of the first ones."""
    started = time.process_time()
    cache = make_cluster()
    gc.collect()
    gc.freeze()  # as a long-lived process does, or full collections dominate the figures
    elapsed = time.process_time() - started
    print(f"{NODES} nodes and {BOUND_PODS} bound pods, filled in {elapsed:.2f} s")
    for name, pods, decide in (
        ("PodTopologySpread", spread_pods, decider(cache, PodTopologySpread())),
        ("InterPodAffinity", affinity_pods, decider(cache, InterPodAffinity())),
    ):
        measure(name, pods(PODS), decide)
    for candidates in (1, 100, 500):  # upstream asks 100 nodes at least, and a tenth of them
        name = f"preemption, {candidates} node{'s'[: candidates > 1]}"
        measure(name, preemptors(PODS), preemptor(cache, candidates))
    measure("a pod leaves and comes", map(bound_pod, range(PODS)), coming_and_going(cache))
    cache.check_invariants()


def measure(name: str, pods: Iterator[Pod], act: Callable[[Pod], str]) -> None:
    """Time one call a pod; the first ones also make the columns that later ones find."""
    times, said = [], ""
    for pod in pods:
        started = time.process_time()
        said = act(pod)
        times.append((time.process_time() - started) * 1000)
    first, usual = times[: PODS // 5], times[PODS // 5 :]
    verdict = "" if statistics.median(usual) < BUDGET_MS else "  over the budget"
    print(
        f"{name:22} {statistics.median(usual):7.3f} ms, fastest {min(usual):.3f}, "
        f"first {max(first):.3f}  {said}{verdict}"
    )


def decider(
    cache: ClusterCache, plugin: PodTopologySpread | InterPodAffinity
) -> Callable[[Pod], str]:
    """Filter and score with one plugin."""
    profile = Profile("sketch", [EnabledPlugin(PrioritySort()), EnabledPlugin(plugin)])

    def decide(pod: Pod) -> str:
        filtered = profile.filter(pod, cache)
        scored = profile.score(pod, cache, filtered)
        return f"{filtered.feasible.sum()} feasible, best {scored.total[filtered.feasible].max()}"

    return decide


def preemptor(cache: ClusterCache, candidates: int) -> Callable[[Pod], str]:
    """Look for victims on so many nodes, once the filters have found no node for the pod."""
    plugins = PrioritySort(), NodeResourcesFit(), PodTopologySpread(), InterPodAffinity()
    profile = Profile("sketch", [EnabledPlugin(plugin) for plugin in plugins])
    filtered = {pod.uid: profile.filter(pod, cache) for pod in preemptors(PODS)}

    def preempt(pod: Pod) -> str:
        victims = find_victims(profile, cache, pod, filtered[pod.uid], candidates)
        return f"{len(victims)} candidates, {sum(map(len, victims.values()))} victims"

    return preempt


def coming_and_going(cache: ClusterCache) -> Callable[[Pod], str]:
    """Remove a pod and set it again."""

    def come_and_go(pod: Pod) -> str:
        cache.remove_pod(pod.uid)
        cache.set_pod(pod)
        return ""

    return come_and_go


if __name__ == "__main__":
    main()
