"""PodDisruptionBudgets: how many pods may be disrupted."""

from __future__ import annotations

import pytest

from pilotfish.cluster.kinds import DEPLOYMENTS, POD_DISRUPTION_BUDGETS, PODS
from pilotfish.cluster.timestamps import timestamp
from unit.cluster.controllers.world import Json, World, workload


def budget(world: World, **spec: int | str) -> None:
    content = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    world.create(POD_DISRUPTION_BUDGETS, {"metadata": {"name": "pdb"}, "spec": content})


def status(world: World) -> Json:
    found: Json = world.get(POD_DISRUPTION_BUDGETS, "pdb")["status"]
    return found


def counts(world: World) -> tuple[int, int, int, int]:
    """Give expected, healthy, desired and allowed."""
    names = ("expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed")
    expected, healthy, desired, allowed = (status(world)[name] for name in names)
    return expected, healthy, desired, allowed


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 3}, (5, 5, 3, 2)),
        ({"minAvailable": "50%"}, (5, 5, 3, 2)),
        ({"maxUnavailable": 1}, (5, 5, 4, 1)),
        ({"maxUnavailable": "30%"}, (5, 5, 3, 2)),
        ({"minAvailable": 9}, (5, 5, 9, 0)),
    ],
)
def test_numbers_and_percentages_are_resolved_as_upstream(
    spec: dict[str, int | str], expected: tuple[int, int, int, int]
) -> None:
    world = World()
    world.create(DEPLOYMENTS, workload("web", replicas=5))
    budget(world, **spec)
    world.advance(1, world.run_pods)
    assert counts(world) == expected


def test_pod_that_is_not_ready_uses_up_the_budget() -> None:
    world = World()
    world.create(DEPLOYMENTS, workload("web", replicas=3))
    budget(world, maxUnavailable=1)
    world.advance(1, world.run_pods)
    assert status(world)["conditions"][0]["reason"] == "SufficientPods"
    world.set_pod(world.names(PODS)[0], "Running", ready=False)
    world.settle()
    assert counts(world) == (3, 2, 2, 0)
    assert status(world)["conditions"][0]["reason"] == "InsufficientPods"


def test_budget_without_pods_allows_nothing() -> None:
    world = World()
    budget(world, minAvailable=0)
    world.settle()
    assert counts(world) == (0, 0, 0, 0)


def test_eviction_that_deletes_nothing_is_given_up_after_two_minutes() -> None:
    world = World()
    world.create(DEPLOYMENTS, workload("web", replicas=2))
    budget(world, minAvailable=1)
    world.advance(1, world.run_pods)
    pdb = world.get(POD_DISRUPTION_BUDGETS, "pdb")
    pdb["status"]["disruptedPods"] = {world.names(PODS)[0]: timestamp(world.now)}
    world.client.update_status(POD_DISRUPTION_BUDGETS, pdb, world.now)
    world.settle()
    assert counts(world) == (2, 1, 1, 0)
    world.advance(121)
    assert counts(world) == (2, 2, 1, 1)
