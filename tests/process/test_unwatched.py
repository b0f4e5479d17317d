"""Kinds that cannot be watched are listed, and lived without when that fails."""

from __future__ import annotations

import asyncio
import logging

import pytest

from loopback_server import answer, in_loop, loopback, refusal
from pilotfish.api.node_metrics import NodeMetrics
from pilotfish.client import ApiClient, ClusterConfig
from pilotfish.core.inputs import Input, Replaced
from pilotfish.runtime.feed import Kind, kinds_for
from pilotfish.runtime.unwatched import list_forever

METRICS = {
    "kind": "NodeMetricsList",
    "metadata": {},
    "items": [{"metadata": {"name": "n1"}, "usage": {"cpu": "1500m", "memory": "2Gi"}}],
}


def metrics_kind() -> Kind:
    (kind,) = (kind for kind in kinds_for({"nodes.metrics.k8s.io"}) if not kind.is_watchable)
    return kind


async def first_input(url: str, caplog: pytest.LogCaptureFixture) -> Input:
    """Return what the scheduler is told after one request."""
    told: asyncio.Queue[Input] = asyncio.Queue()
    caplog.set_level(logging.INFO)
    async with ApiClient(ClusterConfig(server=url, source="test")) as client:
        listing = asyncio.create_task(
            list_forever(client, metrics_kind(), told.put_nowait, logging.getLogger("usage"))
        )
        news = await told.get()
        listing.cancel()
        return news


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "usage"]


@in_loop
async def test_usage_is_told_with_names_for_uids(caplog: pytest.LogCaptureFixture) -> None:
    async with loopback(answer(body=METRICS)) as server:
        news = await first_input(server.url, caplog)
        assert server.requests[0].path == "/apis/metrics.k8s.io/v1beta1/nodes"
    assert isinstance(news, Replaced)
    (metrics,) = news.objects
    assert isinstance(metrics, NodeMetrics)
    assert metrics.uid == "n1"
    assert metrics.amounts == {"cpu": 1500, "memory": 2 * 2**30}
    assert not said(caplog)


@pytest.mark.parametrize("status", [403, 404, 503])
@in_loop
async def test_without_an_answer_no_usage_is_known(
    caplog: pytest.LogCaptureFixture, status: int
) -> None:
    async with loopback(refusal(status)) as server:
        news = await first_input(server.url, caplog)
    assert news == Replaced("nodes.metrics.k8s.io", ())
    (message,) = said(caplog)
    assert message.startswith("nodes.metrics.k8s.io cannot be read, plugins go on without: ")
