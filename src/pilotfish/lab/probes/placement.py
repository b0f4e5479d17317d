"""Does it understand what keeps pods off nodes?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from pilotfish.client import ApiError
from pilotfish.compare.cluster_access import NODES
from pilotfish.lab.findings import Finding
from pilotfish.lab.subject import Subject

TOLERATED: Final = "pilotfish.dev/lab-check"  # keeps everybody else's pods off our nodes
EACH: Final = 3  # pods of a probe of placement
ABSURD_MEMORY: Final = "900Ti"


async def taints_are_respected(subject: Subject) -> Finding:
    """Empty nodes with a hard taint are not chosen, however attractive they are."""
    taints = [
        {"key": "environment", "value": "production", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"},
    ]
    async with _nodes(subject, {f"tainted-{i}": [taint] for i, taint in enumerate(taints)}):
        pods = [
            await subject.create(f"untolerating-{i}", tolerations=_tolerations())
            for i in range(EACH)
        ]
        await subject.is_bound(*pods)
        wrong = [pod.node for pod in pods if pod.node.startswith(subject.namespace)]
        await subject.delete(*(pod.name for pod in pods))
    if wrong:
        taint = taints[int(wrong[0][-1])]
        why = f"a pod that does not tolerate {taint['key']}:{taint['effect']} was bound to its node"
        return Finding("failed", why)
    if any(pod.bound is None for pod in pods):
        return Finding("failed", "pods were not bound while tainted nodes were there")
    return Finding("passed", "nodes with NoSchedule and NoExecute were left out")


async def room_is_respected(subject: Subject) -> Finding:
    """A pod that fits nowhere stays pending."""
    resources = {"requests": {"memory": ABSURD_MEMORY}}
    container = subject.manifest("absurd")["spec"]["containers"][0] | {"resources": resources}
    pod = await subject.create("absurd", containers=[container])
    await subject.wait_for_nothing()
    if pod.bound is not None:
        why = f"a pod that asks for {ABSURD_MEMORY} of memory was bound to {pod.node}"
        return Finding("failed", why)
    return Finding("passed", f"a pod that asks for {ABSURD_MEMORY} was not bound")


async def a_rejection_harms_nobody(subject: Subject) -> Finding:
    """After a pod that fits nowhere, the next ones are bound all the same."""
    pod = await subject.create("after-absurd")
    if not await subject.is_bound(pod):
        why = "after a pod that fits nowhere, the next pod was not bound"
        if subject.process and subject.process.ended:
            why += f": {subject.process.ended}"
        return Finding("failed", why)
    return Finding("passed", "the pod after it was bound")


def _tolerations() -> list[dict[str, Any]]:
    """Tolerate what keeps others off our nodes, and what a controller adds to them."""
    return [{"key": TOLERATED, "operator": "Exists"}] + [
        {"key": f"node.kubernetes.io/{condition}", "operator": "Exists"}
        for condition in ("not-ready", "unreachable", "network-unavailable")
    ]


@asynccontextmanager
async def _nodes(subject: Subject, taints: dict[str, list[dict[str, Any]]]) -> AsyncIterator[None]:
    """Have empty nodes that are no machines, for a while."""
    names = []
    try:
        for suffix, own in taints.items():
            names.append(f"{subject.namespace}-{suffix}")
            await _create_node(subject, names[-1], own)
        yield
    finally:
        for name in names:
            with suppress(ApiError):
                await subject.cluster.delete(f"{NODES}/{name}")


async def _create_node(subject: Subject, name: str, taints: list[dict[str, Any]]) -> None:
    ours = {"key": TOLERATED, "effect": "NoSchedule"}
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {"taints": [ours, *taints]},
    }
    await subject.cluster.create(NODES, node)
    room = {"cpu": "64", "memory": "256Gi", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "LabCheck", "message": "no machine"}
    status = {"status": {"capacity": room, "allocatable": room, "conditions": [ready]}}
    await subject.cluster.patch(f"{NODES}/{name}/status", status)
