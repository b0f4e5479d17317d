"""Pods that lie evenly over zones, and pods that keep away from each other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cluster_story import MakeNodes, Plane, Story
from scheduler_process import SchedulerProcess
from scheduler_role import grant

SERVERS = ("real", "embedded")

ZONE, HOSTNAME = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
WEB = {"app": "web"}
SELECTS_WEB = {"matchLabels": WEB}


@pytest.fixture
def story(control_plane: Plane, namespace: str) -> Story:
    """Words for this test's pods."""
    return Story(control_plane, namespace)


def evenly_over_zones(max_skew: int) -> dict[str, Any]:
    """Make the part of a spec that keeps web pods even over zones."""
    constraint = {
        "maxSkew": max_skew,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": SELECTS_WEB,
    }
    return {"topologySpreadConstraints": [constraint]}


def test_pods_lie_evenly_over_zones_though_one_has_most_nodes(
    story: Story, make_nodes: MakeNodes, scheduler_kubeconfig: Path
) -> None:
    zone_of = {
        node: zone
        for zone, count in (("a", 4), ("b", 1), ("c", 1))
        for node in make_nodes(count, cpu="8", labels={ZONE: zone})
    }
    make_nodes(2, cpu="64")
    names = [f"web-{i}" for i in range(12)]
    with SchedulerProcess(scheduler_kubeconfig) as scheduler:
        story.create(names, labels=WEB, spec=evenly_over_zones(1))
        placed = story.wait_bound(names)
        assert scheduler.stop() == 0
    assert Counter(zone_of[node] for node in placed.values()) == {"a": 4, "b": 4, "c": 4}


def test_pods_that_keep_apart_take_a_node_each_and_the_next_waits_for_one_to_go(
    story: Story, make_nodes: MakeNodes, scheduler_kubeconfig: Path
) -> None:
    nodes = make_nodes(4, cpu="8")
    term = {"topologyKey": HOSTNAME, "labelSelector": SELECTS_WEB}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    names = [f"web-{i}" for i in range(4)]
    with SchedulerProcess(scheduler_kubeconfig) as scheduler:
        story.create(names, labels=WEB, spec={"affinity": apart})
        placed = story.wait_bound(names)
        assert sorted(placed.values()) == nodes

        story.create(["late"], labels=WEB, spec={"affinity": apart})
        story.create(["hated"], labels=WEB)
        story.create(["other"])
        story.wait_bound(["other"])
        whole = "0/4 nodes are available: 4 node(s) didn't match pod anti-affinity rules."
        assert story.wait_condition("late")["message"].startswith(whole)
        whole = "0/4 nodes are available: 4 node(s) didn't satisfy existing pods anti-affinity"
        assert story.wait_condition("hated")["message"].startswith(whole)

        story.api.delete(f"{story.path}/hated", grace_seconds=0)
        story.api.delete(f"{story.path}/web-2", grace_seconds=0)
        assert story.wait_bound(["late"])["late"] == placed["web-2"]
        assert scheduler.stop() == 0


@pytest.mark.parametrize("mode", ["watch", "polling"])
def test_kinds_that_the_role_hides_are_lived_without_and_told_of_once(
    control_plane: Plane, story: Story, make_nodes: MakeNodes, mode: str
) -> None:
    make_nodes(2)
    name = f"hidden-from-{mode}"
    kubeconfig = control_plane.service_account_kubeconfig("kube-system", name)
    grant(control_plane, name, without=("namespaces", "services", "replicasets"))
    with SchedulerProcess(kubeconfig, "--mode", mode) as scheduler:
        story.create(["first", "second"], labels=WEB, spec=evenly_over_zones(9))
        story.create(["plain"])
        story.wait_bound(["plain"])
        assert "missing required label" in story.wait_condition("first")["message"]
        assert scheduler.is_running
        for kind in ("namespaces", "services", "replicationcontrollers", "replicasets"):
            assert scheduler.count(rf"{kind}.* is forbidden") == 1, kind
        assert not scheduler.count("pods.* is forbidden")
