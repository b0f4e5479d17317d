"""The clusters and pods that the micro-benchmarks measure, and a scheduler that places them."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import make
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.inputs import Replaced
from pilotfish.core.scheduler import Scheduler
from pilotfish.plugins.default import default_profile

NAME: Final = "my-scheduler"
PODS_A_NODE: Final = 2
APPS: Final = 20
LOW_PRIORITY_PODS_A_NODE: Final = 10
IMAGES: Final = [f"registry.example/app-{i}:v1" for i in range(30)]
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def _term(app: int, topology_key: str) -> dict[str, Any]:
    """Make an affinity term that selects one app."""
    return {"topologyKey": topology_key, "labelSelector": {"matchLabels": {"app": f"app-{app}"}}}


def _wish(app: int, topology_key: str) -> dict[str, Any]:
    """Make such a term that is preferred."""
    return {"weight": 50, "podAffinityTerm": _term(app, topology_key)}


def _pending(app: str, **spec: Any) -> Pod:
    """Make a pod to place."""
    images = ["registry.example/new:v1"]
    return make.pod(
        "pending", cpu="100m", memory="128Mi", images=images, labels={"app": app}, **spec
    )


PODS: Final = {
    "plain": _pending("of-its-own"),
    "spread": _pending(
        "app-4",
        topology_spread_constraints=[
            {"maxSkew": 5, "whenUnsatisfiable": "DoNotSchedule", **_term(4, make.ZONE_LABEL)},
            {"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", **_term(4, make.HOSTNAME_LABEL)},
        ],
    ),
    "affinity": _pending(
        "app-5",
        affinity={
            "podAffinity": {
                REQUIRED: [_term(9, make.ZONE_LABEL)],
                PREFERRED: [_wish(9, make.HOSTNAME_LABEL)],
            }
        },
    ),
    "anti-affinity": _pending(
        "app-4", affinity={"podAntiAffinity": {REQUIRED: [_term(4, make.HOSTNAME_LABEL)]}}
    ),
}
"""One pod of each kind; apps 4 and 9 have pods in place, whose own terms are felt as well."""


PREEMPTOR: Final = make.pod("preemptor", cpu="3", memory="1Gi", priority=10)


def cluster(size: int) -> Iterator[tuple[Node, list[Pod]]]:
    """Make nodes and their pods: 3 zones, every tenth node tainted, 30 images and 2 pods a node."""
    images = dict.fromkeys(IMAGES, 50 << 20)
    for i in range(size):
        taints = ["dedicated=batch:NoSchedule"] if i % 10 == 0 else []
        soft = ["spot:PreferNoSchedule"] if i % 7 == 0 else []
        node = make.node(f"n{i}", zone=f"z{i % 3}", taints=[*taints, *soft], images=images)
        numbers = range(i * PODS_A_NODE, (i + 1) * PODS_A_NODE)
        yield node, [_in_place(number, f"n{i}") for number in numbers]


def _in_place(number: int, node_name: str) -> Pod:
    """Make a pod in place; every fourth app keeps away from itself, the next draws its like."""
    app = number % APPS
    affinity: dict[str, Any] = {}
    if app % 4 == 0:
        affinity = {"podAntiAffinity": {REQUIRED: [_term(app, make.HOSTNAME_LABEL)]}}
    elif app % 4 == 1:
        affinity = {"podAffinity": {PREFERRED: [_wish(app, make.ZONE_LABEL)]}}
    return make.pod(
        f"p{number}",
        cpu=f"{100 + number * 7 % 400}m",
        memory="256Mi",
        labels={"app": f"app-{app}", "instance": f"{number}"},
        affinity=affinity,
        node_name=node_name,
    )


def scheduler(nodes: tuple[Node, ...], pods: tuple[Pod, ...]) -> Scheduler:
    """Make a scheduler with the default profile that knows these nodes and pods."""
    kinds = frozenset({"nodes", "pods"})
    profiles = {NAME: default_profile(NAME)}
    made = Scheduler(profiles, SchedulerSettings(), random.Random(0), kinds)
    made.handle(Replaced("nodes", nodes), 0.0)
    made.handle(Replaced("pods", pods), 0.0)
    return made


def filled(size: int) -> Scheduler:
    """Make a scheduler of a cluster of this size."""
    nodes, pods = zip(*cluster(size), strict=True)
    return scheduler(nodes, tuple(pod for on_node in pods for pod in on_node))


def full(size: int) -> Scheduler:
    """Make a scheduler of a cluster without room, where preemption helps on each node."""
    nodes = [make.node(f"n{i}", zone=f"z{i % 3}", cpu="10") for i in range(size)]
    pods = (
        make.pod(
            f"p{i}-{j}",
            cpu="1",
            memory="1Gi",
            priority=1 + (i + j) % 5,
            node_name=f"n{i}",
            status={"startTime": f"2026-01-01T00:00:{(7 * i + j) % 60:02}Z"},
        )
        for i in range(size)
        for j in range(LOW_PRIORITY_PODS_A_NODE)
    )
    return scheduler(tuple(nodes), tuple(pods))
