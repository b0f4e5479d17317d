"""The subject: the scheduler that is examined, and the cluster in which it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from pilotfish.client import ApiClient, ApiError
from pilotfish.compare.cluster_access import NAMESPACES, ClusterAccess
from pilotfish.compare.pod_times import PodMeter, PodTimes
from pilotfish.compare.scheduler_process import SchedulerProcess
from pilotfish.compare.shapes import SHAPES, pod_manifest
from pilotfish.lab.probing_proxy import ProbingProxy

LOOK_SECONDS: Final = 0.2
QUIET_SECONDS: Final = 3.0  # polling every two seconds has had its chance

T = TypeVar("T")


class Subject:
    """Makes pods for a scheduler and says what it does with them.

    Attributes:
        scheduler_name: what pods ask for.
        namespace: of the examination's own.
        cluster: to make and look at what is no pod of its own.
        meter: what was seen of its pods.
        process: the scheduler's, where it was started for this.
        proxy: in front of the API server, where it was started for this.
    """

    def __init__(
        self, client: ApiClient, namespace: str, scheduler_name: str, patience_seconds: float
    ) -> None:
        self.client = client
        self.cluster = ClusterAccess(client)
        self.namespace = namespace
        self.scheduler_name = scheduler_name
        self.patience_seconds = patience_seconds
        self.meter = PodMeter(time.monotonic)
        self.process: SchedulerProcess | None = None
        self.proxy: ProbingProxy | None = None

    async def create(self, name: str, **spec: Any) -> PodTimes:
        """Create a pod; `spec` is merged into what a small pod has."""
        times = self.meter.expect(name, "pause")
        await self.cluster.create_pod(self.namespace, self.manifest(name, **spec))
        return times

    def manifest(self, name: str, **spec: Any) -> dict[str, Any]:
        """Make the manifest of a small pod of this scheduler."""
        manifest = pod_manifest(name, SHAPES["pause"], self.scheduler_name)
        manifest["metadata"]["labels"] = {"app": "lab-check"}
        manifest["spec"] |= spec
        return manifest

    async def is_bound(self, *pods: PodTimes) -> bool:
        """Wait for pods to be bound; gives up when the patience is over."""
        return await self._until_patience_ends(lambda: all(p.bound is not None for p in pods))

    async def runs(self, pod: PodTimes) -> bool:
        """Wait for a pod to run; gives up when the patience is over."""
        return await self._until_patience_ends(lambda: pod.running is not None)

    async def create_at_once(self, names: Sequence[str]) -> list[PodTimes]:
        """Create pods at the same moment."""
        return await asyncio.gather(*(self.create(name) for name in names))

    async def delete(self, *names: str) -> None:
        """Delete pods."""
        for name in names:
            await self.cluster.delete_pod(self.namespace, name)

    async def get(self, path: str) -> dict[str, Any]:
        """Read an object; empty where there is none."""
        try:
            response = await self.client.request("GET", path)
        except ApiError:
            return {}
        found: dict[str, Any] = msgspec.json.decode(response.body)
        return found

    async def pod(self, name: str) -> dict[str, Any]:
        """Read a pod of the examination's namespace."""
        return await self.get(f"{NAMESPACES}/{self.namespace}/pods/{name}")

    async def patch_pod(self, name: str, patch: Mapping[str, Any]) -> None:
        """Merge a patch into a pod."""
        path = f"{NAMESPACES}/{self.namespace}/pods/{name}"
        await self.cluster.patch(path, patch)

    async def events(self, name: str) -> list[dict[str, Any]]:
        """List the Events about a pod."""
        events = await self.cluster.items(f"{NAMESPACES}/{self.namespace}/events")
        return [one for one in events if one["involvedObject"].get("name") == name]

    async def event(self, name: str, reason: str) -> dict[str, Any] | None:
        """Wait for an Event about a pod; None when the patience is over."""

        async def look() -> dict[str, Any] | None:
            return next((one for one in await self.events(name) if one["reason"] == reason), None)

        return await self.eventually(look)

    async def eventually(self, look: Callable[[], Awaitable[T]]) -> T:
        """Look until something true is seen or the patience is over; returns what was seen last."""
        deadline = time.monotonic() + self.patience_seconds
        while True:
            seen = await look()
            if seen or time.monotonic() > deadline:
                return seen
            await asyncio.sleep(LOOK_SECONDS)

    def usual_seconds(self) -> float:
        """Return how long a pod has waited at most so far; the first had to wait for a start."""
        pods = list(self.meter.pods.values())[1:]
        waits = [pod.bound - pod.created for pod in pods if pod.bound is not None]
        return max(waits, default=0.0)

    async def wait_for_nothing(self) -> None:
        """Wait long enough for a scheduler that wants to do something wrong."""
        await asyncio.sleep(max(QUIET_SECONDS, 2 * self.usual_seconds()))

    async def _until_patience_ends(self, is_so: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self.patience_seconds
        while not await self.meter.until(is_so, LOOK_SECONDS):
            if time.monotonic() > deadline:
                return False
        return True
