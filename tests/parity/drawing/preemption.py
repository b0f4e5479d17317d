"""Full nodes, priorities and budgets: what makes a pending pod evict others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parity.drawing.draw import APPS, NAMESPACES, Draw, Manifest

PRIORITIES: Final = (-10, 0, 0, 100, 1000, 100_000)


def prioritise(
    draw: Draw, nodes: Sequence[Manifest], placed: Sequence[Manifest], pending: Sequence[Manifest]
) -> list[Manifest]:
    """Give all pods a priority, fill the nodes, and return some disruption budgets.

    No two pods start at the same time, so that the order of victims is determined.
    """
    _share_no_port(placed)
    starts = draw.some(range(24 * 60), len(placed), len(placed))
    for pod, start in zip(placed, starts, strict=True):
        _want(draw, pod, draw.one(("250m", "500m", "1")), draw.one(PRIORITIES))
        pod["metadata"].pop("deletionTimestamp", None)  # it would not be deleted again
        if not draw.chance(0.1):
            time = f"2026-01-0{draw.between(1, 2)}T{start // 60:02}:{start % 60:02}:00Z"
            pod.setdefault("status", {})["startTime"] = time
    for pod in pending:
        _want(draw, pod, draw.one(("500m", "1", "2500m")), draw.one(PRIORITIES[1:]))
        pod["spec"]["preemptionPolicy"] = "Never" if draw.chance(0.1) else "PreemptLowerPriority"
    for node in nodes:
        room = {"cpu": draw.one(("1", "2", "3")), "memory": "16Gi"}
        room["pods"] = draw.one(("110", "110", "3", "5"))
        node["status"] |= {"capacity": room, "allocatable": room}
    return [_budget(draw, f"budget-{i}") for i in range(draw.between(0, 4))]


def _share_no_port(placed: Sequence[Manifest]) -> None:
    """Take away ports that another pod of the node has: without one, upstream forgets the other's.

    It is a difference that is meant; docs/reference/as-kube-scheduler.md tells of it.
    """
    taken = set()
    for pod in placed:
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", ()):
                place = pod["spec"]["nodeName"], port["hostPort"], port["protocol"]
                if place in taken:
                    del container["ports"]
                taken.add(place)


def _want(draw: Draw, pod: Manifest, cpu: str, priority: int) -> None:
    requests = {"cpu": cpu} | ({"memory": "512Mi"} if draw.chance(0.5) else {})
    pod["spec"]["containers"][0]["resources"] = {"requests": requests}
    pod["spec"]["priority"] = priority


def _budget(draw: Draw, name: str) -> Manifest:
    selector = draw.one((draw.selector(), {"matchLabels": {"app": draw.one(APPS)}}))
    spec = {"minAvailable": 1} | ({} if draw.chance(0.05) else {"selector": selector})
    allowed: Manifest = {"disruptionsAllowed": draw.one((0, 0, 1, 2)), "expectedPods": 3}
    if draw.chance(0.2):
        allowed["disruptedPods"] = {f"b{draw.between(0, 9)}": "2026-01-01T00:00:00Z"}
    status = allowed | {"currentHealthy": 2, "desiredHealthy": 1, "observedGeneration": 1}
    metadata = {"name": name, "namespace": draw.one(NAMESPACES[:3])}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }
