"""A proxy before a real API server that does what bad networks and busy servers do."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from cluster_story import Plane
from controlplane.waiting import WAIT_SECONDS

HOP_BY_HOP = {"connection", "content-encoding", "content-length", "host", "transfer-encoding"}
BODY_LIMIT = 64 * 1024 * 1024


@dataclass
class Faults:
    """What goes wrong, and how often. All off by default; may be changed while the proxy runs.

    Attributes:
        error_rate: share of requests that are answered by one of `error_statuses` instead.
        delay_seconds: the longest random delay before a request is passed on.
        watch_bytes: a watch is cut after a random number of bytes in this range.
        cut_after_bind: share of binds whose connection is cut once the server has answered.
        refuse_bind: status for every bind of these pods, by name.
        missing: path prefixes that are answered 404, as by a server without that API.
        rewrite: changes bodies: called with the request's path and a whole list or one watch line.
    """

    error_rate: float = 0.0
    error_statuses: tuple[int, ...] = (429, 500, 503)
    delay_seconds: float = 0.0
    watch_bytes: tuple[int, int] | None = None
    cut_after_bind: float = 0.0
    refuse_bind: dict[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    rewrite: Callable[[str, bytes], bytes] | None = None


class FaultProxy:
    """Serves TLS on a loopback port, signed by the control plane's own authority.

    Attributes:
        faults: what goes wrong from now on.
        injected: how many faults of each kind there were.
        requests: how many requests came, by method and last part of the path ("GET pods").
    """

    def __init__(self, control_plane: Plane, faults: Faults, seed: int = 0) -> None:
        self.faults = faults
        self.injected: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self._upstream = control_plane.url
        self._ca_file = control_plane.ca_file
        self._certificate = control_plane.ca.issue_cert("127.0.0.1")
        self._rng = random.Random(seed)
        self._open_watches: dict[int, web.Request] = {}  # a Request has no hash
        self._is_up = threading.Event()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        if not self._is_up.wait(WAIT_SECONDS):
            raise TimeoutError("the proxy did not come up")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def kubeconfig(self, original: Path) -> Path:
        """Write a copy of a kubeconfig that goes through the proxy."""
        config = json.loads(original.read_text())
        config["clusters"][0]["cluster"]["server"] = self.url
        path = original.with_name(f"{original.stem}.proxied-{self._port}.kubeconfig")
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        return path

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self._port}"

    def is_watched(self, kind: str) -> bool:
        """Whether a watch of a kind is open, so that it can be cut."""
        return any(request.path.endswith(f"/{kind}") for request in [*self._open_watches.values()])

    def cut_watches(self) -> None:
        """Cut every watch that is open, now."""

        def cut() -> None:
            for request in tuple(self._open_watches.values()):
                self._cut(request, "watch cut on request")

        self._loop.call_soon_threadsafe(cut)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(server_tls)
        client_tls = ssl.create_default_context(cafile=str(self._ca_file))
        connector = aiohttp.TCPConnector(ssl=client_tls, limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            self._session = session
            app = web.Application(client_max_size=BODY_LIMIT)
            app.router.add_route("*", "/{path:.*}", self._answer)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_tls)
            await site.start()
            self._port = runner.addresses[0][1]
            self._is_up.set()
            await self._stop.wait()
            for request in tuple(self._open_watches.values()):
                self._cut(request, "closed")
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        faults = self.faults
        path = request.path
        is_watch = request.query.get("watch") in {"1", "true"}
        verb = "WATCH" if is_watch else request.method
        self.requests[f"{verb} {path.rsplit('/', 1)[-1]}"] += 1
        if path.startswith(faults.missing or ("\0",)):
            return web.Response(status=404, text="404 page not found\n")  # as a real one says it
        if faults.delay_seconds:
            await asyncio.sleep(self._rng.uniform(0, faults.delay_seconds))
        if self._rng.random() < faults.error_rate:
            return self._inject_error(self._rng.choice(faults.error_statuses))
        is_bind = path.endswith("/binding")
        if is_bind and (status := faults.refuse_bind.get(path.split("/")[-2])):
            return self._inject_error(status)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        headers["Accept-Encoding"] = "identity"
        body = await request.read()
        url = f"{self._upstream}{request.path_qs}"
        try:
            async with self._session.request(
                request.method, url, headers=headers, data=body or None
            ) as upstream:
                if is_watch:
                    return await self._pass_watch(request, upstream)
                answer = await upstream.read()
        except aiohttp.ClientError:
            return self._cut(request, "API server away")
        if is_bind and self._rng.random() < faults.cut_after_bind:
            return self._cut(request, "bind cut after it was forwarded")
        if faults.rewrite is not None and request.method == "GET":
            answer = faults.rewrite(path, answer)
        content_type = upstream.headers.get("Content-Type", "application/json")
        return web.Response(
            status=upstream.status, body=answer, headers={"Content-Type": content_type}
        )

    async def _pass_watch(
        self, request: web.Request, upstream: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        faults = self.faults
        response = web.StreamResponse(
            status=upstream.status, headers={"Content-Type": "application/json"}
        )
        await response.prepare(request)
        left = self._rng.randint(*faults.watch_bytes) if faults.watch_bytes else None
        self._open_watches[id(request)] = request
        pending = b""
        try:
            async for chunk in upstream.content.iter_any():
                passed = chunk
                if self.faults.rewrite is not None:
                    *lines, pending = (pending + chunk).split(b"\n")
                    rewritten = (self.faults.rewrite(request.path, line) for line in lines)
                    passed = b"".join(line + b"\n" for line in rewritten)
                if left is not None and len(passed) >= left:
                    await response.write(passed[:left])
                    return self._cut(request, "watch cut")
                left = None if left is None else left - len(passed)
                await response.write(passed)
        except (aiohttp.ClientError, ConnectionError):
            self._cut(request, "API server away")
        finally:
            del self._open_watches[id(request)]
        return response

    def _inject_error(self, status: int) -> web.Response:
        self.injected[str(status)] += 1
        response = _status(status, "injected by the fault proxy")
        if status == web.HTTPTooManyRequests.status_code:
            response.headers["Retry-After"] = "1"
        return response

    def _cut(self, request: web.Request, why: str) -> web.Response:
        self.injected[why] += 1
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)  # reaches nobody


def _status(code: int, message: str) -> web.Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": {404: "NotFound", 429: "TooManyRequests"}.get(code, "InternalError"),
        "message": message,
    }
    return web.json_response(body, status=code)
