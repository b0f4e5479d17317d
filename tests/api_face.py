"""Asks the HTTP face of an embedded cluster without a socket."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request

from pilotfish.apiserver.server import ApiServer
from pilotfish.cluster.authentication import ADMIN
from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.settings import ClusterSettings, NodeGroup

NOW = 1_800_000_000.0
BEARER = "of-one-test"


class Answer(msgspec.Struct):
    """What a client gets."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class Face:
    """A cluster behind its HTTP face; time stands still unless it is moved."""

    def __init__(self, nodes: int = 0) -> None:
        self.now = NOW
        settings = ClusterSettings(node_groups=(NodeGroup(count=nodes),) if nodes else ())
        self.cluster = Cluster(
            rng=random.Random(0), settings=settings, now=NOW, tokens={BEARER: ADMIN}
        )
        self.server = ApiServer(self.cluster, lambda: self.now, "127.0.0.1:6443")
        if nodes:
            self.cluster.advance(NOW)

    def ask(
        self, method: str, path: str, body: Any = None, *, bearer: str = BEARER, **headers: str
    ) -> Answer:
        """Send a request; `Content_Type="..."` is the header Content-Type."""
        return asyncio.run(self.asking(method, path, body, bearer=bearer, **headers))

    async def asking(
        self, method: str, path: str, body: Any = None, *, bearer: str = BEARER, **headers: str
    ) -> Answer:
        """Send a request beside others."""
        content = body if isinstance(body, bytes) else b"" if body is None else _encode(body)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if bearer:
            sent.setdefault("Authorization", f"Bearer {bearer}")
        loop = asyncio.get_running_loop()
        protocol = BaseProtocol(loop)
        payload = StreamReader(protocol, 2**25, loop=loop)
        payload.feed_data(content)
        payload.feed_eof()
        request = make_mocked_request(method, path, headers=sent, payload=payload, loop=loop)
        response = await self.server.handle(request)
        assert isinstance(response, web.Response), "a stream: read it with a real client"
        text = response.body
        assert text is None or isinstance(text, bytes)
        return Answer(response.status, response.headers, text or b"")


def _encode(body: Any) -> bytes:
    return msgspec.json.encode(body)


def config_map(name: str, **data: str) -> dict[str, Any]:
    """Make a ConfigMap."""
    return {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": name},
        "data": data,
    }
