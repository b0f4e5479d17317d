"""How `pilotfish run` ends: against a server that does not answer binds until it is told to."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from aiohttp import web

META = {"resourceVersion": "7"}
NODE = {
    "metadata": {"name": "node-1", "uid": "uid-node", **META},
    "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
}
POD = {
    "metadata": {"name": "a", "namespace": "default", "uid": "uid-a", **META},
    "spec": {"schedulerName": "my-scheduler", "containers": [{"name": "c"}]},
}


class SlowServer:
    """An API server with one node and one pending pod, in a thread of its own.

    Attributes:
        asked: set when the bind arrives.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.url = ""
        self._answer = asyncio.Event()
        self._over = asyncio.Event()
        self._is_up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))

    def start(self) -> None:
        """Start and wait until it serves."""
        self._thread.start()
        assert self._is_up.wait(60)

    def stop(self) -> None:
        """End every request, and the thread."""
        self._loop.call_soon_threadsafe(self._answer.set)
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    def answer_binds(self) -> None:
        """Let the binds succeed."""
        self._loop.call_soon_threadsafe(self._answer.set)

    async def _run(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v1/{kind}", self._read)
        app.router.add_post("/api/v1/namespaces/default/pods/a/binding", self._bind)
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0])
        self._is_up.set()
        await self._over.wait()
        await runner.cleanup()

    async def _read(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            items = [NODE] if request.match_info["kind"] == "nodes" else [POD]
            return web.json_response({"metadata": META, "items": items})
        stream = web.StreamResponse()
        await stream.prepare(request)
        await self._over.wait()
        return stream

    async def _bind(self, _: web.Request) -> web.Response:
        self.asked.set()
        await self._answer.wait()
        return web.json_response({"kind": "Status", "status": "Success"}, status=201)


@pytest.fixture
def server() -> Iterator[SlowServer]:
    """A running server."""
    server = SlowServer()
    server.start()
    yield server
    server.stop()


@contextmanager
def running(server: SlowServer, folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Start a scheduler and wait until its bind is under way."""
    kubeconfig = folder / "config"
    cluster, context = {"server": server.url}, {"cluster": "c", "user": "u"}
    kubeconfig.write_text(
        json.dumps(
            {
                "current-context": "x",
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "x", "context": context}],
            }
        )
    )
    argv = [sys.executable, "-m", "pilotfish", "run", "--kubeconfig", str(kubeconfig), *options]
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    env["PYTHONIOENCODING"] = "ascii"  # the words are UTF-8 all the same
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=env
    ) as process:
        try:
            assert server.asked.wait(60), "no bind arrived"
            yield process
        finally:
            process.kill()


def wait_for(stream: IO[str] | None, pattern: str) -> None:
    assert stream is not None
    for line in stream:
        if re.search(pattern, line):
            return
    raise AssertionError(f"it ended without a line like {pattern!r}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_bind_in_flight_is_finished_before_the_end(
    server: SlowServer, tmp_path: Path, number: signal.Signals
) -> None:
    with running(server, tmp_path) as scheduler:
        scheduler.send_signal(number)
        wait_for(scheduler.stdout, "^stopping: 1 binds in flight$")
        server.answer_binds()
        wait_for(scheduler.stdout, "^Bound default/a -> node-1$")
        assert scheduler.wait(60) == 0


def test_grace_time_bounds_the_wait(server: SlowServer, tmp_path: Path) -> None:
    with running(server, tmp_path, "--grace", "0.2") as scheduler:
        scheduler.terminate()
        wait_for(scheduler.stdout, "^warning: the grace time is over: 1 binds unanswered, 0 Events")
        assert scheduler.wait(60) == 0


def test_second_signal_ends_it_at_once(server: SlowServer, tmp_path: Path) -> None:
    with running(server, tmp_path, "--grace", "600") as scheduler:
        scheduler.terminate()
        wait_for(scheduler.stdout, "^stopping")
        scheduler.terminate()
        assert scheduler.wait(60) == 1
        wait_for(scheduler.stderr, "^error: a second signal: ended at once$")


def test_reader_that_goes_away_ends_it(server: SlowServer, tmp_path: Path) -> None:
    """As in `pilotfish run | head -1`."""
    with running(server, tmp_path) as scheduler:
        assert scheduler.stdout is not None
        first = "[watch] scheduler starting… name=my-scheduler\n"
        assert scheduler.stdout.readline() == first
        scheduler.stdout.close()
        server.answer_binds()
        assert scheduler.wait(60) == 0
