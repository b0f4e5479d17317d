"""ReplicaSets and ReplicationControllers: numbers, adoption, victims, status."""

from __future__ import annotations

from typing import Any

from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.kinds import (
    NAMESPACES,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
)
from unit.cluster.controllers.world import Json, World, template, workload


def replica_set(world: World, replicas: int, **spec: Any) -> None:
    world.create(REPLICA_SETS, workload("web", replicas=replicas, **spec))


def scale(world: World, replicas: int) -> None:
    world.change(REPLICA_SETS, "web", lambda rs: rs["spec"].update(replicas=replicas))
    world.settle()


def status(world: World) -> Json:
    found: Json = world.get(REPLICA_SETS, "web")["status"]
    return found


def remaining(world: World) -> list[str]:
    pods = world.all(PODS)
    return [p["metadata"]["name"] for p in pods if "deletionTimestamp" not in p["metadata"]]


def test_pods_are_made_until_there_are_enough() -> None:
    world = World()
    replica_set(world, 3)
    world.settle()
    assert len(world.names(PODS)) == 3
    assert status(world)["replicas"] == 3
    assert status(world)["fullyLabeledReplicas"] == 3
    assert "readyReplicas" not in status(world)
    assert [m.partition(":")[0] for m in world.events("SuccessfulCreate")] == ["Created pod"] * 3


def test_failed_and_deleted_pods_are_replaced() -> None:
    world = World()
    replica_set(world, 2)
    world.advance(1, world.run_pods)
    first, second = world.names(PODS)
    world.set_pod(first, "Failed")
    world.delete(PODS, second)
    world.advance(1, world.run_pods)
    assert second not in world.names(PODS)
    assert status(world)["readyReplicas"] == 2
    assert len(world.names(PODS)) == 3  # the failed one stays


def test_matching_orphan_is_adopted_and_counts() -> None:
    world = World()
    world.add_pod("lonely")
    replica_set(world, 2)
    world.settle()
    (reference,) = world.get(PODS, "lonely")["metadata"]["ownerReferences"]
    assert (reference["kind"], reference["name"]) == ("ReplicaSet", "web")
    assert len(world.names(PODS)) == 2


def test_orphan_that_comes_later_is_adopted_and_the_surplus_goes() -> None:
    world = World()
    replica_set(world, 1)
    world.advance(1, world.run_pods)
    world.add_pod("late")
    world.advance(1, world.run_pods)
    assert len(world.names(PODS)) == 1
    assert "late" not in world.names(PODS)  # not ready yet: the first to go


def test_relabelled_pod_is_released_and_replaced() -> None:
    world = World()
    replica_set(world, 1)
    world.settle()
    (name,) = world.names(PODS)
    world.change(PODS, name, lambda pod: pod["metadata"].update(labels={"app": "debug"}))
    world.settle()
    assert not world.get(PODS, name)["metadata"].get("ownerReferences")
    assert len(world.names(PODS)) == 2


def test_unbound_pods_go_before_bound_pending_before_running_unready_before_ready() -> None:
    world = World()
    reference = owner(world)
    for name, node in (("ready", "n"), ("unready", "n"), ("pending", "n"), ("unbound", "")):
        world.add_pod(name, node=node, owner=reference)
    world.set_pod("ready", "Running", ready=True)
    world.set_pod("unready", "Running")
    for left in (["pending", "ready", "unready"], ["ready", "unready"], ["ready"]):
        scale(world, len(left))
        assert remaining(world) == left


def test_deletion_cost_decides_among_ready_pods() -> None:
    world = World()
    reference = owner(world)
    for name, cost in (("dear", "10"), ("cheap", "-5")):
        world.add_pod(name, node="n", owner=reference)
        annotations = {"controller.kubernetes.io/pod-deletion-cost": cost}
        pod = world.get(PODS, name)
        pod["metadata"]["annotations"] = annotations
        world.client.update(PODS, pod, world.now)
        world.set_pod(name, "Running", ready=True)
    scale(world, 1)
    assert remaining(world) == ["dear"]


def test_pod_on_the_more_crowded_node_goes_first() -> None:
    world = World()
    reference = owner(world)
    for name, node in (("a", "crowded"), ("b", "crowded"), ("c", "quiet")):
        world.add_pod(name, node=node, owner=reference)
        world.set_pod(name, "Running", ready=True)
    scale(world, 1)
    assert remaining(world) == ["c"]


def test_younger_ready_pod_goes_before_a_much_older_one() -> None:
    world = World()
    reference = owner(world)
    world.add_pod("old", node="n", owner=reference)
    world.set_pod("old", "Running", ready=True)
    world.now += 1000
    world.add_pod("young", node="n", owner=reference)
    world.set_pod("young", "Running", ready=True)
    world.now += 1
    scale(world, 1)
    assert remaining(world) == ["old"]


def test_pod_counts_as_available_after_min_ready_seconds() -> None:
    world = World()
    replica_set(world, 1, minReadySeconds=10)
    world.advance(1, world.run_pods)
    assert status(world)["readyReplicas"] == 1
    assert "availableReplicas" not in status(world)
    world.advance(10)
    assert status(world)["availableReplicas"] == 1


def test_refused_pod_is_told_as_event_and_condition() -> None:
    world = World()
    bad = template()
    bad["spec"]["priorityClassName"] = "missing"
    replica_set(world, 1, template=bad)
    world.settle()
    (message, *_) = world.events("FailedCreate")
    assert message.startswith("Error creating: ")
    failure = find_condition(status(world), "ReplicaFailure")
    assert failure is not None
    assert failure["reason"] == "FailedCreate"


def test_nothing_is_made_in_a_namespace_that_goes() -> None:
    world = World()
    world.enter("team")
    replica_set(world, 2)
    world.settle()
    world.delete(NAMESPACES, "team")
    world.advance(5, world.run_pods)
    assert world.names(PODS) == []


def test_replication_controller_keeps_its_pods() -> None:
    world = World()
    spec = {"replicas": 2, "selector": {"app": "web"}, "template": template()}
    world.create(REPLICATION_CONTROLLERS, {"metadata": {"name": "old"}, "spec": spec})
    world.advance(1, world.run_pods)
    assert len(world.names(PODS)) == 2
    counts = world.get(REPLICATION_CONTROLLERS, "old")["status"]
    assert (counts["replicas"], counts["availableReplicas"]) == (2, 2)


def owner(world: World) -> Json:
    """Make a ReplicaSet without pods, and a reference to it."""
    replica_set(world, 10)
    found = world.get(REPLICA_SETS, "web")["metadata"]
    kind = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": True}
    return {**kind, "name": "web", "uid": found["uid"]}
