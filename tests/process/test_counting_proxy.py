"""The proxy that counts a scheduler's requests."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from loopback_server import Loopback, answer, in_loop, loopback, refusal, refusing_address
from pilotfish.client import ApiClient, ApiError, ClusterConfig, load_config
from pilotfish.client.credentials import Credential, StaticCredential
from pilotfish.compare.counting_proxy import CountingProxy

POD = "/api/v1/namespaces/default/pods/a"


@asynccontextmanager
async def proxied(server: Loopback, folder: Path) -> AsyncIterator[tuple[CountingProxy, ApiClient]]:
    """Put a proxy with the admin's credentials before a server, and a client before the proxy."""
    admin = StaticCredential(Credential("Bearer admin"))
    proxy = CountingProxy(ClusterConfig(server=server.url, source="test", credentials=admin))
    kubeconfig = folder / "kubeconfig"
    async with (
        proxy.serving(kubeconfig),
        ApiClient(load_config(kubeconfig, None, {})) as client,
    ):
        yield proxy, client


@in_loop
async def test_requests_are_passed_on_with_the_clusters_credentials_and_counted(
    tmp_path: Path,
) -> None:
    async with (
        loopback(answer(201, {"kind": "Status"})) as server,
        proxied(server, tmp_path) as (proxy, client),
    ):
        response = await client.request("POST", f"{POD}/binding", body=b'{"a": 1}')
        await client.request("GET", "/api/v1/pods", params={"labelSelector": "app in (a,b)"})
    assert (response.status, msgspec.json.decode(response.body)) == (201, {"kind": "Status"})
    assert proxy.traffic.requests == {"create pods/binding": 1, "list pods": 1}
    assert proxy.traffic.bytes_sent == len(b'{"a": 1}')
    assert proxy.traffic.bytes_received == 2 * len(response.body)
    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer admin"] * 2
    assert dict(server.requests[1].query) == {"labelSelector": "app in (a,b)"}


@in_loop
async def test_refusals_pass_through_as_they_are(tmp_path: Path) -> None:
    async with (
        loopback(refusal(409, "already assigned")) as server,
        proxied(server, tmp_path) as (_, client),
    ):
        with pytest.raises(ApiError, match="already assigned") as raised:
            await client.request("POST", f"{POD}/binding", body=b"{}")
    assert raised.value.status == 409


@in_loop
async def test_who_does_not_have_the_proxys_token_is_refused(tmp_path: Path) -> None:
    async with (
        loopback(answer(200, {})) as server,
        proxied(server, tmp_path) as (proxy, client),
    ):
        anonymous = replace(client.config, credentials=StaticCredential())
        async with ApiClient(anonymous) as stranger:
            with pytest.raises(ApiError) as raised:
                await stranger.request("GET", "/api/v1/pods")
    assert raised.value.status == 401
    assert not server.requests
    assert not proxy.traffic.requests


@in_loop
async def test_a_server_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    with refusing_address() as address:
        async with proxied(Loopback([], url=address), tmp_path) as (_, client):
            with pytest.raises(ApiError, match="the API server does not answer") as raised:
                await client.request("GET", "/api/v1/pods")
    assert raised.value.status == 502


@in_loop
async def test_the_kubeconfig_with_the_token_is_the_owners_alone(tmp_path: Path) -> None:
    async with loopback(answer(200, {})) as server, proxied(server, tmp_path):
        mode = stat.S_IMODE((tmp_path / "kubeconfig").stat().st_mode)
    assert mode == 0o600
