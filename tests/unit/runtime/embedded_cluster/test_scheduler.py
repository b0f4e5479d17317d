"""The scheduler in the process of its cluster."""

import asyncio
import logging
from pathlib import Path

import pytest

from api_face import NOW, Face
from kubeconfig_file import kubeconfig
from loopback_server import in_loop
from pilotfish.client import ClusterConfig
from pilotfish.cluster.kubelet.processes import Input, ProcessExited, ProcessOutput, StartProcess
from pilotfish.runtime.embedded_cluster.scheduler import ClusterScheduler
from pilotfish.runtime.options import RunOptions


def test_scheduler_that_fails_starts_again_and_its_log_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotfish.runtime.embedded_cluster.scheduler.RESTART_SECONDS", 0.0)
    news: list[Input] = []
    starts = 0

    async def fail_once(
        _options: RunOptions,
        _config: ClusterConfig,
        log: logging.Logger,
        stopping: asyncio.Event,
    ) -> None:
        nonlocal starts
        starts += 1
        if starts == 1:
            raise ZeroDivisionError("a fault")
        log.info("here again")
        stopping.set()

    @in_loop
    async def run() -> None:
        cluster = Face(nodes=1).cluster
        scheduler = ClusterScheduler(cluster, news.append, lambda: NOW, fail_once)
        scheduler.start(StartProcess("uid", "c", (), {}, {}))
        config = kubeconfig(tmp_path / "config", user={"token": "t"})
        await scheduler.run(RunOptions(kubeconfig=config), asyncio.Event())
        scheduler.start(StartProcess("uid", "c", (), {}, {}))

    run()
    assert starts == 2
    assert ProcessExited("uid", "c", 1) in news
    lines = [each.line for each in news if isinstance(each, ProcessOutput)]
    assert "ZeroDivisionError: a fault" in lines
    assert lines[-1] == "here again"
