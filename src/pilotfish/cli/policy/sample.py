"""A small cluster with something of everything, for policies to decide about."""

from __future__ import annotations

from typing import Any, Final

from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.testing import node, pod

ZONES: Final = ("a", "b", "c")
APPS: Final = ("web", "db", "batch", "cache")
QOS_CLASSES: Final = ("Guaranteed", "Burstable", "BestEffort")
GPU: Final = "nvidia.com/gpu"
IN_PLACE: Final = 8
NEW: Final = 16


def sample_nodes(count: int) -> list[Node]:
    """Make nodes of several sizes, zones, labels and taints."""
    return [_node(i) for i in range(count)]


def sample_pods(nodes: int, new: int = NEW) -> list[Pod]:
    """Make pods of several sizes, apps, priorities and classes: some in place, some new."""
    in_place = [_pod(f"old-{i}", i, node_name=f"node-{3 * i % nodes}") for i in range(IN_PLACE)]
    return [*in_place, *(_pod(f"new-{i}", i) for i in range(new))]


def _node(i: int) -> Node:
    labels = {
        "env": "prod" if i % 2 else "test",
        "price": f"{1 + i % 5}.50",
        "power-idle-watts": str(80 + 20 * (i % 4)),
        "power-max-watts": str(300 + 50 * (i % 3)),
        "latency-ms": str(1 + i % 7),
        "disk": "ssd" if i % 3 else "hdd",
    }
    has_gpu = not (i + 1) % 6
    more: dict[str, Any] = {GPU: "4"} if has_gpu else {}
    return node(
        f"node-{i}",
        cpu=str(2 ** (1 + i % 4)),
        memory=f"{2 ** (2 + i % 4)}Gi",
        zone=ZONES[i % len(ZONES)],
        labels=labels,
        taints=["gpu:NoSchedule"] if has_gpu else [],
        unschedulable=not (i + 1) % 11,
        **more,
    )


def _pod(name: str, i: int, node_name: str = "") -> Pod:
    return pod(
        name,
        node_name=node_name,
        cpu=f"{100 * (1 + i % 5)}m" if i % 4 else None,
        memory=f"{128 * (1 + i % 3)}Mi" if i % 4 else None,
        labels={"app": APPS[i % len(APPS)], "group": f"g{i % 3}", "sla": str(i % 3)},
        tolerations=["gpu:NoSchedule"] if i % 5 == 0 else [],
        priority=100 * (i % 3),
        status={"qosClass": QOS_CLASSES[i % len(QOS_CLASSES)]},
    )
