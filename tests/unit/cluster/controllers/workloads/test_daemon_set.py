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


def surging(**more: Any) -> Json:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0, **more}}


def live(world: World, node: str) -> list[str]:
    """Give the images of the pods of a node that are not being deleted."""
    return sorted(
        pod["spec"]["containers"][0]["image"]
        for pod in world.all(PODS)
        if target_node(pod) == node and "deletionTimestamp" not in pod["metadata"]
    )


def update(world: World) -> None:
    world.change(DAEMON_SETS, "agent", lambda d: d["spec"].update(template=template("app:v2")))


def test_surging_update_starts_the_new_pod_beside_the_old_one_on_as_many_nodes_at_once() -> None:
    world = World()
    nodes = ("a", "b", "c")
    for name in nodes:
        world.add_node(name)
    daemon_set(world, updateStrategy=surging())
    world.advance(1, lambda: run_pods(world))
    update(world)
    world.settle()
    assert sorted(map(len, (live(world, node) for node in nodes))) == [1, 1, 2]
    seen: set[tuple[str, ...]] = set()

    def tick() -> None:
        seen.update(tuple(live(world, node)) for node in nodes)
        assert sum(len(live(world, node)) for node in nodes) <= 4
        run_pods(world)

    world.advance(2, tick)
    assert seen == {("app:v1",), ("app:v1", "app:v2"), ("app:v2",)}
    assert [live(world, node) for node in nodes] == [["app:v2"]] * 3
    assert status(world)["updatedNumberScheduled"] == 3
    assert status(world)["numberAvailable"] == 3


def test_old_pod_of_a_surging_update_goes_when_the_new_one_is_available() -> None:
    world = World()
    world.add_node("a")
    daemon_set(world, updateStrategy=surging(), minReadySeconds=10)
    world.advance(11, lambda: run_pods(world))
    assert status(world)["numberAvailable"] == 1
    update(world)
    world.advance(9, lambda: run_pods(world))
    assert live(world, "a") == ["app:v1", "app:v2"]
    world.advance(2, lambda: run_pods(world))
    assert live(world, "a") == ["app:v2"]


def test_old_pod_that_is_not_ready_is_replaced_beyond_the_surge() -> None:
    world = World()
    for name in ("a", "b", "c"):
        world.add_node(name)
    daemon_set(world, updateStrategy=surging())
    world.advance(1, lambda: run_pods(world))
    broken = next(pod for pod in world.all(PODS) if target_node(pod) == "c")
    world.set_pod(broken["metadata"]["name"], "Running", ready=False)
    update(world)
    world.settle()
    assert live(world, "c") == ["app:v2"]
    assert sorted(map(len, (live(world, node) for node in ("a", "b")))) == [1, 2]


def test_pod_on_a_tainted_node_stays_in_a_surging_update_until_enough_others_are_available() -> (
    None
):
    world = World()
    for name in ("a", "b"):
        world.add_node(name)
    daemon_set(world, updateStrategy=surging())
    world.advance(1, lambda: run_pods(world))
    taint(world, "b", "NoSchedule")
    update(world)
    world.advance(1, lambda: run_pods(world))
    assert live(world, "a") == ["app:v2"]
    assert live(world, "b") == []


def test_pod_that_is_being_deleted_is_replaced_at_once_where_pods_surge() -> None:
    world = World()
    world.add_node("a")
    daemon_set(world, updateStrategy=surging())
    world.advance(1, lambda: run_pods(world))
    (name,) = world.names(PODS)
    world.delete(PODS, name)
    world.settle()
    assert len(world.names(PODS)) == 2


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
