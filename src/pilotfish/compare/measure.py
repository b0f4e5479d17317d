"""Measure: plays the arrivals to one scheduler and notes what becomes of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from pilotfish.client import ApiClient, ClientError
from pilotfish.compare.arrivals import Arrival, Workload, arrivals
from pilotfish.compare.cluster_access import ClusterAccess
from pilotfish.compare.counting_proxy import CountingProxy
from pilotfish.compare.heard import Heard
from pilotfish.compare.pod_times import PodMeter, PodTimes
from pilotfish.compare.run import Run
from pilotfish.compare.scheduler_process import SchedulerProcess
from pilotfish.compare.shapes import SHAPES, pod_manifest
from pilotfish.compare.traffic import Traffic
from pilotfish.runtime.chance import repeatable

QUIET_SECONDS: Final = 30.0  # without news after which a run is given up
LOOK_SECONDS: Final = 0.5  # between two looks at a process that may have ended


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for all runs.

    Attributes:
        name: which no other comparison on the same cluster has; namespaces begin with it.
        warm_up: pods before the arrivals, one after the other, that are not measured.
        seed: of the arrivals; each repetition has its own.
        quiet_seconds: without news after which a run is given up.
        folder: for kubeconfigs and logs.
    """

    name: str
    workload: Workload
    folder: Path
    warm_up: int = 2
    seed: int = 0
    quiet_seconds: float = QUIET_SECONDS


class UnfinishedError(Exception):
    """A run cannot be finished."""


async def measure(client: ApiClient, plan: Plan, run: Run) -> None:
    """Fill in a run; what was measured until it is cancelled or fails stays in it."""
    run.started_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        await _Measurement(client, plan, run).play()
    except UnfinishedError as trouble:
        run.trouble = str(trouble)
    except ClientError as error:
        run.trouble = f"the API server refused: {error}"
    except asyncio.CancelledError:
        run.trouble = "interrupted"
        raise


class _Measurement:
    """One run while it is played."""

    def __init__(self, client: ApiClient, plan: Plan, run: Run) -> None:
        self._client = client
        self._cluster = ClusterAccess(client)
        self._plan = plan
        self._run = run
        self._contender = run.contender
        self._meter = PodMeter(time.monotonic)
        self._proxy: CountingProxy | None = None
        self._process: SchedulerProcess | None = None
        self._namespace = f"{plan.name}-{run.repetition}-{run.place}"

    async def play(self) -> None:
        """Start the scheduler, warm up, play the arrivals and count."""
        run, cluster = self._run, self._cluster
        run.nodes = await cluster.count_nodes()
        async with cluster.namespace(self._namespace):
            async with cluster.watched_pods(self._namespace, self._meter.take), self._scheduler():
                await self._warm_up()
                await self._measure()
            run.events = await cluster.count_events(self._namespace, {pod.name for pod in run.pods})

    @asynccontextmanager
    async def _scheduler(self) -> AsyncIterator[None]:
        """Start the contender behind a proxy that counts, if it is not there already."""
        if not self._contender.is_started:
            yield
            return
        folder, stem = self._plan.folder, self._namespace
        kubeconfig = folder / f"{stem}.kubeconfig"
        async with AsyncExitStack() as stack:
            self._proxy = CountingProxy(self._client.config)
            await stack.enter_async_context(self._proxy.serving(kubeconfig))
            argv = self._contender.argv(str(kubeconfig))
            self._process = await stack.enter_async_context(
                SchedulerProcess.started(argv, kubeconfig, folder / f"{stem}.log")
            )
            yield

    async def _warm_up(self) -> None:
        """Have a few pods bound, so that starting up is over, and forget them."""
        meter = self._meter
        for i in range(self._plan.warm_up):
            times = await self._create(Arrival(f"warm-up-{i}", "pause", 0.0), [])
            await self._until(partial(_is_bound, times))
            await self._cluster.delete_pod(self._namespace, times.name)
        await self._until(lambda: not meter.unfinished())
        meter.pods.clear()
        meter.gone.clear()

    async def _measure(self) -> None:
        run, began = self._run, time.monotonic()
        used = self._process.usage() if self._process else None
        if self._process and self._proxy:
            run.heard = self._process.heard = Heard()
            run.traffic = self._proxy.traffic = Traffic()
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._arrive(began, tasks)
            await self._until(lambda: all(pod.running for pod in self._meter.pods.values()))
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            self._conclude(began)
            if self._process and used:
                now = self._process.usage()
                run.cpu_seconds = now.cpu_seconds - used.cpu_seconds
                run.peak_bytes = now.peak_bytes

    def _conclude(self, began: float) -> None:
        run = self._run
        run.wall_seconds = time.monotonic() - began
        if run.heard is not None:
            for pod in run.pods:
                pod.detected = run.heard.detected_at.get(f"{self._namespace}/{pod.name}")

    async def _arrive(self, began: float, tasks: asyncio.TaskGroup) -> None:
        """Create the pods when their time has come and there is room."""
        workload = self._plan.workload
        rng = repeatable(self._plan.seed + self._run.repetition)
        for arrival in arrivals(workload, rng):
            await asyncio.sleep(began + arrival.after_seconds - time.monotonic())
            if workload.limit:
                await self._until(lambda: self._meter.unfinished() < workload.limit)
            tasks.create_task(self._live(arrival))

    async def _live(self, arrival: Arrival) -> None:
        """Let one pod come and, where there is a limit, go."""
        times = await self._create(arrival, self._run.pods)
        if self._plan.workload.limit:
            await self._until(lambda: times.running is not None)
            await asyncio.sleep(self._plan.workload.hold_seconds)
            await self._cluster.delete_pod(self._namespace, arrival.name)

    async def _create(self, arrival: Arrival, among: list[PodTimes]) -> PodTimes:
        times = self._meter.expect(arrival.name, arrival.shape)
        among.append(times)
        shape, scheduler_name = SHAPES[arrival.shape], self._contender.scheduler_name
        manifest = pod_manifest(arrival.name, shape, scheduler_name)
        await self._cluster.create_pod(self._namespace, manifest)
        return times

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Wait, as long as there is news and the scheduler lives.

        Raises:
            UnfinishedError: it will not be so.
        """
        quiet_since = time.monotonic()
        progress = self._meter.progress()
        while not await self._meter.until(is_so, LOOK_SECONDS):
            if self._process and self._process.ended:
                raise UnfinishedError(self._process.ended)
            now = time.monotonic()
            if progress != (progress := self._meter.progress()):
                quiet_since = now
            elif now - quiet_since > self._plan.quiet_seconds:
                raise UnfinishedError(self._why_quiet())

    def _why_quiet(self) -> str:
        pods = self._meter.pods.values()
        unbound = [pod.name for pod in pods if pod.bound is None]
        stuck = unbound or [pod.name for pod in pods if pod.running is None]
        what = "is not bound" if unbound else "does not run"
        name = self._contender.scheduler_name
        return (
            f"nothing happened for {self._plan.quiet_seconds:g} s: {self._namespace}/{stuck[0]} "
            f"(of {len(stuck)}) {what}; does a scheduler answer to schedulerName {name}?"
            if stuck
            else f"nothing happened for {self._plan.quiet_seconds:g} s"
        )


def _is_bound(pod: PodTimes) -> bool:
    return pod.bound is not None
