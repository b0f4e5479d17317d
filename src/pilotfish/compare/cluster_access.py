"""Cluster access: the few things that are asked of the cluster in which is measured."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Final

import msgspec

from pilotfish.client import ApiError, Event, Reflector, reflect
from pilotfish.compare.pod_times import SeenPod
from pilotfish.runtime.chance import repeatable
from pilotfish.runtime.objects import Objects

NAMESPACES: Final = "/api/v1/namespaces"
NODES: Final = "/api/v1/nodes"
SETTLE_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 30.0
DELETE_NOW: Final = msgspec.json.encode(
    {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
)


class ClusterAccess(Objects):
    """Creates, watches and deletes in namespaces of its own."""

    async def count_nodes(self) -> int:
        """Count the nodes that take pods."""
        return sum(
            not node["spec"].get("unschedulable") and not node["spec"].get("taints")
            for node in await self.items(NODES)
        )

    @asynccontextmanager
    async def namespace(self, name: str) -> AsyncIterator[None]:
        """Create a namespace, and delete it with all that is in it."""
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await self.create(NAMESPACES, manifest)
        try:
            account = f"{NAMESPACES}/{name}/serviceaccounts/default"
            await self._until(account, is_there=True)  # pods are refused until a controller made it
            yield
        finally:
            await self._delete_namespace(name)

    @asynccontextmanager
    async def watched_pods(
        self, namespace: str, on_event: Callable[[Event[SeenPod]], None]
    ) -> AsyncIterator[None]:
        """Pass on the events of a namespace's pods."""
        decoder = msgspec.json.Decoder(SeenPod)
        reflector: Reflector[SeenPod] = Reflector(decoder.decode)
        path, rng = f"{NAMESPACES}/{namespace}/pods", repeatable(0)
        watching = asyncio.create_task(reflect(self._client, path, reflector, on_event, rng=rng))
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def create_pod(self, namespace: str, manifest: dict[str, Any]) -> None:
        """Create a pod."""
        await self.create(f"{NAMESPACES}/{namespace}/pods", manifest)

    async def delete_pod(self, namespace: str, name: str) -> None:
        """Delete a pod at once; one that is gone is fine."""
        with suppress(ApiError):
            path = f"{NAMESPACES}/{namespace}/pods/{name}"
            await self._client.request("DELETE", path, body=DELETE_NOW)

    async def count_events(self, namespace: str, pods: Container[str]) -> Counter[str]:
        """Count the Events about some pods of a namespace by reason."""
        events = await self.items(f"{NAMESPACES}/{namespace}/events")
        return Counter(
            event.get("reason") or ""
            for event in events
            if event["involvedObject"].get("name") in pods
        )

    async def _delete_namespace(self, name: str) -> None:
        path = f"{NAMESPACES}/{name}"
        with suppress(ApiError):
            await self._client.request("DELETE", f"{path}/pods", body=DELETE_NOW)
        with suppress(ApiError):
            await self.delete(path)
            await self._until(path, is_there=False)

    async def _until(self, path: str, *, is_there: bool) -> None:
        """Wait until an object is there or gone; for some time only."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    if await self._exists(path) is is_there:
                        return
                    await asyncio.sleep(SETTLE_SECONDS)

    async def _exists(self, path: str) -> bool:
        try:
            await self._client.request("GET", path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True
