"""Pods that leave tainted nodes."""

from __future__ import annotations

from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.kinds import NODES, PODS
from unit.cluster.controllers.world import Json, World


def taints(world: World, node: str) -> list[str]:
    found = world.get(NODES, node)["spec"].get("taints") or []
    return sorted(f"{taint['key']}:{taint['effect']}" for taint in found)


def toleration(key: str, seconds: int | None) -> Json:
    made = {"key": key, "operator": "Exists", "effect": "NoExecute"}
    return made if seconds is None else made | {"tolerationSeconds": seconds}


def evict_marks(world: World, node: str) -> None:
    made = [{"key": "broken", "effect": "NoExecute"}]
    world.change(NODES, node, lambda n: n["spec"].update(taints=made))


def test_pod_without_toleration_is_evicted_at_once() -> None:
    world = World()
    world.add_node("n")
    world.add_pod("p", node="n")
    world.settle()
    evict_marks(world, "n")
    world.settle()
    pod = world.get(PODS, "p")
    assert "deletionTimestamp" in pod["metadata"]
    target = find_condition(pod["status"], "DisruptionTarget")
    assert target is not None
    assert target["reason"] == "DeletionByTaintManager"
    assert world.events("TaintManagerEviction") == ["Marking for deletion Pod default/p"]


def test_pod_is_evicted_after_its_toleration_seconds() -> None:
    world = World()
    world.add_node("n")
    world.add_pod("p", node="n", tolerations=[toleration("broken", 30)])
    world.add_pod("q", node="n", tolerations=[toleration("broken", None)])
    evict_marks(world, "n")
    world.advance(29)
    assert "deletionTimestamp" not in world.get(PODS, "p")["metadata"]
    world.advance(2)
    assert "deletionTimestamp" in world.get(PODS, "p")["metadata"]
    assert "deletionTimestamp" not in world.get(PODS, "q")["metadata"]


def test_eviction_is_cancelled_when_the_taint_goes() -> None:
    world = World()
    world.add_node("n")
    world.add_pod("p", node="n", tolerations=[toleration("broken", 30)])
    evict_marks(world, "n")
    world.advance(20)
    world.change(NODES, "n", lambda n: n["spec"].pop("taints"))
    world.renew_lease("n")
    world.advance(30)
    assert "deletionTimestamp" not in world.get(PODS, "p")["metadata"]
    assert world.events("TaintManagerEviction") == ["Cancelling deletion of Pod default/p"]


def test_pod_that_comes_to_a_tainted_node_is_evicted_too() -> None:
    world = World()
    world.add_node("n")
    evict_marks(world, "n")
    world.settle()
    world.add_pod("p", node="n")
    world.settle()
    assert "deletionTimestamp" in world.get(PODS, "p")["metadata"]
