"""The pods in examples/, as the lab and its make targets use them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cluster_story import MakeNodes, Plane, Story
from controlplane import wait_until
from manifests import ROOT, kubectl
from scheduler_process import SchedulerProcess

SERVERS = ("real", "embedded")
PLACED = {
    "bench-cpu",
    "bench-io",
    "bench-nginx",
    "bench-pause",
    "bench-ram",
    "busybox",
    "nginx",
    "test-pod",
}


def test_all_are_placed_but_the_one_that_asks_for_too_much(
    control_plane: Plane, make_nodes: MakeNodes, namespace: str, scheduler_kubeconfig: Path
) -> None:
    """By `make taint-label` test-prod goes to the node for production, and the others do not."""
    control_plane.kubectl("version")  # skips where there is none
    production, _, _ = make_nodes(3, cpu="8", memory="16Gi")
    story = Story(control_plane, namespace)
    with SchedulerProcess(scheduler_kubeconfig):
        there = f"{kubectl()} --kubeconfig={control_plane.kubeconfig} --namespace={namespace}"
        make = ["make", "-C", str(ROOT), "taint-label", f"NODE={production}", f"KUBECTL={there}"]
        subprocess.run(make, check=True, capture_output=True, timeout=250)
        control_plane.kubectl("apply", "-n", namespace, "-f", str(ROOT / "examples/pods"))
        wait_until(lambda: len(story.pods()) == len(PLACED) + 10, "all pods")
        web = [name for name in story.pods() if name.startswith("web-")]
        where = story.wait_bound([*PLACED, *web, "test-prod", "test1", "test2"])
        assert story.wait_condition("too-big")["reason"] == "Unschedulable"
    assert where.pop("test-prod") == production
    assert production not in where.values()
    assert story.node_of("too-big") == ""
