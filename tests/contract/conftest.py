"""The servers under contract: the embedded one, and the real one where it is built."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from contract.differences import DIFFERENCES
from contract.objects import node
from contract.server import MERGE_PATCH, Server
from controlplane import ControlPlane, wait_until
from embedded_cluster import EmbeddedCluster

WATCH_WINDOW = 150  # changes; see test_expiry.py

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded server, without nodes and scheduler, and with a short memory."""
    config = tmp_path_factory.mktemp("embedded") / "cluster.yaml"
    config.write_text(f"watchWindow: {WATCH_WINDOW}\n")
    options = ("--nodes", "0", "--no-scheduler", "--seed", "1", "--config", str(config))
    with EmbeddedCluster(*options) as running:
        server = Server(
            "embedded", running.url, running.ca_file, running.admin_token, running.kubeconfig
        )
        yield server
        server.close()


@pytest.fixture(scope="session")
def real_server(control_plane: ControlPlane) -> Iterator[Server]:
    """kube-apiserver with etcd, kube-controller-manager and kwok."""
    server = Server(
        "real",
        control_plane.url,
        control_plane.ca_file,
        control_plane.admin_token,
        control_plane.kubeconfig,
    )
    yield server
    server.close()


@pytest.fixture(
    params=["embedded", pytest.param("real", marks=pytest.mark.controlplane)], scope="session"
)
def server(request: pytest.FixtureRequest) -> Server:
    """Each server in turn."""
    chosen: Server = request.getfixturevalue(f"{request.param}_server")
    return chosen


@pytest.fixture
def api(server: Server) -> Server:
    """Give the server to one test."""
    return server


@pytest.fixture(autouse=True)
def _known_difference(request: pytest.FixtureRequest) -> None:
    """Expect a known difference to show, on the embedded server or between the two."""
    name = request.node.name.replace("[embedded]", "").replace("embedded-", "")
    if (reason := DIFFERENCES.get(name)) is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError))


@pytest.fixture
def space(api: Server) -> Iterator[str]:
    """Name of a fresh namespace that has all that controllers put there."""
    name = f"contract-{next(numbers)}"
    api.create_namespace(name)
    yield name
    api.delete(f"/api/v1/namespaces/{name}/pods", gracePeriodSeconds=0)
    api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def core(space: str) -> str:
    """Path of the core group in the fresh namespace."""
    return f"/api/v1/namespaces/{space}"


@pytest.fixture
def absent_node() -> str:
    """Name of a node that is not there, of this test alone.

    The real server's pod garbage collector deletes, 40 s after it first saw a pod on such a node,
    all pods that are on a node of that name by then.
    """
    return f"absent-{next(numbers)}"


@pytest.fixture
def node_name(api: Server) -> Iterator[str]:
    """Name of a node that is ready and has no taints."""
    name = f"contract-{next(numbers)}"
    path = f"/api/v1/nodes/{name}"
    api.post("/api/v1/nodes", node(name)).ok()

    def is_ready() -> bool:
        found = api.get(path).ok()
        conditions = {c["type"]: c["status"] for c in found["status"].get("conditions", [])}
        return conditions.get("Ready") == "True" and not found["spec"].get("taints")

    wait_until(is_ready, "a ready node")
    yield name
    api.patch(path, {"metadata": {"finalizers": []}}, MERGE_PATCH)
    api.delete(path)
