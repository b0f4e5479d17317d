"""The proxy that cuts a scheduler's watches."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from loopback_server import in_loop, loopback, silence
from pilotfish.client import ApiClient, ClusterConfig, load_config
from pilotfish.client.credentials import Credential, StaticCredential
from pilotfish.lab.probing_proxy import ProbingProxy


@in_loop
async def test_watch_that_is_not_yet_answered_is_not_cut(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def watch(request: web.BaseRequest) -> web.StreamResponse:
        asked.set()
        return await silence(request)

    async with loopback(watch) as server:
        admin = StaticCredential(Credential("Bearer admin"))
        proxy = ProbingProxy(ClusterConfig(server=server.url, source="test", credentials=admin))
        kubeconfig = tmp_path / "kubeconfig"
        async with (
            proxy.serving(kubeconfig),
            ApiClient(load_config(kubeconfig, None, {})) as client,
        ):
            asking = asyncio.create_task(client.request("GET", "/api/v1/pods?watch=true"))
            await asked.wait()
            assert proxy.cut_watches() == 0
            asking.cancel()
