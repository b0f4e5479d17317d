"""The kinds that the embedded server serves are those of the real one, named as there."""

from __future__ import annotations

import pytest

from contract.server import Json, Server
from pilotfish.cluster.resources import TABLE

pytestmark = pytest.mark.controlplane

LOCAL = {"metrics.k8s.io"}  # on a real cluster another server's, which is not run here


def root(group: str, version: str) -> str:
    """Give the path of a group version."""
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


@pytest.mark.parametrize(
    ("group", "version"), [each for each in TABLE.group_versions() if each[0] not in LOCAL]
)
def test_resources_are_described_as_on_the_real_server(
    embedded_server: Server, real_server: Server, group: str, version: str
) -> None:
    ours, real = (
        {each["name"]: each for each in server.get(root(group, version)).ok()["resources"]}
        for server in (embedded_server, real_server)
    )
    assert ours.keys() <= real.keys()
    assert {name: described(ours[name]) for name in ours} == {
        name: described(real[name]) for name in ours
    }


def described(resource: Json) -> Json:
    """Drop what a client does not act on: the hash of the stored form."""
    return {key: value for key, value in resource.items() if key != "storageVersionHash"}


def test_groups_are_those_of_the_real_server(embedded_server: Server, real_server: Server) -> None:
    ours, real = (
        {each["name"]: each for each in server.get("/apis").ok()["groups"]}
        for server in (embedded_server, real_server)
    )
    assert ours.keys() - LOCAL <= real.keys()
    for name in ours.keys() - LOCAL:
        preferred = real[name]["preferredVersion"]
        assert ours[name]["preferredVersion"] == preferred
