"""The executor and the event recorder on a stage: a small API server that does as it is told."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from pilotfish.client import ApiClient, ClusterConfig
from pilotfish.core.inputs import Input
from pilotfish.runtime.events import EventRecorder
from pilotfish.runtime.executor import ApiExecutor, PodEffect
from pilotfish.runtime.notices import Notices
from pilotfish.runtime.plugin_calls import PluginCalls

LOG = logging.getLogger("pilotfish")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Stage:
    """What a test plays with: the executor, the recorder, what came back, what was asked."""

    executor: ApiExecutor
    events: EventRecorder
    answers: asyncio.Queue[Input] = field(default_factory=asyncio.Queue)

    async def execute(self, *effects: PodEffect) -> list[Input]:
        """Execute, and return the answers in the order in which they came."""
        for effect in effects:
            self.executor.submit(effect)
        return [await self.answers.get() for _ in effects]


def play(
    story: Callable[[Stage], Awaitable[None]], handler: Handler, *, in_flight: int = 10
) -> None:
    """Run a story against a server that answers every request by `handler`."""

    async def run() -> None:
        runner = web.AppRunner(_app(handler))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        config = ClusterConfig(server=f"http://{host}:{port}", source="test")
        try:
            async with ApiClient(config) as client, asyncio.TaskGroup() as tasks:
                await story(_stage(client, tasks, in_flight))
        finally:
            await runner.cleanup()

    asyncio.run(run())


def _app(handler: Handler) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    return app


def _stage(client: ApiClient, tasks: asyncio.TaskGroup, in_flight: int) -> Stage:
    answers: asyncio.Queue[Input] = asyncio.Queue()
    notices, rng = Notices(LOG), random.Random(1)
    calls = PluginCalls({}, answers.put_nowait, tasks)
    executor = ApiExecutor(
        client, calls, answers.put_nowait, tasks, notices, rng, in_flight=in_flight
    )
    events = EventRecorder(
        client,
        tasks,
        notices,
        rng,
        host_name="host",
        clock=time.time,
    )
    return Stage(executor, events, answers)
