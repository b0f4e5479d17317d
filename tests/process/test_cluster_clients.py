"""The Python clients that people have, against the embedded cluster: list, watch, bind.

They live in virtual environments of their own, which `make clients` makes.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.objects import pod
from controlplane import wait_until
from embedded_cluster import EmbeddedCluster

CHECKOUT = Path(__file__).parents[2]
SCRIPTS = CHECKOUT / "tests" / "clients"
CLIENTS = {
    "kubernetes-29": "list_watch_bind.py",
    "kubernetes-newest": "list_watch_bind.py",
    "kubernetes-asyncio": "list_watch_bind_async.py",
}
SECONDS = 250


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedCluster]:
    """Two nodes, and nobody who schedules."""
    with EmbeddedCluster("--nodes", "2", "--no-scheduler") as running:
        yield running


@pytest.mark.parametrize("name", CLIENTS)
def test_python_client_lists_watches_and_binds(cluster: EmbeddedCluster, name: str) -> None:
    python = CHECKOUT / ".clients" / name / "bin" / "python"
    if not python.exists():
        assert os.environ.get("CI") != "true", "`make clients` comes before the tests"
        pytest.skip(f"{name} is not installed: run `make clients`")
    names = [f"{name}-{i}" for i in range(4)]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.api.create(space)
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    wait_until(lambda: cluster.api.items(accounts), "the default ServiceAccount")
    for each in names:
        cluster.api.create(pod(each, metadata={"namespace": name}))
    done = subprocess.run(
        [python, SCRIPTS / CLIENTS[name], cluster.kubeconfig, name, "node-1", str(len(names))],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={"HOME": str(cluster.folder), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["nodes"] == ["node-1", "node-2"]
    assert told["version"].startswith("v1.36.3")
    assert told["bound"] == dict.fromkeys(names, "node-1")
    assert {tuple(each) for each in told["seen"]} >= {("ADDED", each) for each in names}
    assert told["refusal"]["status"] == 409
    assert 'is already assigned to node "node-1"' in told["refusal"]["message"]
