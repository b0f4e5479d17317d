"""A proxy in front of the API server that counts what one scheduler asks."""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

from pilotfish.apiserver.certificates import make_certificate
from pilotfish.client import ClusterConfig
from pilotfish.client.tls import ssl_context
from pilotfish.compare.traffic import Traffic, request_of

LOOPBACK: Final = "127.0.0.1"
BODY_BYTES: Final = 64 * 1024 * 1024
TOKEN_BYTES: Final = 16
HOP_BY_HOP: Final = frozenset(
    {"authorization", "connection", "content-length", "host", "keep-alive", "transfer-encoding"}
)


class CountingProxy:
    """Passes requests on with the credentials of a kubeconfig; whoever asks needs its own token.

    Attributes:
        traffic: what was asked; may be replaced to count anew.
    """

    def __init__(self, config: ClusterConfig) -> None:
        self.traffic = Traffic()
        self._config = config
        self._token = secrets.token_hex(TOKEN_BYTES)

    @asynccontextmanager
    async def serving(self, kubeconfig: Path) -> AsyncIterator[None]:
        """Serve on a free loopback port, which a kubeconfig of mode 0600 names."""
        certificate = make_certificate([LOOPBACK])
        credential = await self._config.credentials.current()
        tls = ssl_context(self._config.tls, credential.certificate, self._config.source)
        connector = aiohttp.TCPConnector(ssl=tls, limit=0)
        unlimited = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with aiohttp.ClientSession(
            connector=connector, auto_decompress=False, timeout=unlimited
        ) as session:
            self._session = session
            app = web.Application(client_max_size=BODY_BYTES)
            app.router.add_route("*", "/{path:.*}", self.answer)
            runner = web.AppRunner(
                app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
            )
            await runner.setup()
            try:
                await web.TCPSite(runner, LOOPBACK, 0, ssl_context=certificate.context()).start()
                port = runner.addresses[0][1]
                self._write(kubeconfig, f"https://{LOOPBACK}:{port}", certificate.authority)
                yield
            finally:
                await runner.cleanup()

    def _write(self, path: Path, server: str, authority: bytes) -> None:
        ca = base64.b64encode(authority).decode()
        entries = {
            "clusters": {"cluster": {"server": server, "certificate-authority-data": ca}},
            "users": {"user": {"token": self._token}},
            "contexts": {"context": {"cluster": "compare", "user": "compare"}},
        }
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "compare"} | {
            kind: [{"name": "compare"} | entry] for kind, entry in entries.items()
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(config, file)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Count a request and pass it on."""
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return web.json_response(status_of(401, "Unauthorized"), status=401)
        asked = request_of(request.method, request.path, request.query)
        self.traffic.requests[asked] += 1
        body = await request.read()
        self.traffic.bytes_sent += len(body)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        credential = await self._config.credentials.current()
        if credential.authorization:
            headers["Authorization"] = credential.authorization
        try:
            async with self._session.request(
                request.method,
                URL(self._config.server + request.raw_path, encoded=True),
                headers=headers,
                data=body or None,
                proxy=self._config.proxy or None,
                server_hostname=self._config.tls.server_name or None,
                allow_redirects=False,
            ) as answer:
                return await self._pass_on(request, answer)
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            text = f"the API server does not answer: {error}"
            return web.json_response(status_of(502, text), status=502)

    async def _pass_on(
        self, request: web.Request, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
        response = web.StreamResponse(status=answer.status, headers=headers)
        if answer.content_length is not None:
            response.content_length = answer.content_length
        traffic = self.traffic
        try:
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                traffic.bytes_received += len(chunk)
                await response.write(chunk)
            await response.write_eof()
        except (aiohttp.ClientError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()  # one of the two left in the middle: so does the other
        return response


def status_of(code: int, message: str) -> dict[str, object]:
    """Make a Status that refuses."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": {401: "Unauthorized"}.get(code, "ServiceUnavailable"),
        "message": message,
    }
