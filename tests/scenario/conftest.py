"""What the stories share: a control plane, nodes, and a scheduler with a role of its own.

A module is told on the real control plane; with `SERVERS = ("real", "embedded")` on both.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_story import MakeNodes, Plane
from controlplane import ApiError, node_manifest
from embedded_plane import EmbeddedPlane
from scheduler_role import grant
from volume_story import Storage

PLANES = {"real": "real_control_plane", "embedded": "embedded_plane"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tell each story on the servers that its module names."""
    if "control_plane" not in metafunc.fixturenames:
        return
    servers = [
        pytest.param(name, marks=[pytest.mark.controlplane] if name == "real" else [])
        for name in getattr(metafunc.module, "SERVERS", ("real",))
    ]
    metafunc.parametrize("server", servers, scope="session")


@pytest.fixture(scope="session")
def embedded_plane() -> Iterator[EmbeddedPlane]:
    """One embedded cluster for all stories."""
    with EmbeddedPlane() as running:
        yield running


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest, server: str) -> Plane:
    """The server that the story is told on."""
    plane: Plane = request.getfixturevalue(PLANES[server])
    return plane


@pytest.fixture(scope="session")
def scheduler_kubeconfig(control_plane: Plane) -> Path:
    """A ServiceAccount that may do what a scheduler must, and nothing else."""
    kubeconfig = control_plane.service_account_kubeconfig("kube-system", "pilotfish")
    grant(control_plane, "pilotfish")
    return kubeconfig


@pytest.fixture
def make_nodes(control_plane: Plane) -> Iterator[MakeNodes]:
    """Make ready nodes that go with the test: `make_nodes(20, cpu="4")` returns their names."""
    made: list[str] = []
    numbers = itertools.count()

    def make(count: int, **options: Any) -> list[str]:
        names = [f"node-{next(numbers)}" for _ in range(count)]
        control_plane.create(node_manifest(name, **options) for name in names)
        made.extend(names)
        control_plane.wait_for_nodes(len(made))
        return names

    yield make
    for name in made:
        try:
            control_plane.api.delete(f"/api/v1/nodes/{name}")
        except ApiError as error:
            if error.reason != "NotFound":  # the test itself may have deleted it
                raise


@pytest.fixture
def storage(control_plane: Plane, namespace: str) -> Iterator[Storage]:
    """Volumes and classes that go with the test."""
    made = Storage(control_plane, namespace)
    yield made
    made.remove()
