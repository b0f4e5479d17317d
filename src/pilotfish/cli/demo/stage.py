"""The stage: an embedded cluster and a scheduler, as child processes, for one story."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from pilotfish.cli.demo.board import Board
from pilotfish.client import ApiClient, load_config
from pilotfish.runtime.children import child, embedded_cluster
from pilotfish.runtime.objects import Objects

SCHEDULER = "pilotfish"
PATIENCE_SECONDS = 30.0

CLUSTER = {
    "nodeGroups": [
        {"name": "node", "count": 9, "zones": ["a", "b", "c"]},
        {
            "name": "gpu",
            "count": 3,
            "zones": ["a", "b", "c"],
            "labels": {"accelerator": "gpu"},
            "taints": ["gpu:NoSchedule"],
        },
    ],
    "kubelet": {"pull": {"seconds": 0.1}, "stop": {"seconds": 0.1}},
}


class StoryError(Exception):
    """What should have happened did not."""


class Stage(Objects):
    """The cluster's API, and the board that shows what the scheduler does there."""

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client)
        self.board = Board()
        self._news = asyncio.Event()

    async def follow(self, scheduler: asyncio.subprocess.Process) -> None:
        """Let the board read the scheduler's log until it ends."""
        if scheduler.stdout is not None:
            async for line in scheduler.stdout:
                self.board.read(line)
                self._news.set()

    async def until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait until the board shows that something has happened.

        Raises:
            StoryError: it does not.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not happened():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as error:
            raise StoryError(f"waited {PATIENCE_SECONDS:.0f} s for {what}") from error


@asynccontextmanager
async def raised_stage(
    folder: Path,
    nodes: Mapping[str, Any] = CLUSTER,
    options: Sequence[str] = (),
    prepare: Callable[[Stage], Awaitable[None]] | None = None,
) -> AsyncIterator[Stage]:
    """Start a cluster and a scheduler; both end with the block.

    Args:
        folder: an empty one, for the kubeconfig and the log of the cluster.
        nodes: the configuration of the cluster.
        options: further ones of `pilotfish run`.
        prepare: called before the scheduler starts.

    Raises:
        StartError: the cluster does not start.
    """
    config = folder / "cluster.json"
    config.write_bytes(msgspec.json.encode(nodes))  # JSON is YAML
    options = ("--log-format", "json", "--log-level", "debug", *options)
    async with embedded_cluster(folder, "--config", str(config), "--seed", "1") as kubeconfig:
        client = ApiClient(load_config(kubeconfig, None, os.environ))
        where = ("--kubeconfig", str(kubeconfig), "--scheduler-name", SCHEDULER)
        async with client:
            stage = Stage(client)
            if prepare is not None:
                await prepare(stage)
            async with child("run", *where, *options) as scheduler:
                reader = asyncio.create_task(stage.follow(scheduler))
                yield stage
                reader.cancel()
