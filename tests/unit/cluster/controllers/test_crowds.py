"""Many objects at once: controllers work in parts, so that others are served in between."""

from __future__ import annotations

import pytest

from pilotfish.cluster.controllers.controllers import CHANGES_PER_SYNC, WRITES_PER_SYNC
from pilotfish.cluster.controllers.volumes.volume_binder import RETRIES_PER_SYNC
from pilotfish.cluster.kinds import (
    CONFIG_MAPS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    REPLICA_SETS,
)
from unit.cluster.controllers.world import World, workload

MANY = 2 * WRITES_PER_SYNC
MOST_WRITES = 2 * WRITES_PER_SYNC  # the last key of a sync may go on to its own end


def most_writes(world: World) -> int:
    """Run the controllers until they rest, and give how much one sync wrote at most."""
    store, most = world.client.store, 0
    for _ in range(10_000):
        version = store.resource_version
        deadline = world.controllers.sync(world.now)
        most = max(most, store.resource_version - version)
        if deadline is None or deadline > world.now + 1:
            return most
        world.now = max(world.now, deadline)
    raise AssertionError("the controllers never rest")


def test_namespaces_made_together_are_furnished_in_parts() -> None:
    world = World()
    for i in range(MANY):
        world.create(NAMESPACES, {"metadata": {"name": f"team-{i}"}})
    assert 0 < most_writes(world) < MOST_WRITES
    assert world.client.store.count(CONFIG_MAPS.storage) >= MANY


def test_namespace_full_of_objects_is_emptied_in_parts() -> None:
    world = World()
    world.enter("team")
    for i in range(MANY):
        world.create(CONFIG_MAPS, {"metadata": {"name": f"map-{i}"}})
    world.settle()
    world.delete(NAMESPACES, "team")
    assert 0 < most_writes(world) < MOST_WRITES
    assert world.find(NAMESPACES, "team") is None


def test_dependents_of_a_deleted_owner_go_in_parts() -> None:
    world = World()
    owner = world.create(REPLICA_SETS, workload("web", replicas=0))
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web"}
    reference["uid"] = owner["metadata"]["uid"]
    for i in range(MANY):
        metadata = {"name": f"map-{i}", "ownerReferences": [reference]}
        world.create(CONFIG_MAPS, {"metadata": metadata})
    world.settle()
    world.delete(REPLICA_SETS, "web", propagation_policy="Background")
    assert 0 < most_writes(world) < MOST_WRITES
    assert not [name for name in world.names(CONFIG_MAPS) if name.startswith("map-")]


@pytest.mark.parametrize("more", [0, 1])
def test_keys_are_synced_once_all_changes_are_seen(more: int) -> None:
    world = World()
    world.enter("team")
    world.create(REPLICA_SETS, workload("web", replicas=1))
    for i in range(CHANGES_PER_SYNC - 1 + more):
        world.create(CONFIG_MAPS, {"metadata": {"name": f"map-{i}"}})
    version = world.client.store.resource_version
    world.controllers.sync(world.now)
    assert (world.client.store.resource_version == version) is bool(more)


def test_claims_that_wait_find_volumes_in_parts_and_all_of_them() -> None:
    world, crowd = World(), 3 * RETRIES_PER_SYNC
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    wanted = {"resources": {"requests": {"storage": "1Gi"}}}
    for i in range(crowd):
        claim = {"metadata": {"name": f"claim-{i}"}, "spec": spec | wanted}
        world.create(PERSISTENT_VOLUME_CLAIMS, claim)
    world.settle()
    offered = {"capacity": {"storage": "1Gi"}, "hostPath": {"path": "/data"}}
    for i in range(crowd):
        volume = {"metadata": {"name": f"volume-{i}"}, "spec": spec | offered}
        world.create(PERSISTENT_VOLUMES, volume)
    assert 0 < most_writes(world) < MOST_WRITES
    assert all(claim["status"]["phase"] == "Bound" for claim in world.all(PERSISTENT_VOLUME_CLAIMS))
