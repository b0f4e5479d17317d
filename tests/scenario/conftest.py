"""What the stories on the real control plane share: nodes, and a scheduler's own role."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster_story import MakeNodes
from controlplane import ApiError, ControlPlane, node_manifest
from scheduler_role import grant


@pytest.fixture(scope="session")
def scheduler_kubeconfig(control_plane: ControlPlane) -> Path:
    """A ServiceAccount that may do what a scheduler must, and nothing else."""
    kubeconfig = control_plane.service_account_kubeconfig("kube-system", "pilotfish")
    grant(control_plane, "pilotfish")
    return kubeconfig


@pytest.fixture
def make_nodes(control_plane: ControlPlane) -> Iterator[MakeNodes]:
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
