"""The scheduler's stories on the pure cluster: hours pass in a moment, always alike."""

from __future__ import annotations

from typing import Any

from pilotfish.cluster.settings import NodeGroup
from pure_world import NAME, PureWorld, resource_of


def pod_spec(cpu: str, **more: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    return {"schedulerName": NAME, "containers": [container], **more}


def on(which: str) -> dict[str, Any]:
    return {"nodeSelector": {"for": which}}


def deployment(replicas: int) -> dict[str, Any]:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod_spec("500m")}
    return {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}


def test_what_blocked_a_pod_goes_away_and_the_pod_is_scheduled_at_once() -> None:
    """Each pod waits for another reason; each is bound as soon as that reason is gone."""
    world = PureWorld(
        NodeGroup(name="tainted", count=1, labels={"for": "taint"}, taints=("gpu:NoSchedule",)),
        NodeGroup(name="full", count=1, labels={"for": "room"}, capacity={"cpu": "2"}),
        NodeGroup(name="cordoned", count=1, labels={"for": "cordon"}),
        NodeGroup(name="unlabelled", count=1),
    )
    world.patch("nodes", "cordoned-1", {"spec": {"unschedulable": True}})
    world.create("pods", "tenant", pod_spec("1500m", **on("room")))
    world.run(10)
    for name in ("taint", "room", "cordon", "label"):
        world.create("pods", name, pod_spec("1500m", **on(name)))
    world.run(3600)
    assert [name for name, node in world.nodes_of_pods().items() if node] == ["tenant"]

    world.patch("nodes", "tainted-1", {"spec": {"taints": None}})
    world.delete("pods", "tenant")
    world.patch("nodes", "cordoned-1", {"spec": {"unschedulable": False}})
    world.patch("nodes", "unlabelled-1", {"metadata": {"labels": {"for": "label"}}})
    world.run(1)

    assert world.nodes_of_pods() == {
        "taint": "tainted-1",
        "room": "full-1",
        "cordon": "cordoned-1",
        "label": "unlabelled-1",
    }


def test_impossible_pod_says_why_in_condition_and_event() -> None:
    world = PureWorld(NodeGroup(count=2))
    world.create("pods", "huge", pod_spec("64"))
    world.run(1)
    conditions = world.pods()["huge"]["status"]["conditions"]
    (condition,) = [one for one in conditions if one["type"] == "PodScheduled"]
    assert condition["status"] == "False"
    assert condition["message"].startswith("0/2 nodes are available: 2 Insufficient cpu.")
    assert world.events[0].reason == "FailedScheduling"
    assert world.events[0].note == condition["message"]


def test_pods_of_a_dead_node_are_made_anew_elsewhere() -> None:
    """Fifty seconds until the node counts as dead, five minutes until its pods are given up."""
    world = PureWorld(NodeGroup(count=4))
    world.create("deployments", "web", deployment(8))
    world.run(30)
    assert sorted(world.nodes_of_pods().values()) == [
        *("node-1", "node-1", "node-2", "node-2"),
        *("node-3", "node-3", "node-4", "node-4"),
    ]
    dead = {"metadata": {"annotations": {"kubelet.pilotfish/fault": "Silent"}}}
    world.patch("nodes", "node-2", dead)
    world.run(600)
    alive = [
        pod["spec"]["nodeName"]
        for pod in world.pods().values()
        if "deletionTimestamp" not in pod["metadata"]
    ]
    assert len(alive) == 8
    assert "node-2" not in alive


def test_the_same_seed_tells_the_same_story() -> None:
    def placed() -> dict[str, str]:
        world = PureWorld(NodeGroup(count=7), seed=5)
        world.create("deployments", "web", deployment(25))
        world.run(60)
        return world.nodes_of_pods()

    assert placed() == placed()
    assert len(placed()) == 25


def test_more_important_pod_takes_the_room_of_a_less_important_one() -> None:
    world = PureWorld(NodeGroup(count=1, capacity={"cpu": "2"}))
    vital = {"metadata": {"name": "vital"}, "value": 1000}
    world.cluster.client.create(resource_of("priorityclasses"), vital, world.now)
    world.create("pods", "plain", pod_spec("1500m"))
    world.run(10)
    world.create("pods", "vital", pod_spec("1500m", priorityClassName="vital"))
    world.run(120)
    assert world.nodes_of_pods() == {"vital": "node-1"}
    assert [event.name for event in world.events if event.reason == "Preempted"] == ["plain"]
