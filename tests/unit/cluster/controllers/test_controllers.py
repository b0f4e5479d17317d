"""All controllers together: starting late, trying again, resting."""

from __future__ import annotations

from pilotfish.cluster.controllers import controllers_of
from pilotfish.cluster.controllers.kinds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    SERVICE_ACCOUNTS,
)
from unit.cluster.controllers.world import World, workload


def test_controllers_that_start_late_take_up_what_is_there() -> None:
    world = World()
    world.create(DEPLOYMENTS, workload("web", replicas=2))
    world.advance(1, world.run_pods)
    ghost = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "no-such-uid"}
    world.create(CONFIG_MAPS, {"metadata": {"name": "left", "ownerReferences": [ghost]}})
    world.change(DEPLOYMENTS, "web", lambda d: d["spec"].update(replicas=3))
    world.controllers = controllers_of(world.system)[0]
    world.advance(1, world.run_pods)
    assert len(world.names(PODS)) == 3
    assert "left" not in world.names(CONFIG_MAPS)


def test_refused_write_is_tried_again_after_a_back_off() -> None:
    world = World()
    held = workload("web", replicas=1)
    held["spec"]["template"]["spec"]["serviceAccountName"] = "robot"
    world.create(REPLICA_SETS, held)
    world.settle()
    assert world.names(PODS) == []
    assert len(world.events("FailedCreate")) == 1
    world.create(SERVICE_ACCOUNTS, {"metadata": {"name": "robot"}})
    world.advance(2)
    assert len(world.names(PODS)) == 1
    assert "conditions" not in world.get(REPLICA_SETS, "web")["status"]


def test_settled_cluster_writes_nothing() -> None:
    world = World()
    world.create(DEPLOYMENTS, workload("web", replicas=2))
    world.advance(5, world.run_pods)
    version = world.system.store.resource_version
    world.advance(3600, world.run_pods)
    assert world.system.store.resource_version == version
