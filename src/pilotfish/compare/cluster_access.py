"""Cluster access: the few things that are asked of the cluster in which is measured."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Final

import msgspec

from pilotfish.client import ApiClient, ApiError, Event, Reflector, reflect
from pilotfish.compare.pod_times import SeenPod
from pilotfish.runtime.chance import repeatable

NAMESPACES: Final = "/api/v1/namespaces"
SETTLE_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 30.0
DELETE_NOW: Final = msgspec.json.encode(
    {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
)


class ClusterAccess:
    """Creates, watches and deletes in namespaces of its own."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def count_nodes(self) -> int:
        """Count the nodes that take pods."""
        return sum(
            not node["spec"].get("unschedulable") and not node["spec"].get("taints")
            for node in await self._items("/api/v1/nodes")
        )

    @asynccontextmanager
    async def namespace(self, name: str) -> AsyncIterator[None]:
        """Create a namespace, and delete it with all that is in it."""
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await self._client.request("POST", NAMESPACES, body=msgspec.json.encode(manifest))
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
        body = msgspec.json.encode(manifest)
        await self._client.request("POST", f"{NAMESPACES}/{namespace}/pods", body=body)

    async def delete_pod(self, namespace: str, name: str) -> None:
        """Delete a pod at once; one that is gone is fine."""
        with suppress(ApiError):
            path = f"{NAMESPACES}/{namespace}/pods/{name}"
            await self._client.request("DELETE", path, body=DELETE_NOW)

    async def count_events(self, namespace: str, pods: Container[str]) -> Counter[str]:
        """Count the Events about some pods of a namespace by reason."""
        events = await self._items(f"{NAMESPACES}/{namespace}/events")
        return Counter(
            event.get("reason") or ""
            for event in events
            if event["involvedObject"].get("name") in pods
        )

    async def _items(self, path: str) -> list[dict[str, Any]]:
        response = await self._client.request("GET", path)
        items: list[dict[str, Any]] = msgspec.json.decode(response.body)["items"]
        return items

    async def _delete_namespace(self, name: str) -> None:
        path = f"{NAMESPACES}/{name}"
        with suppress(ApiError):
            await self._client.request("DELETE", f"{path}/pods", body=DELETE_NOW)
        with suppress(ApiError):
            await self._client.request("DELETE", path)
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
