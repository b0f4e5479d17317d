"""Nodes for the tables of volume plugins: a1 and a2 in zone a, b1 in zone b."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import make
import make_volumes as mv
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from unit.plugins.deciding import cluster

ZONE: Final = make.ZONE_LABEL
REGION: Final = "topology.kubernetes.io/region"
AWS_ZONE: Final = "topology.ebs.csi.aws.com/zone"


def nodes_with(*objects: KubernetesObject, pods: Iterable[Pod] = ()) -> ClusterCache:
    """Make a cluster of the nodes, with these pods on them and these objects beside them."""
    nodes = [
        make.node("a1", zone="a", labels={AWS_ZONE: "a", REGION: "r"}),
        make.node("a2", zone="a", labels={AWS_ZONE: "b"}),
        make.node("b1", zone="b"),
    ]
    cache = cluster(nodes, pods)
    for thing in objects:
        cache.volumes.put(thing)
    return cache


def user(*claims: str, **rest: Any) -> Pod:
    """Make the pod to place, with volumes as `make_volumes.using` makes them."""
    return make.pod("pending", volumes=mv.using(*claims, **rest))


def in_zone(zone: str) -> dict[str, list[str]]:
    """Say from where a volume is reached."""
    return {ZONE: [zone]}
