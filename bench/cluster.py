"""Compare the embedded cluster with kube-apiserver and etcd: same client, same run, in turn.

    make bench-cluster
    .venv/bin/python bench/cluster.py --pods 10000 --binds 5000 --rounds 3

One process sends all requests over 32 connections, while others of it watch; the servers have no
scheduler, no simulated nodes and, the real one, no controllers. Pods are bound to nodes that do not
exist, so that only the API is measured. Then an embedded cluster alone, with its scheduler, is
filled with nodes and running pods and lists them four times at once, to see the most memory that
it takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "hack"))

from controlplane import ControlPlane, pod_manifest
from embedded_cluster import EmbeddedCluster

CONNECTIONS = 32
WATCHERS = 4
LISTS = 5
LISTS_AT_ONCE = 4
PODS = "/api/v1/namespaces/default/pods"
WANTED = {"creates/s": 0.5, "binds/s": 0.5}
WANTED_MB = 1000.0
VERDICT = {True: "reached", False: "NOT reached"}
MODIFIED = b'{"type":"MODIFIED"'

Server = ControlPlane | EmbeddedCluster


@dataclass(frozen=True)
class Result:
    """One measurement of one server."""

    creates: float
    binds: float
    events: float
    list_ms: float
    rss_mb: float

    def figures(self) -> dict[str, float]:
        """Return the figures by their printed names."""
        names = ("creates/s", "binds/s", "watch events/s", "list ms", "RSS MB")
        values = (self.creates, self.binds, self.events, self.list_ms, self.rss_mb)
        return dict(zip(names, values, strict=True))


@contextmanager
def embedded() -> Iterator[tuple[Server, list[int]]]:
    """Run the embedded cluster; yields it and its pids."""
    with EmbeddedCluster("--nodes", "0", "--no-scheduler") as running:
        yield running, [running.pid]


@contextmanager
def real() -> Iterator[tuple[Server, list[int]]]:
    """Run kube-apiserver and etcd; yields them and their pids."""
    with ControlPlane(controller_manager=False, kwok=False, audit=False) as running:
        yield running, list(running.pids.values())


SERVERS = {"embedded": embedded, "real": real}


@asynccontextmanager
async def client(server: Server, connections: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session as the admin."""
    tls = ssl.create_default_context(cafile=str(server.ca_file))
    async with aiohttp.ClientSession(
        server.url,
        connector=aiohttp.TCPConnector(limit=connections, ssl=tls),
        headers={"Authorization": f"Bearer {server.admin_token}"},
        timeout=aiohttp.ClientTimeout(total=None, sock_read=60),
    ) as session:
        yield session


async def post_all(
    session: aiohttp.ClientSession, requests: Iterable[tuple[str, dict[str, Any]]]
) -> float:
    """Post everything over all connections and return how many a second."""
    queue = iter([(path, json.dumps(body).encode()) for path, body in requests])
    count = 0

    async def work() -> None:
        nonlocal count
        for path, body in queue:
            async with session.post(
                path, data=body, headers={"Content-Type": "application/json"}
            ) as answer:
                text = await answer.read()
                if not answer.ok:
                    raise RuntimeError(f"{path}: {answer.status} {text[:300]!r}")
            count += 1

    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTIONS):
            tasks.create_task(work())
    return count / (time.monotonic() - began)


async def watch(session: aiohttp.ClientSession, version: str, wanted: int) -> float:
    """Watch until so many pods were changed; return when the last of them was seen."""
    query = {"watch": "true", "resourceVersion": version}
    seen, rest = 0, b""
    async with session.get(PODS, params=query) as stream:
        async for chunk in stream.content.iter_any():
            window = rest + chunk
            seen += window.count(MODIFIED)
            rest = window[1 - len(MODIFIED) :]
            if seen >= wanted:
                break
    return time.monotonic()


async def timed_list(session: aiohttp.ClientSession) -> float:
    """Return the median milliseconds of a list of all pods."""
    taken = []
    for _ in range(LISTS):
        began = time.monotonic()
        async with session.get(PODS, params={"resourceVersion": "0"}) as answer:
            await answer.read()
        taken.append((time.monotonic() - began) * 1000)
    return statistics.median(taken)


async def measure(server: Server, pids: list[int], pods: int, binds: int) -> Result:
    """Create pods, list them, bind some while others watch."""
    async with client(server, CONNECTIONS) as session, client(server, WATCHERS) as watching:
        names = [f"pod-{i}" for i in range(pods)]
        creates = await post_all(
            session, ((PODS, pod_manifest(name, scheduler_name="nobody")) for name in names)
        )
        list_ms = await timed_list(session)
        async with session.get(PODS, params={"limit": "1"}) as answer:
            version = (await answer.json())["metadata"]["resourceVersion"]
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            watches = [tasks.create_task(watch(watching, version, binds)) for _ in range(WATCHERS)]
            bound = tasks.create_task(post_all(session, map(binding, names[:binds])))
        last = max(each.result() for each in watches)
        rss = sum(psutil.Process(pid).memory_info().rss for pid in pids)
    return Result(
        creates=creates,
        binds=bound.result(),
        events=WATCHERS * binds / (last - began),
        list_ms=list_ms,
        rss_mb=rss / 1e6,
    )


def binding(name: str) -> tuple[str, dict[str, Any]]:
    """Give the request that binds a pod."""
    target = {"apiVersion": "v1", "kind": "Node", "name": "absent"}
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
    return f"{PODS}/{name}/binding", body


def filled_mb(nodes: int, pods: int) -> float:
    """Return the most memory that an embedded cluster took to run and list so many pods."""
    with TemporaryDirectory() as folder:
        dump = Path(folder) / "pods.json"
        items = [
            pod_manifest(f"pod-{i}", labels={"app": f"app-{i % 100}"}, spec=on_node(i, nodes))
            for i in range(pods)
        ]
        dump.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": items}))
        del items
        options = ("--nodes", str(nodes), "--load", str(dump))
        with EmbeddedCluster(*options, start_seconds=600.0) as running:
            wait_for_running(running, pods)
            asyncio.run(list_at_once(running))
            return running.peak_bytes / 1e6


async def list_at_once(server: Server) -> None:
    """Read all pods over several connections at the same time."""

    async def read(session: aiohttp.ClientSession) -> None:
        async with session.get(PODS) as answer:
            async for _ in answer.content.iter_any():
                pass

    async with client(server, LISTS_AT_ONCE) as session, asyncio.TaskGroup() as tasks:
        for _ in range(LISTS_AT_ONCE):
            tasks.create_task(read(session))


def on_node(number: int, nodes: int) -> dict[str, Any]:
    """Give the fields of a pod that is bound already."""
    return {"nodeName": f"node-{number % nodes + 1}", "schedulerName": "nobody"}


def wait_for_running(cluster: EmbeddedCluster, pods: int) -> None:
    """Wait until all pods run."""
    path = f"{PODS}?fieldSelector=status.phase!%3DRunning&limit=1"
    while cluster.api.items(path):
        if cluster.api.items(f"{PODS}?fieldSelector=status.phase%3DFailed&limit=1"):
            raise SystemExit("error: the nodes have no room for so many pods; give --full-nodes")
        time.sleep(1)
    rest = cluster.api.get(f"{PODS}?limit=1")["metadata"]["remainingItemCount"]
    if rest != pods - 1:
        raise RuntimeError(f"{rest + 1} of {pods} pods are there")


def report(results: dict[str, list[Result]]) -> None:
    """Print the medians, the ranges and the ratios pair by pair."""
    for figure in results["embedded"][0].figures():
        values = {name: [r.figures()[figure] for r in runs] for name, runs in results.items()}
        for name, runs in values.items():
            spread = f"{min(runs):.4g} to {max(runs):.4g}"
            print(f"{figure:15} {name:9} {statistics.median(runs):8.4g}  ({spread})")
        ratio = statistics.median(
            ours / others for ours, others in zip(values["embedded"], values["real"], strict=True)
        )
        wanted = WANTED.get(figure)
        verdict = "" if wanted is None else f"  wanted >= {wanted}: {VERDICT[ratio >= wanted]}"
        print(f"{figure:15} {'ratio':9} {ratio:8.3g}{verdict}\n")


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pods", type=count, default=10_000, help="pods to create (default 10000)")
    parser.add_argument("--binds", type=count, default=5_000, help="pods to bind (default 5000)")
    parser.add_argument("--rounds", type=count, default=3, help="measurements of each (default 3)")
    parser.add_argument("--full-nodes", type=count, default=5_000, help="for memory (default 5000)")
    parser.add_argument("--full-pods", type=count, default=50_000, help="likewise (default 50000)")
    given = parser.parse_args(words)
    if given.binds > given.pods:
        parser.error(f"--binds {given.binds}: only {given.pods} pods are created")
    return given


def count(text: str) -> int:
    """Read how many."""
    if not (number := int(text)) > 0:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return number


def main() -> None:
    """Measure as the command line says."""
    given = parse()
    results: dict[str, list[Result]] = {name: [] for name in SERVERS}
    for turn in range(given.rounds):
        for name in SERVERS if turn % 2 == 0 else reversed(SERVERS):
            with SERVERS[name]() as (server, pids):
                result = asyncio.run(measure(server, pids, given.pods, given.binds))
            results[name].append(result)
            print(f"round {turn + 1}: {name:9} {json.dumps(result.figures())}", flush=True)
    print(
        f"\n{given.pods} pods, {given.binds} binds, {WATCHERS} watchers, {os.cpu_count()} cores\n"
    )
    report(results)
    mb = filled_mb(given.full_nodes, given.full_pods)
    print(
        f"{given.full_nodes} nodes, {given.full_pods} running pods, {LISTS_AT_ONCE} lists of them "
        f"at once: at most {mb:.0f} MB, wanted < {WANTED_MB:.0f}: {VERDICT[mb < WANTED_MB]}"
    )


if __name__ == "__main__":
    main()
