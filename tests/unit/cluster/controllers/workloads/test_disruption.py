"""PodDisruptionBudgets: how many pods may be disrupted."""

from __future__ import annotations

import pytest

from pilotfish.cluster.controllers.pod_index import PodIndex
from pilotfish.cluster.controllers.workloads.disruption import DisruptionController
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import DAEMON_SETS, DEPLOYMENTS, POD_DISRUPTION_BUDGETS, PODS
from pilotfish.cluster.store import Change
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


def test_budget_over_pods_whose_owner_has_no_scale_allows_nothing_and_says_why() -> None:
    world = World()
    world.add_node("a")
    world.create(DAEMON_SETS, workload("web", updateStrategy={"type": "OnDelete"}))
    budget(world, maxUnavailable=1)
    world.advance(1, world.run_pods)
    why = "daemonsets.apps does not implement the scale subresource"
    (condition,) = status(world)["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "SyncFailed")
    assert condition["message"] == why
    assert status(world)["disruptionsAllowed"] == 0
    (event,) = world.events("CalculateExpectedPodCountFailed")
    assert event == f"Failed to calculate the number of expected pods: {why}"


def test_owner_of_an_unknown_kind_keeps_a_budget_from_being_reckoned() -> None:
    world = World()
    owner = {"apiVersion": "x.io/v1", "kind": "X", "name": "x", "uid": "1", "controller": True}
    world.add_pod("a", owner=owner)
    budget(world, minAvailable="50%")
    world.settle()
    why = 'no matches for kind "X" in version "x.io/v1"'
    assert status(world)["conditions"][0]["message"] == why


def test_events_tell_of_a_budget_without_pods_and_of_pods_without_an_owner() -> None:
    world = World()
    budget(world, maxUnavailable=1)
    world.settle()
    assert world.events("NoPods") == ["No matching pods found"]
    world.add_pod("alone")
    world.advance(1, world.run_pods)
    selector = (
        "&LabelSelector{MatchLabels:map[string]string{app: web,},"
        "MatchExpressions:[]LabelSelectorRequirement{},}"
    )
    world.change(POD_DISRUPTION_BUDGETS, "pdb", lambda p: p["spec"].update(maxUnavailable=0))
    world.settle()
    assert world.events("UnmanagedPods")[-1].startswith(
        f"Pods selected by this PodDisruptionBudget (selector: {selector}) were found"
    )


def test_finished_pods_of_a_budget_are_expected_as_the_others() -> None:
    world = World()
    for name in ("a", "b"):
        world.add_pod(name)
    budget(world, minAvailable=1)
    world.advance(1, world.run_pods)
    world.set_pod("a", "Succeeded")
    world.settle()
    assert counts(world) == (2, 1, 1, 0)


def test_budget_follows_the_labels_of_pods_and_its_own_selector() -> None:
    world = World()
    for name in "abc":
        world.add_pod(name, node="n")
        world.set_pod(name, "Running", ready=True)
    budget(world, minAvailable=1)
    world.settle()
    assert counts(world) == (3, 3, 1, 2)
    world.change(PODS, "a", lambda pod: pod["metadata"].update(labels={"app": "db"}))
    world.settle()
    assert counts(world) == (2, 2, 1, 1)
    selector = {"matchLabels": {"app": "db"}}
    world.change(POD_DISRUPTION_BUDGETS, "pdb", lambda pdb: pdb["spec"].update(selector=selector))
    world.settle()
    assert counts(world) == (1, 1, 1, 0)
    world.delete(PODS, "a", grace_period_seconds=0)
    world.settle()
    assert counts(world) == (0, 0, 1, 0)


def test_percentage_follows_the_size_of_the_workload() -> None:
    world = World()
    world.create(DEPLOYMENTS, workload("web", replicas=4))
    budget(world, minAvailable="50%")
    world.advance(1, world.run_pods)
    world.change(DEPLOYMENTS, "web", lambda each: each["spec"].update(replicas=8))
    world.advance(1, world.run_pods)
    assert counts(world) == (8, 8, 4, 4)


def test_only_budgets_that_choose_a_pod_look_at_its_changes() -> None:
    world, pods = World(), PodIndex()
    controller = DisruptionController(world.client, pods, Recorder(world.client))
    for app in ("web", "db"):
        selector = {"matchLabels": {"app": app}}
        made = {"metadata": {"name": app}, "spec": {"minAvailable": 1, "selector": selector}}
        world.create(POD_DISRUPTION_BUDGETS, made)
    budgets = POD_DISRUPTION_BUDGETS.storage
    for stored in world.client.store.list(budgets).items:
        added = Change(stored.resource_version, "ADDED", budgets, stored, None)
        assert list(controller.observe(added, world.now)) == [("default", stored.name)]
    world.add_pod("a")
    (pod,) = world.client.store.list(PODS.storage).items
    told = pods.apply(Change(pod.resource_version, "ADDED", PODS.storage, pod, None))
    assert list(controller.observe_pod(*told, world.now)) == [("default", "web")]
