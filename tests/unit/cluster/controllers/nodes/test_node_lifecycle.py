"""Nodes that report or do not, and the taints that follow."""

from __future__ import annotations

from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.kinds import NODES, PODS
from unit.cluster.controllers.world import Json, World

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"


def taints(world: World, node: str) -> list[str]:
    found = world.get(NODES, node)["spec"].get("taints") or []
    return sorted(f"{taint['key']}:{taint['effect']}" for taint in found)


def ready(world: World, node: str) -> Json:
    found = find_condition(world.get(NODES, node)["status"], "Ready")
    assert found is not None
    return found


def renew_every_ten_seconds(world: World, node: str, seconds: int) -> None:
    for _ in range(seconds // 10):
        world.advance(10)
        world.renew_lease(node)


def test_new_node_loses_its_not_ready_taint_when_it_is_ready() -> None:
    world = World()
    world.create(NODES, {"metadata": {"name": "n"}, "spec": {}})
    world.set_node("n", "False")
    world.settle()
    assert taints(world, "n") == [f"{NOT_READY}:NoExecute", f"{NOT_READY}:NoSchedule"]
    world.set_node("n", "True")
    world.settle()
    assert taints(world, "n") == []


def test_taints_of_users_stay() -> None:
    world = World()
    world.add_node("n")
    made = [{"key": "gpu", "effect": "NoSchedule"}]
    world.change(NODES, "n", lambda n: n["spec"].update(taints=made))
    world.set_node("n", "False")
    world.settle()
    world.set_node("n", "True")
    world.settle()
    assert taints(world, "n") == ["gpu:NoSchedule"]


def test_cordoned_node_gets_the_unschedulable_taint() -> None:
    world = World()
    world.add_node("n")
    world.change(NODES, "n", lambda n: n["spec"].update(unschedulable=True))
    world.settle()
    assert taints(world, "n") == ["node.kubernetes.io/unschedulable:NoSchedule"]
    world.change(NODES, "n", lambda n: n["spec"].pop("unschedulable"))
    world.settle()
    assert taints(world, "n") == []


def test_node_that_renews_its_lease_stays_ready() -> None:
    world = World()
    world.add_node("n")
    renew_every_ten_seconds(world, "n", 200)
    assert ready(world, "n")["status"] == "True"


def test_silent_node_turns_unknown_after_the_grace_period_and_heals() -> None:
    world = World()
    world.add_node("n")
    renew_every_ten_seconds(world, "n", 100)
    world.advance(49)
    assert ready(world, "n")["status"] == "True"
    world.advance(2)
    assert ready(world, "n")["status"] == "Unknown"
    assert ready(world, "n")["reason"] == "NodeStatusUnknown"
    assert ready(world, "n")["message"] == "Kubelet stopped posting node status."
    assert taints(world, "n") == [f"{UNREACHABLE}:NoExecute", f"{UNREACHABLE}:NoSchedule"]
    world.set_node("n", "True")
    world.renew_lease("n")
    world.settle()
    assert taints(world, "n") == []


def test_node_has_time_to_report_after_all_stood_still() -> None:
    """A laptop slept, say: nobody renewed anything, and nobody looked."""
    world = World()
    world.add_node("n")
    renew_every_ten_seconds(world, "n", 100)
    world.settle()
    world.now += 3600
    world.settle()
    assert ready(world, "n")["status"] == "True"
    world.advance(51)
    assert ready(world, "n")["status"] == "Unknown"


def test_pods_of_a_silent_node_are_not_ready() -> None:
    world = World()
    world.add_node("n")
    world.add_pod("p", node="n")
    world.set_pod("p", "Running", ready=True)
    world.advance(51)
    condition = find_condition(world.get(PODS, "p")["status"], "Ready")
    assert condition is not None
    assert condition["status"] == "False"


def test_node_that_never_reported_is_told_so() -> None:
    world = World()
    world.create(NODES, {"metadata": {"name": "n"}, "spec": {}})
    world.advance(61)
    assert ready(world, "n")["reason"] == "NodeStatusNeverUpdated"


def test_nodes_that_come_and_go_are_told() -> None:
    world = World()
    world.add_node("n")
    world.settle()
    assert world.events("RegisteredNode") == ["Node n event: Registered Node n in Controller"]
    world.delete(NODES, "n")
    world.settle()
    assert world.events("RemovingNode") == ["Node n event: Removing Node n from Controller"]


def test_node_without_taints_has_no_list_of_them() -> None:
    world = World()
    world.add_node("n")
    world.set_node("n", "False")
    world.settle()
    world.set_node("n", "True")
    world.settle()
    assert "taints" not in world.get(NODES, "n")["spec"]


def test_unbound_pod_that_is_held_while_it_is_deleted_has_failed() -> None:
    world = World()
    world.add_pod("a")
    world.change(PODS, "a", lambda pod: pod["metadata"].update(finalizers=["test/hold"]))
    world.delete(PODS, "a")
    world.settle()
    assert world.get(PODS, "a")["status"]["phase"] == "Failed"


def test_pods_that_a_node_out_of_service_should_end_go_without_it() -> None:
    world = World()
    world.add_node("n1")
    for name in ("going", "staying"):
        world.add_pod(name, node="n1")
    world.settle()
    world.delete(PODS, "going", grace_period_seconds=30)
    taints = [{"key": "node.kubernetes.io/out-of-service", "effect": "NoSchedule"}]
    world.change(NODES, "n1", lambda node: node["spec"].update(taints=taints))
    world.settle()
    assert world.names(PODS) == ["going", "staying"]
    world.set_node("n1", "Unknown")
    world.settle()
    assert world.names(PODS) == ["staying"]
