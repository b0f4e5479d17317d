"""What one plugin, or several, make of a pod: feasible nodes, reasons, scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import EnabledPlugin, Plugin, Profile
from pilotfish.plugins.priority_sort import PrioritySort

GPU: Final = "nvidia.com/gpu"


def cluster(nodes: Iterable[Node], pods: Iterable[Pod] = ()) -> ClusterCache:
    """Fill a cache."""
    cache = ClusterCache()
    for node in nodes:
        cache.set_node(node)
    for pod in pods:
        cache.set_pod(pod)
    return cache


def gpus(count: str) -> dict[str, Any]:
    """Say what a node with GPUs allows, for `make.node`."""
    return {GPU: count}


def alone(plugin: Plugin) -> Profile:
    """Make a profile of one plugin."""
    return Profile("p", [EnabledPlugin(PrioritySort()), EnabledPlugin(plugin)])


def rejected(plugin: Plugin, pod: Pod, on: ClusterCache) -> dict[str, list[tuple[str, bool]]]:
    """Name the rejected nodes, each with the reasons and whether evictions could help.

    A pod that is rejected as a whole is so on "*".
    """
    found: dict[str, list[tuple[str, bool]]] = {}
    for one in alone(plugin).filter(pod, on).rejections:
        mask = one.mask
        rows = [] if mask is None else np.flatnonzero(mask).tolist()
        for name in ["*"] if mask is None else [on.nodes.names[row] for row in rows]:
            found.setdefault(name, []).append((one.reason, one.resolvable))
    return found


def scores(plugin: Plugin, pod: Pod, on: ClusterCache) -> dict[str, int] | None:
    """Score the feasible nodes; None where the plugin skips the pod."""
    profile = alone(plugin)
    filtered = profile.filter(pod, on)
    by_plugin = profile.score(pod, on, filtered).by_plugin
    if plugin.name not in by_plugin:
        return None
    feasible = np.flatnonzero(filtered.feasible).tolist()
    return {on.nodes.names[row]: int(by_plugin[plugin.name][row]) for row in feasible}
