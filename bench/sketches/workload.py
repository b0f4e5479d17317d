"""A cluster of 5,000 nodes and 10,000 bound pods, and pods to place in it."""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.api.affinity import (
    Affinity,
    PodAffinity,
    PodAffinityTerm,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from pilotfish.api.meta import ObjectMeta
from pilotfish.api.node import Node, NodeStatus
from pilotfish.api.pod import Container, Pod, PodSpec, ResourceRequirements
from pilotfish.api.quantity import Quantity
from pilotfish.api.selectors import LabelSelector
from pilotfish.cache.cluster_cache import ClusterCache

NODES = 5_000
BOUND_PODS = 10_000
ZONES = 10
APPS = 20
ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"


def make_cluster() -> ClusterCache:
    """Fill a cache: two pods of 1900m on each node of 4 CPUs, of 20 apps with and without terms."""
    cache = ClusterCache()
    for i in range(NODES):
        cache.set_node(_node(i))
    for i in range(BOUND_PODS):
        cache.set_pod(bound_pod(i))
    return cache


def bound_pod(number: int) -> Pod:
    """Make a pod in place; every fourth app keeps away from itself, the next draws its like."""
    app = f"app-{number % APPS}"
    affinity = None
    if number % APPS % 4 == 0:
        affinity = Affinity(pod_anti_affinity=PodAffinity(required=(term(app, HOSTNAME),)))
    elif number % APPS % 4 == 1:
        wish = WeightedPodAffinityTerm(10, term(app, ZONE))
        affinity = Affinity(pod_affinity=PodAffinity(preferred=(wish,)))
    node_name = f"node-{number * 7 % NODES}"
    return _pod(f"bound-{number}", app, affinity=affinity, node_name=node_name)


def spread_pods(count: int) -> Iterator[Pod]:
    """Make pods with a zone constraint that must hold and a hostname constraint that should."""
    for i in range(count):
        app = f"app-{i % APPS}"
        selector = LabelSelector({"app": app})
        constraints = (
            TopologySpreadConstraint(5, ZONE, "DoNotSchedule", selector),
            TopologySpreadConstraint(1, HOSTNAME, "ScheduleAnyway", selector),
        )
        yield _pod(f"spread-{i}", app, constraints=constraints)


def affinity_pods(count: int) -> Iterator[Pod]:
    """Make pods with required zone affinity, hostname anti-affinity and a preferred term."""
    for i in range(count):
        app, other = f"app-{i % APPS}", f"app-{(i + 5) % APPS}"
        affinity = Affinity(
            pod_affinity=PodAffinity(
                required=(term(other, ZONE),),
                preferred=(WeightedPodAffinityTerm(50, term(other, HOSTNAME)),),
            ),
            pod_anti_affinity=PodAffinity(required=(term(app, HOSTNAME),)),
        )
        yield _pod(f"affinity-{i}", app, affinity=affinity)


def preemptors(count: int) -> Iterator[Pod]:
    """Make pods that fit nowhere unless pods of less priority go, and that spread by zone."""
    for i in range(count):
        app = f"app-{i % APPS}"
        selector = LabelSelector({"app": app})
        constraint = TopologySpreadConstraint(500, ZONE, "DoNotSchedule", selector)
        anti = Affinity(pod_anti_affinity=PodAffinity(required=(term(app, HOSTNAME),)))
        yield _pod(
            f"preemptor-{i}", app, cpu="2", priority=10, constraints=(constraint,), affinity=anti
        )


def term(app: str, topology_key: str) -> PodAffinityTerm:
    """Make a term that selects one app."""
    return PodAffinityTerm(topology_key, LabelSelector({"app": app}))


def _node(number: int) -> Node:
    name = f"node-{number}"
    labels = {HOSTNAME: name, ZONE: f"zone-{number % ZONES}"}
    amounts = {"cpu": "4", "memory": "32Gi", "pods": "110"}
    return Node(
        metadata=ObjectMeta(name=name, uid=name, labels=labels),
        status=NodeStatus({k: Quantity.parse(v) for k, v in amounts.items()}),
    )


def _pod(
    name: str,
    app: str,
    *,
    cpu: str = "1900m",
    affinity: Affinity | None = None,
    constraints: tuple[TopologySpreadConstraint, ...] = (),
    node_name: str = "",
    priority: int = 0,
) -> Pod:
    requests = {"cpu": Quantity.parse(cpu), "memory": Quantity.parse("500Mi")}
    labels = {"app": app, "pod-template-hash": f"{app}-7d4b9c", "instance": name}
    return Pod(
        metadata=ObjectMeta(name=name, namespace="default", uid=name, labels=labels),
        spec=PodSpec(
            containers=(Container(resources=ResourceRequirements(requests)),),
            affinity=affinity,
            topology_spread_constraints=constraints,
            node_name=node_name,
            priority=priority,
        ),
    )
