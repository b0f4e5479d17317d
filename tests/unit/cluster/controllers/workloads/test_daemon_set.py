"""DaemonSets: which nodes, how pods are tied to them, updates, status."""

from __future__ import annotations

from typing import Any

from pilotfish.cluster.controllers.workloads.daemon_pods import target_node
from pilotfish.cluster.kinds import DAEMON_SETS, NODES, PODS
from unit.cluster.controllers.world import Json, World, template, workload


def daemon_set(world: World, **spec: Any) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    world.create(DAEMON_SETS, workload("agent", **{"updateStrategy": strategy, **spec}))


def run_pods(world: World) -> None:
    """Bind each pod to the node that it is tied to, and run it."""
    for pod in world.all(PODS):
        if not pod["spec"].get("nodeName") and "deletionTimestamp" not in pod["metadata"]:
            meta = pod["metadata"]
            binding = {
                "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
                "target": {"kind": "Node", "name": target_node(pod)},
            }
            key = (meta["namespace"], meta["name"])
            world.client.create_subresource(PODS, *key, "binding", binding, world.now)
    world.run_pods()


def nodes_of_pods(world: World) -> list[str]:
    return sorted(target_node(pod) for pod in world.all(PODS))


def taint(world: World, node: str, effect: str, key: str = "test") -> None:
    taints = [{"key": key, "value": "x", "effect": effect}]
    world.change(NODES, node, lambda n: n["spec"].update(taints=taints))


def status(world: World) -> Json:
    found: Json = world.get(DAEMON_SETS, "agent")["status"]
    return found


def test_each_node_gets_one_pod_tied_to_it() -> None:
    world = World()
    for name in ("a", "b", "c"):
        world.add_node(name)
    daemon_set(world)
    world.settle()
    assert nodes_of_pods(world) == ["a", "b", "c"]
    assert [pod["spec"].get("nodeName") for pod in world.all(PODS)] == [None] * 3
    world.advance(1, lambda: run_pods(world))
    assert status(world)["desiredNumberScheduled"] == 3
    assert status(world)["numberReady"] == 3
    assert status(world)["numberAvailable"] == 3
    assert "numberUnavailable" not in status(world)


def test_pod_tolerates_the_troubles_of_its_node() -> None:
    world = World()
    world.add_node("a")
    daemon_set(world)
    world.settle()
    (pod,) = world.all(PODS)
    tolerated = {(t["key"], t["effect"]) for t in pod["spec"]["tolerations"]}
    assert ("node.kubernetes.io/unreachable", "NoExecute") in tolerated
    assert ("node.kubernetes.io/unschedulable", "NoSchedule") in tolerated
    assert ("node.kubernetes.io/network-unavailable", "NoSchedule") not in tolerated


def test_node_that_comes_later_gets_a_pod() -> None:
    world = World()
    daemon_set(world)
    world.settle()
    assert world.names(PODS) == []
    world.add_node("late")
    world.settle()
    assert nodes_of_pods(world) == ["late"]


def test_cordoned_node_gets_a_pod_all_the_same() -> None:
    world = World()
    world.add_node("a")
    world.change(NODES, "a", lambda n: n["spec"].update(unschedulable=True))
    world.settle()
    daemon_set(world)
    world.settle()
    assert nodes_of_pods(world) == ["a"]


def test_node_selector_and_taints_decide_which_nodes() -> None:
    world = World()
    world.add_node("a", disk="ssd")
    world.add_node("b")
    world.add_node("c", disk="ssd")
    taint(world, "c", "NoSchedule")
    daemon_set(world, template=template(nodeSelector={"disk": "ssd"}))
    world.settle()
    assert nodes_of_pods(world) == ["a"]


def test_pod_stays_behind_a_no_schedule_taint_and_goes_with_the_label() -> None:
    world = World()
    world.add_node("a", disk="ssd")
    daemon_set(world, template=template(nodeSelector={"disk": "ssd"}))
    world.advance(1, lambda: run_pods(world))
    taint(world, "a", "NoSchedule")
    world.advance(1, lambda: run_pods(world))
    assert nodes_of_pods(world) == ["a"]
    assert status(world)["numberMisscheduled"] == 1
    world.change(NODES, "a", lambda n: n["metadata"]["labels"].pop("disk"))
    world.advance(1, lambda: run_pods(world))
    assert world.names(PODS) == []
    assert status(world)["desiredNumberScheduled"] == 0


def test_failed_pod_is_replaced_at_once_and_then_with_a_growing_delay() -> None:
    world = World()
    world.add_node("a")
    daemon_set(world)
    world.advance(1, lambda: run_pods(world))
    for _ in range(2):
        (name,) = world.names(PODS)
        world.set_pod(name, "Failed")
        world.advance(0.3, lambda: run_pods(world))
    assert world.names(PODS) == [name]
    world.advance(1, lambda: run_pods(world))
    assert world.names(PODS) != [name]
    assert world.events("FailedDaemonPod")[0].endswith("on node a, will try to kill it")


def test_update_replaces_as_many_pods_as_may_be_unavailable() -> None:
    world = World()
    for name in ("a", "b", "c"):
        world.add_node(name)
    daemon_set(world)
    world.advance(1, lambda: run_pods(world))
    world.change(DAEMON_SETS, "agent", lambda d: d["spec"].update(template=template("app:v2")))
    most_going = 0

    def tick() -> None:
        nonlocal most_going
        ready = [p for p in world.all(PODS) if "deletionTimestamp" not in p["metadata"]]
        most_going = max(most_going, 3 - len(ready))
        run_pods(world)

    world.advance(2, tick)
    assert {p["spec"]["containers"][0]["image"] for p in world.all(PODS)} == {"app:v2"}
    assert most_going == 1
    assert status(world)["updatedNumberScheduled"] == 3


def test_on_delete_waits_for_the_user() -> None:
    world = World()
    world.add_node("a")
    daemon_set(world, updateStrategy={"type": "OnDelete"})
    world.advance(1, lambda: run_pods(world))
    (name,) = world.names(PODS)
    world.change(DAEMON_SETS, "agent", lambda d: d["spec"].update(template=template("app:v2")))
    world.advance(1, lambda: run_pods(world))
    assert world.names(PODS) == [name]
    world.delete(PODS, name)
    world.advance(1, lambda: run_pods(world))
    (pod,) = world.all(PODS)
    assert pod["spec"]["containers"][0]["image"] == "app:v2"


def test_unbound_pod_of_a_node_that_went_is_deleted() -> None:
    world = World()
    world.add_node("a")
    daemon_set(world)
    world.settle()
    world.delete(NODES, "a")
    world.advance(1)
    assert world.names(PODS) == []
