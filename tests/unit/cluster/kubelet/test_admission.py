from typing import Any

import pytest

from kubelet_story import Story
from pilotfish.cluster.kinds import NODES
from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.kubelet import kubelets_of
from pilotfish.cluster.settings import NodeGroup


def with_requests(**requests: str) -> list[dict[str, Any]]:
    return [{"resources": {"requests": requests}}]


def rejection(story: Story, name: str) -> tuple[str, str, str]:
    status = story.status(name)
    return status["phase"], status["reason"], status["message"]


def test_pod_that_does_not_fit_fails_with_out_of_cpu() -> None:
    story = Story()
    story.create("first", containers=with_requests(cpu="3"))
    story.create("second", containers=with_requests(cpu="1500m"))
    text = "Node didn't have enough resource: cpu, requested: 1500, used: 3000, capacity: 4000"
    assert rejection(story, "second") == ("Failed", "OutOfcpu", f"Pod was rejected: {text}")
    assert story.events("second") == [f"OutOfcpu: {text}"]
    story.run(60)
    assert "containerStatuses" not in story.status("second")


@pytest.mark.parametrize(("resource", "amount"), [("memory", "17Gi"), ("ephemeral-storage", "1Ti")])
def test_each_resource_has_its_reason(resource: str, amount: str) -> None:
    story = Story()
    story.create("big", containers=with_requests(**{resource: amount}))
    assert rejection(story, "big")[1] == f"OutOf{resource}"


def test_node_takes_no_more_pods_than_it_allows() -> None:
    story = Story(NodeGroup(count=1, capacity={"pods": "2"}))
    for name in "abc":
        story.create(name)
    assert story.phase("b") == "Pending"
    assert rejection(story, "c")[1:] == (
        "OutOfpods",
        (
            "Pod was rejected: Node didn't have enough resource: pods, "
            "requested: 1, used: 2, capacity: 2"
        ),
    )


def test_extended_resource_that_the_node_knows_is_counted_and_an_unknown_one_is_not() -> None:
    story = Story(NodeGroup(count=1, capacity={"example.com/gpu": "1"}))
    limits = {"example.com/gpu": "2"}
    story.create("a", containers=[{"resources": {"requests": limits, "limits": limits}}])
    assert rejection(story, "a")[1] == "OutOfexample.com/gpu"
    limits = {"example.com/fpga": "2"}
    story.create("b", containers=[{"resources": {"requests": limits, "limits": limits}}])
    assert story.phase("b") == "Pending"


def test_node_selector_is_checked_again() -> None:
    story = Story()
    story.create("picky", nodeSelector={"disk": "ssd"})
    assert rejection(story, "picky")[1:] == (
        "NodeAffinity",
        (
            "Pod was rejected: Predicate NodeAffinity failed: "
            "node(s) didn't match Pod's node affinity/selector"
        ),
    )


def test_required_node_affinity_is_checked_again() -> None:
    story = Story(NodeGroup(count=1, labels={"env": "prod"}))
    for name, value in (("here", "prod"), ("nowhere", "test")):
        term = {"matchExpressions": [{"key": "env", "operator": "In", "values": [value]}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        story.create(name, affinity={"nodeAffinity": required})
    assert story.phase("here") == "Pending"
    assert rejection(story, "nowhere")[1] == "NodeAffinity"


def test_host_port_that_is_taken_is_refused() -> None:
    story = Story()
    ports = [{"containerPort": 80, "hostPort": 8080, "protocol": "TCP"}]
    story.create("first", containers=[{"ports": ports}])
    story.create("second", containers=[{"ports": ports}])
    assert story.phase("first") == "Pending"
    assert rejection(story, "second")[1] == "NodePorts"


def test_no_execute_taint_is_refused_and_no_schedule_is_not() -> None:
    story = Story()
    for name, effect in (("node-1", "NoSchedule"), ("node-2", "NoExecute")):
        patch = {"spec": {"taints": [{"key": "k", "effect": effect}]}}
        story.client.patch(NODES, "", name, patch, story.now)
    story.run(0)
    story.create("a", node="node-1")
    story.create("b", node="node-2")
    assert story.phase("a") == "Pending"
    assert rejection(story, "b")[1] == "TaintToleration"


def test_rejected_pod_can_be_deleted_and_takes_nothing() -> None:
    story = Story()
    story.create("big", containers=with_requests(cpu="5"))
    story.create("small", containers=with_requests(cpu="4"))
    story.run(5)
    assert story.phase("small") == "Running"
    story.delete("big")
    assert story.find("big") is None


def test_pods_that_run_come_before_those_that_wait_when_a_node_comes_back() -> None:
    story = Story()
    story.create("z-runs", containers=with_requests(cpu="3"))
    story.run(5)
    story.annotate_node("node-1", keys.FAULT, "Silent")
    story.create("a-waits", containers=with_requests(cpu="3"))
    story.kubelets = kubelets_of(story.client)
    story.run(1)
    story.annotate_node("node-1", keys.FAULT, None)
    assert story.phase("z-runs") == "Running"
    assert rejection(story, "a-waits")[1] == "OutOfcpu"
