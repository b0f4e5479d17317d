"""One policy on stage: a small cluster of unlike nodes, a dozen pods, and where each went."""

from __future__ import annotations

import asyncio
import inspect
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from pilotfish.api.codec import dec_hook
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.cli.demo.stage import SCHEDULER, Stage, raised_stage
from pilotfish.framework.node_info import NodeInfo
from pilotfish.framework.plugin import implements
from pilotfish.plugins.policies import Policy

NODES: Final = "/api/v1/nodes"
PODS: Final = "/api/v1/namespaces/default/pods"
CLASSES: Final = "/apis/scheduling.k8s.io/v1/priorityclasses"
URGENT: Final = "urgent"
USUAL: Final = ("kubernetes.io/", "k8s.io/")  # labels that every node has

CLUSTER: Final[dict[str, Any]] = {
    "nodeGroups": [
        {
            "name": "prod",
            "count": 2,
            "zones": ["a", "b"],
            "labels": {"env": "prod", "price": "0.40", "latency-ms": "2"}
            | {"power-idle-watts": "120", "numa-nodes": "2"},
        },
        {
            "name": "spot",
            "count": 3,
            "zones": ["b", "c", "a"],
            "labels": {"env": "test", "price": "0.10", "latency-ms": "9"}
            | {"power-idle-watts": "60", "numa-nodes": "1"},
        },
        {
            "name": "gpu",
            "count": 1,
            "zones": ["c"],
            "labels": {"env": "test", "price": "2.10", "latency-ms": "5"}
            | {"power-idle-watts": "300", "nvidia.com/gpu.product": "A100", "numa-nodes": "2"},
        },
    ],
    "kubelet": {"pull": {"seconds": 0.1}, "stop": {"seconds": 0.1}},
}


async def show_policy(console: Console, reference: str, policy: Policy) -> None:
    """Let a scheduler with a policy place a dozen pods, and draw what came of it."""
    console.print(f"{about(policy)}\n", markup=False)
    options = ["--policy", reference]
    if implements(policy.type, "score"):
        options.append("--only-policy")
    names: set[str] = set()

    async def prepare(stage: Stage) -> None:
        await stage.create(CLASSES, {"metadata": {"name": URGENT}, "value": 1000})
        for manifest in _pods():
            await stage.create(PODS, manifest)
            names.add(manifest["metadata"]["name"])

    with tempfile.TemporaryDirectory(prefix="pilotfish-demo-") as folder:
        async with raised_stage(Path(folder), CLUSTER, options, prepare) as stage:
            await stage.until(lambda: stage.board.settled() >= names, "a decision on each pod")
            console.print(stage.board.by_pod(f"{policy.name}: the pods, as they were decided"))
            nodes = await _nodes(stage)
    console.print(_by_node(nodes))
    summary = getattr(policy.type, "summary", None)
    if summary is not None:
        console.print(f"\nIn sum: {summary(nodes)}.", markup=False)
    console.print(f"\nOn a cluster: pilotfish run {shlex.join(options)}", soft_wrap=True)


def about(policy: Policy) -> str:
    """Return what the file says of itself, or the class, or else the policy's name."""
    module = sys.modules.get(policy.type.__module__)
    told = inspect.cleandoc(getattr(module, "__doc__", None) or policy.type.__doc__ or policy.name)
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in told.split("\n\n"))


def _pods() -> Iterator[dict[str, Any]]:
    for i in range(4):
        yield _pod(f"web-{i}", "500m", app="web", tenant="red", team="shop", sla="silver")
    for i in range(3):
        yield _pod(f"db-{i}", "1", is_guaranteed=True, app="db", tenant="blue", sla="gold")
    for i in range(2):
        yield _pod(f"batch-{i}", "1500m", app="batch", numa="single")
    yield _pod("training", "2", {"gpu-model": "A100", "prefer-zone": "c"}, app="ai")
    yield _pod("edge", "250m", {"prefer-zone": "a"}, app="web", tenant="red", team="shop")
    yield _pod("alarm", "250m", priority_class=URGENT, app="alarm")


def _pod(
    name: str,
    cpu: str,
    wishes: Mapping[str, str] | None = None,
    *,
    is_guaranteed: bool = False,
    priority_class: str = "",
    **labels: str,
) -> dict[str, Any]:
    amounts = {"cpu": cpu, "memory": "512Mi"}
    resources = {"requests": amounts} | ({"limits": amounts} if is_guaranteed else {})
    container = {"name": "main", "image": "registry.k8s.io/pause:3.9", "resources": resources}
    spec: dict[str, Any] = {"schedulerName": SCHEDULER, "containers": [container]}
    if priority_class:
        spec["priorityClassName"] = priority_class
    return {"metadata": {"name": name, "labels": labels | dict(wishes or {})}, "spec": spec}


async def _nodes(stage: Stage) -> list[NodeInfo]:
    """Return the nodes with their pods, as policies see them."""
    listed, pods = await asyncio.gather(stage.items(NODES), stage.items(PODS))
    cache = ClusterCache()
    for item in listed:
        cache.set_node(msgspec.convert(item, Node, dec_hook=dec_hook))
    for item in pods:
        pod = msgspec.convert(item, Pod, dec_hook=dec_hook)
        if pod.node_name:
            cache.set_pod(pod)
    return [cache.nodes.node(row) for row in range(len(cache.nodes))]


def _by_node(nodes: Sequence[NodeInfo]) -> Table:
    table = Table(title="the nodes", title_justify="left", title_style="bold", expand=True)
    table.add_column("node", no_wrap=True)
    table.add_column("labels", ratio=1)
    table.add_column("pods", ratio=1)
    for node in sorted(nodes, key=lambda node: node.name):
        labels = (
            f"{key.rpartition('/')[2]}={value}"
            for key, value in sorted(node.labels.items())
            if key.endswith("/zone") or not any(part in key for part in USUAL)
        )
        names = ", ".join(sorted(pod.name for pod in node.pods))
        table.add_row(node.name, " ".join(labels), names or "[yellow]none[/]")
    return table
