"""The subject: the scheduler that is examined, and the cluster in which it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from pilotfish.client import ApiClient, ApiError
from pilotfish.compare.cluster_access import NAMESPACES, ClusterAccess
from pilotfish.compare.pod_times import PodMeter, PodTimes
from pilotfish.compare.scheduler_process import SchedulerProcess
from pilotfish.compare.shapes import SHAPES, pod_manifest
from pilotfish.lab.probing_proxy import ProbingProxy

LOOK_SECONDS: Final = 0.2
QUIET_SECONDS: Final = 3.0  # polling every two seconds has had its chance
NODES: Final = "/api/v1/nodes"
MERGE_PATCH: Final = "application/merge-patch+json"


class Subject:
    """Makes pods for a scheduler and says what it does with them.

    Attributes:
        scheduler_name: what pods ask for.
        namespace: of the examination's own.
        pods: what was seen of them, by name.
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
        body = msgspec.json.encode(patch)
        await self.client.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def events(self, name: str) -> list[dict[str, Any]]:
        """List the Events about a pod."""
        path = f"{NAMESPACES}/{self.namespace}/events"
        found = await self.get(path)
        return [one for one in found["items"] if one["involvedObject"].get("name") == name]

    async def get_all(self, path: str, label_selector: str) -> list[dict[str, Any]]:
        """List the objects that a selector selects."""
        params = {"labelSelector": label_selector}
        response = await self.client.request("GET", path, params=params)
        items: list[dict[str, Any]] = msgspec.json.decode(response.body)["items"]
        return items

    async def found(self, path: str, what: Callable[[dict[str, Any]], str]) -> str:
        """Wait until an object says something; empty when the patience is over."""
        deadline = time.monotonic() + self.patience_seconds
        while time.monotonic() < deadline:
            if said := what(await self.get(path)):
                return said
            await asyncio.sleep(LOOK_SECONDS)
        return ""

    async def event(self, name: str, reason: str) -> dict[str, Any] | None:
        """Wait for an Event about a pod; None when the patience is over."""
        deadline = time.monotonic() + self.patience_seconds
        while time.monotonic() < deadline:
            for one in await self.events(name):
                if one["reason"] == reason:
                    return one
            await asyncio.sleep(LOOK_SECONDS)
        return None

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
