"""Health: what kubelets, Prometheus and people are told over plain HTTP."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.core import Metric

from pilotfish.runtime.series import render
from pilotfish.runtime.trouble import StartError

Check: TypeAlias = Callable[[], str]
"""Says what is wrong; nothing where all is well."""

LAST_ANSWERS_SECONDS = 1.0  # for requests under way when the process ends


class HealthServer:
    """Serves /livez, /readyz and /metrics.

    Args:
        livez: by name, what must be in order, or else the process should be started anew.
        readyz: the same for a process that is ready to do its work.
        families: the metrics, as they are now.
    """

    def __init__(
        self,
        livez: Mapping[str, Check],
        readyz: Mapping[str, Check],
        families: Callable[[], Iterable[Metric]],
    ) -> None:
        self._families = families
        app = web.Application()
        app.router.add_get("/livez", partial(_answer, "livez", livez))
        app.router.add_get("/readyz", partial(_answer, "readyz", readyz))
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=LAST_ANSWERS_SECONDS)

    @asynccontextmanager
    async def serving(self, address: str, port: int) -> AsyncIterator[None]:
        """Listen for as long as the block runs.

        Raises:
            StartError: that is not possible there.
        """
        await self._runner.setup()
        try:
            await _listen(web.TCPSite(self._runner, address, port))
            yield
        finally:
            await self._runner.cleanup()

    async def _metrics(self, _request: web.Request) -> web.Response:
        """Write the metrics in a thread: the scheduler goes on meanwhile."""
        families = list(self._families())
        body = await asyncio.to_thread(render, families)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


async def _listen(site: web.TCPSite) -> None:
    try:
        await site.start()
    except OSError as error:
        raise StartError(
            f"cannot serve health and metrics on {site.name}: {os.strerror(error.errno or 0)}",
            hint="choose another --health-port or --bind-address; --health-port 0 serves none",
        ) from error


async def _answer(name: str, checks: Mapping[str, Check], request: web.Request) -> web.Response:
    """Run all checks; each is listed when one fails, or when `?verbose` asks."""
    wrong = {check: what for check, run in checks.items() if (what := run())}
    lines = [
        f"[-]{check} failed: {wrong[check]}" if check in wrong else f"[+]{check} ok"
        for check in checks
    ]
    status = web.HTTPOk.status_code
    if wrong:
        status = web.HTTPInternalServerError.status_code
        lines.append(f"{name} check failed")
    elif "verbose" in request.query:
        lines.append(f"{name} check passed")
    else:
        lines = ["ok"]
    return web.Response(status=status, text="\n".join(lines) + "\n")
