"""The client against a real kube-apiserver."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from operator import attrgetter
from pathlib import Path

import msgspec
import pytest

from controlplane import ControlPlane
from loopback_server import in_loop
from pilotfish.client import (
    ApiClient,
    ApiError,
    Apply,
    ClientError,
    Delete,
    Event,
    Init,
    InitApply,
    InitDone,
    Reflector,
    Timing,
    list_all,
    load_config,
    reflect,
)

pytestmark = pytest.mark.controlplane


class Meta(msgspec.Struct, rename="camel"):
    """Identity."""

    name: str
    resource_version: str


class Named(msgspec.Struct):
    """Any object."""

    metadata: Meta


def decode(data: bytes | msgspec.Raw) -> Named:
    return msgspec.json.decode(data, type=Named)


class Store:
    """Names of the objects that are there, as the events tell."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.listed: set[str] = set()
        self.lists = 0
        self.troubles: list[ClientError] = []
        self.changed = asyncio.Event()

    def apply(self, event: Event[Named]) -> None:
        """Take an event."""
        match event:
            case Init():
                self.listed = set()
            case InitApply(obj):
                self.listed.add(obj.metadata.name)
            case InitDone():
                self.names = self.listed
                self.lists += 1
            case Apply(obj):
                self.names.add(obj.metadata.name)
            case Delete(obj):
                self.names.discard(obj.metadata.name)
        self.changed.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until the events have made something true."""
        async with asyncio.timeout(60):
            while not reached():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[ApiClient]:
    """Enter a client."""
    async with ApiClient(load_config(kubeconfig, None, {})) as client:
        yield client


@asynccontextmanager
async def reflecting(client: ApiClient, path: str) -> AsyncIterator[Store]:
    """Reflect a collection in pages of two."""
    store = Store()
    reflection = reflect(
        client,
        path,
        Reflector(decode, version_of=attrgetter("metadata.resource_version"), page_limit=2),
        store.apply,
        rng=random.Random(1),
        on_trouble=store.troubles.append,
        timing=Timing(backoff=0.1, backoff_max=0.5),
    )
    task = asyncio.create_task(reflection)
    try:
        yield store
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def create(client: ApiClient, collection: str, name: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    answer = await client.request("POST", collection, body=msgspec.json.encode(body))
    assert answer.status == 201


def test_a_store_follows_the_server_through_restarts_and_compaction(
    control_plane: ControlPlane, namespace: str
) -> None:
    collection = f"/api/v1/namespaces/{namespace}/configmaps"

    @in_loop
    async def story() -> None:
        async with connected(control_plane.kubeconfig) as client:
            for name in "abcde":
                await create(client, collection, name)
            async with reflecting(client, collection) as store:
                await store.until(lambda: set("abcde") <= store.names)
                await create(client, collection, "f")
                await client.request("DELETE", f"{collection}/a")
                await store.until(lambda: "f" in store.names and "a" not in store.names)
                assert store.troubles == []

                await asyncio.to_thread(control_plane.kill_apiserver)
                await asyncio.to_thread(control_plane.compact_etcd)
                await asyncio.to_thread(control_plane.start_apiserver)
                await create(client, collection, "g")
                await client.request("DELETE", f"{collection}/b")
                await store.until(lambda: "g" in store.names and "b" not in store.names)
                assert set("cdef") <= store.names
                assert store.lists > 1, "410 made it list anew"

    story()


def test_refusals_come_with_the_server_s_reason(
    control_plane: ControlPlane, namespace: str
) -> None:
    powerless = control_plane.service_account_kubeconfig(namespace, "powerless")

    @in_loop
    async def story() -> None:
        async with connected(powerless) as client:
            with pytest.raises(ApiError, match=r"403 nodes is forbidden: User .*powerless"):
                await list_all(client, "/api/v1/nodes", Reflector(decode), Store().apply)
        async with connected(control_plane.kubeconfig) as client:
            with pytest.raises(ApiError, match="404 no Status in the answer"):
                await list_all(client, "/apis/no.such/v1/things", Reflector(decode), Store().apply)

    story()


def test_refused_credentials_are_an_error(control_plane: ControlPlane, tmp_path: Path) -> None:
    wrong = tmp_path / "config"
    text = control_plane.kubeconfig.read_text()
    wrong.write_text(text.replace(control_plane.admin_token, "wrong"))

    @in_loop
    async def story() -> None:
        async with connected(wrong) as client:
            with pytest.raises(ApiError, match="401 Unauthorized"):
                await client.request("GET", "/api/v1/nodes")

    story()
