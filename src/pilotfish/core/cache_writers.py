"""How the cache takes an object of each kind, but pods, whose way is longer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias, cast

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.node import Node
from pilotfish.api.node_metrics import NodeMetrics
from pilotfish.api.workloads import Namespace, PodDisruptionBudget
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.cache.volume_index import KINDS as VOLUME_KINDS
from pilotfish.cache.workloads import Workload
from pilotfish.framework.events import ClusterEvent

Events: TypeAlias = Iterable[ClusterEvent]
Writers: TypeAlias = Mapping[str, Callable[[KubernetesObject], Events]]

NODE_METRICS: Final = "nodes.metrics.k8s.io"
WORKLOADS: Final = ("services", "replicationcontrollers", "replicasets", "statefulsets")


def cache_writers(cache: ClusterCache) -> Writers:
    """Return what takes an object of a kind, and says what events that means."""
    return {
        "nodes": lambda node: cache.set_node(cast("Node", node)),
        "namespaces": lambda space: cache.set_namespace(cast("Namespace", space)),
        "poddisruptionbudgets": lambda one: cache.set_budget(cast("PodDisruptionBudget", one)),
        NODE_METRICS: lambda one: cache.set_usage(cast("NodeMetrics", one)),
        **{kind: lambda one: cache.set_workload(cast("Workload", one)) for kind in WORKLOADS},
        **dict.fromkeys(VOLUME_KINDS, cache.volumes.put),
    }
