"""All controllers together: starting late, trying again, resting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import pytest

from pilotfish.cluster.controllers import Controllers, controllers_of
from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.pod_index import Key, PodIndex
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    SERVICE_ACCOUNTS,
)
from pilotfish.cluster.store import Change
from unit.cluster.controllers.world import World, workload


def test_controllers_that_start_late_take_up_what_is_there() -> None:
    world = World()
    world.create(DEPLOYMENTS, workload("web", replicas=2))
    world.advance(1, world.run_pods)
    ghost = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "no-such-uid"}
    world.create(CONFIG_MAPS, {"metadata": {"name": "left", "ownerReferences": [ghost]}})
    world.change(DEPLOYMENTS, "web", lambda d: d["spec"].update(replicas=3))
    world.controllers = controllers_of(world.client)[0]
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


class Stumbling(Controller):
    """Fails on ConfigMaps of one name, as a controller with a defect does."""

    watches = (CONFIG_MAPS,)
    seen: ClassVar[list[str]] = []

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Take what it cannot read for a reason to fail."""
        if change.new.name == "unreadable":
            raise KeyError("spec")
        return super().observe(change, now)

    def sync(self, key: Key, now: float) -> float | None:
        """Note the name, and fail on one."""
        del now
        self.seen.append(key[1])
        if key[1] == "odd":
            raise KeyError("spec")
        return None


@pytest.mark.parametrize("bad", ["odd", "unreadable"])
def test_defect_of_one_controller_costs_others_nothing_that_they_wait_for(bad: str) -> None:
    world = World()
    pods, recorder = PodIndex(), Recorder(world.client)
    Stumbling.seen.clear()
    controllers = Controllers(world.client, pods, [Stumbling(world.client, pods, recorder)])
    controllers.sync(world.now)
    for name in ("first", bad, "last"):
        world.create(CONFIG_MAPS, {"metadata": {"name": name}})
    with pytest.raises(KeyError):
        controllers.sync(world.now)
    controllers.sync(world.now)
    assert {"first", "last"} <= set(Stumbling.seen)


def test_key_on_which_a_controller_fails_is_tried_again() -> None:
    world = World()
    pods, recorder = PodIndex(), Recorder(world.client)
    Stumbling.seen.clear()
    controllers = Controllers(world.client, pods, [Stumbling(world.client, pods, recorder)])
    world.create(CONFIG_MAPS, {"metadata": {"name": "odd"}})
    for _ in range(3):
        with pytest.raises(KeyError):
            controllers.sync(world.now)
        world.now += 1
    assert Stumbling.seen.count("odd") == 3


def test_settled_cluster_writes_nothing() -> None:
    world = World()
    world.create(DEPLOYMENTS, workload("web", replicas=2))
    world.advance(5, world.run_pods)
    version = world.client.store.resource_version
    world.advance(3600, world.run_pods)
    assert world.client.store.resource_version == version
