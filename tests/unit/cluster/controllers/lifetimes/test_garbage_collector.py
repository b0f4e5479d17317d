"""Owners and dependents: background, foreground and orphaning deletion."""

from __future__ import annotations

from pilotfish.cluster.kinds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
)
from unit.cluster.controllers.world import Json, World, workload


def config_map(world: World, name: str, *owners: Json, block: bool = True) -> Json:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    return world.create(CONFIG_MAPS, {"metadata": {"name": name, "ownerReferences": references}})


def ours(world: World) -> list[str]:
    return [name for name in world.names(CONFIG_MAPS) if name != "kube-root-ca.crt"]


def test_dependents_follow_their_owner_down_the_chain() -> None:
    world = World()
    top = config_map(world, "top")
    middle = config_map(world, "middle", top)
    config_map(world, "bottom", middle)
    world.settle()
    world.delete(CONFIG_MAPS, "top")
    world.settle()
    assert ours(world) == []


def test_dependent_with_another_owner_stays_and_forgets_the_lost_one() -> None:
    world = World()
    first, second = config_map(world, "first"), config_map(world, "second")
    config_map(world, "shared", first, second)
    world.settle()
    world.delete(CONFIG_MAPS, "first")
    world.settle()
    (reference,) = world.get(CONFIG_MAPS, "shared")["metadata"]["ownerReferences"]
    assert reference["name"] == "second"


def test_object_made_with_an_owner_that_never_was_is_deleted() -> None:
    world = World()
    ghost = {"metadata": {"name": "ghost", "uid": "00000000-0000-0000-0000-000000000000"}}
    config_map(world, "haunted", ghost)
    world.settle()
    assert ours(world) == []


def test_owner_of_the_same_name_but_another_uid_does_not_count() -> None:
    world = World()
    old = config_map(world, "owner")
    config_map(world, "dependent", old)
    world.delete(CONFIG_MAPS, "owner")
    config_map(world, "owner")
    world.settle()
    assert ours(world) == ["owner"]


def test_owner_of_an_unserved_kind_is_taken_for_present() -> None:
    world = World()
    reference = {"apiVersion": "example.com/v1", "kind": "Thing", "name": "x", "uid": "u"}
    metadata = {"name": "kept", "ownerReferences": [reference]}
    world.create(CONFIG_MAPS, {"metadata": metadata})
    world.settle()
    assert ours(world) == ["kept"]


def test_foreground_deletion_waits_for_the_dependents_that_block() -> None:
    world = World()
    owner = config_map(world, "owner")
    config_map(world, "dependent", owner)
    world.change(CONFIG_MAPS, "dependent", lambda c: c["metadata"].update(finalizers=["test/hold"]))
    world.settle()
    world.delete(CONFIG_MAPS, "owner", propagation_policy="Foreground")
    world.settle()
    assert ours(world) == ["dependent", "owner"]
    assert "deletionTimestamp" in world.get(CONFIG_MAPS, "dependent")["metadata"]
    world.change(CONFIG_MAPS, "dependent", lambda c: c["metadata"].pop("finalizers"))
    world.settle()
    assert ours(world) == []


def test_foreground_deletion_does_not_wait_for_dependents_that_do_not_block() -> None:
    world = World()
    owner = config_map(world, "owner")
    config_map(world, "dependent", owner, block=False)
    world.change(CONFIG_MAPS, "dependent", lambda c: c["metadata"].update(finalizers=["test/hold"]))
    world.settle()
    world.delete(CONFIG_MAPS, "owner", propagation_policy="Foreground")
    world.settle()
    assert ours(world) == ["dependent"]


def test_orphaning_deletion_leaves_the_dependents() -> None:
    world = World()
    owner = config_map(world, "owner")
    config_map(world, "dependent", owner)
    world.settle()
    world.delete(CONFIG_MAPS, "owner", propagation_policy="Orphan")
    world.settle()
    assert ours(world) == ["dependent"]
    assert not world.get(CONFIG_MAPS, "dependent")["metadata"].get("ownerReferences")


def test_deleted_deployment_takes_its_pods_along() -> None:
    world = World()
    world.create(DEPLOYMENTS, workload("web", replicas=3))
    world.advance(1, world.run_pods)
    world.delete(DEPLOYMENTS, "web", propagation_policy="Foreground")
    world.advance(1, world.run_pods)
    assert [world.names(kind) for kind in (DEPLOYMENTS, REPLICA_SETS, PODS)] == [[], [], []]
