"""The story: arrivals, a full cluster, a taint removed, a node that fails, a backlog."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from pilotfish.cli.demo.stage import SCHEDULER, Stage

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PAUSE_SECONDS = 2.5  # to read what a chapter has shown
REPLICAS = 6
BACKLOG = 60
# Without it a pod stays for five minutes on a node that has failed.
LEAVES_FAILED_NODES = [
    {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "tolerationSeconds": 1}
    | {"operator": "Exists"}
]


def pod_spec(cpu: str, **more: Any) -> dict[str, Any]:
    """Make the spec of a pod of one container."""
    resources = {"requests": {"cpu": cpu, "memory": "256Mi"}}
    container = {"name": "main", "image": "registry.k8s.io/pause:3.9", "resources": resources}
    return {"schedulerName": SCHEDULER, "containers": [container], **more}


class Story:
    """Tells its chapters one after the other; each waits until it has come true.

    Args:
        stage: where it plays.
        console: where it is shown.
        pause_seconds: after each chapter.
    """

    def __init__(self, stage: Stage, console: Console, pause_seconds: float) -> None:
        self._stage = stage
        self._board = stage.board
        self._console = console
        self._pause_seconds = pause_seconds
        self._before = self._board.told()

    async def tell(self) -> None:
        """Tell all of it."""
        await self._arrivals()
        await self._a_full_cluster()
        await self._a_taint_removed()
        await self._a_node_fails()
        await self._a_backlog()

    async def _arrivals(self) -> None:
        await self._chapter()
        web = pod_spec("500m", tolerations=LEAVES_FAILED_NODES)
        labels = {"app": "web"}
        deployment = {
            "metadata": {"name": "web"},
            "spec": {
                "replicas": REPLICAS,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": web},
            },
        }
        await self._stage.create(DEPLOYMENTS, deployment)
        await self._show(
            "1. Six replicas arrive: each goes where most is left",
            lambda: len(self._board.bound() & self._board.decided()) == REPLICAS,
        )

    async def _a_full_cluster(self) -> None:
        await self._chapter()
        batch = [f"batch-{i}" for i in range(9)]
        for name in (*batch, "late"):
            await self._pod(name, "3")
        await self._pod("huge", "64")
        await self._show(
            "2. Big jobs fill the nodes: one comes too late, one fits nowhere",
            lambda: self._board.bound() >= {*batch} and self._board.decided() >= {"late", "huge"},
        )
        await self._chapter()
        await self._stage.delete(f"{PODS}/batch-0")
        await self._show(
            "   ... batch-0 ends, and its room goes to the late one",
            lambda: "late" in self._board.bound(),
        )

    async def _a_taint_removed(self) -> None:
        await self._chapter()
        on_gpu = {"nodeSelector": {"accelerator": "gpu"}}
        tolerates = {"tolerations": [{"key": "gpu", "operator": "Exists"}]}
        await self._pod("training", "2", **on_gpu, **tolerates)
        await self._pod("impatient", "2", **on_gpu)
        await self._show(
            "3. Gpu nodes are tainted: one pod tolerates that",
            lambda: "training" in self._board.bound() and "impatient" in self._board.decided(),
        )
        await self._chapter()
        await self._stage.patch("/api/v1/nodes/gpu-1", {"spec": {"taints": None}})
        await self._show(
            "   ... the taint on gpu-1 is removed", lambda: "impatient" in self._board.bound()
        )

    async def _a_node_fails(self) -> None:
        await self._chapter()
        pods = await self._stage.items(PODS)
        failing = next(
            pod["spec"]["nodeName"]
            for pod in pods
            if pod["metadata"].get("labels", {}).get("app") == "web"
        )
        before = self._board.bound()
        fault = {"metadata": {"annotations": {"kubelet.pilotfish/fault": "NotReady"}}}
        await self._stage.patch(f"/api/v1/nodes/{failing}", fault)
        await self._show(
            f"4. {failing} fails: its replica is made anew, and goes elsewhere",
            lambda: len(self._board.bound()) > len(before),
        )

    async def _a_backlog(self) -> None:
        await self._chapter()
        names = [f"backlog-{i}" for i in range(BACKLOG)]
        started = time.monotonic()
        await asyncio.gather(*(self._pod(name, "20m") for name in names))
        title = f"5. A backlog of {BACKLOG}: the emptiest nodes take most, the failed one none"
        with Live(self._board.by_node(title), console=self._console) as live:
            await self._stage.until(lambda: self._board.bound() >= {*names}, "the backlog's end")
            took = time.monotonic() - started
            live.update(self._board.by_node(title))
        self._console.print(f"\n{BACKLOG} pods created and bound in {took:.1f} s.\n")

    async def _pod(self, name: str, cpu: str, **more: Any) -> None:
        await self._stage.create(PODS, {"metadata": {"name": name}, "spec": pod_spec(cpu, **more)})

    async def _chapter(self) -> None:
        """Begin a chapter: what has been told is not told again."""
        pods = await self._stage.items(PODS)
        self._board.keep({pod["metadata"]["name"] for pod in pods})
        self._before = self._board.told()

    async def _show(self, title: str, happened: Callable[[], bool]) -> None:
        """Draw the chapter live until it has come true."""

        def draw() -> Table:
            return self._board.by_pod(title, self._before)

        def drawn_and_happened() -> bool:
            live.update(draw())
            return happened()

        with Live(draw(), console=self._console, refresh_per_second=20) as live:
            await self._stage.until(drawn_and_happened, title.strip())
        self._console.print()
        await asyncio.sleep(self._pause_seconds)
