"""Policies of docs/how-to/hook-into-binding.md on a cluster, also where watches are cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_story import MakeNodes, Plane, Story
from controlplane import pod_manifest, wait_until
from docs_page import write_policies
from fault_proxy import FaultProxy, Faults
from scheduler_process import SchedulerProcess
from scheduler_role import grant

SERVERS = ("real", "embedded")
MODES = (("--mode", "watch"), ("--mode", "polling", "--interval", "0.5"))
GROUP = {"example.com/group": "g", "example.com/group-size": "3"}
SEAT = "example.com/seat"
RBAC = "rbac.authorization.k8s.io"


@pytest.fixture(scope="module")
def kubeconfig(control_plane: Plane) -> Path:
    """A ServiceAccount that may do what a scheduler must, and patch pods."""
    kubeconfig = control_plane.service_account_kubeconfig("kube-system", "seats")
    grant(control_plane, "seats")
    name = "patch-pods"
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]}
    subject = {"kind": "ServiceAccount", "name": "seats", "namespace": "kube-system"}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    common = {"apiVersion": f"{RBAC}/v1", "metadata": {"name": name}}
    control_plane.create(
        [
            {**common, "kind": "ClusterRole", "rules": [rule]},
            {**common, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]},
        ],
        concurrency=1,
    )
    return kubeconfig


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """What makes a scheduler take the two policies."""
    files = write_policies("docs/how-to/hook-into-binding.md", tmp_path)
    return [f"--policy={files[name]}" for name in ("Together", "Seats")]


def create(story: Story, name: str, labels: dict[str, str]) -> None:
    """Create a pod with labels."""
    manifest = pod_manifest(name, namespace=story.namespace, scheduler_name="my-scheduler")
    manifest["metadata"]["labels"] = labels
    story.control_plane.create([manifest])


def seats(story: Story) -> dict[str, str]:
    """Return the seats of the pods that are bound."""
    return {
        name: pod["metadata"]["labels"][SEAT]
        for name, pod in story.pods().items()
        if pod["spec"].get("nodeName") and SEAT in pod["metadata"].get("labels", {})
    }


@pytest.mark.parametrize("mode", MODES, ids=("watch", "polling"))
def test_group_waits_for_its_last_pod_and_nobody_waits_for_the_group(
    control_plane: Plane,
    namespace: str,
    make_nodes: MakeNodes,
    kubeconfig: Path,
    options: list[str],
    mode: tuple[str, ...],
) -> None:
    """Its watches are cut again and again meanwhile, and every twentieth request fails."""
    make_nodes(1, cpu="4")
    story = Story(control_plane, namespace)
    faults = Faults(error_rate=0.05, watch_bytes=(500, 20_000))
    with (
        FaultProxy(control_plane, faults) as proxy,
        SchedulerProcess(proxy.kubeconfig(kubeconfig), *mode, *options),
    ):
        for name in ("g-0", "g-1"):
            create(story, name, GROUP)
        wait_until(
            lambda: all(
                story.pods()[name]["status"].get("nominatedNodeName") for name in ("g-0", "g-1")
            ),
            "two pods that wait",
        )
        create(story, "other", {})
        story.wait_bound(["other"])
        assert [story.node_of(name) for name in ("g-0", "g-1")] == ["", ""]
        create(story, "g-2", GROUP)
        story.wait_bound(["g-0", "g-1", "g-2"])


def test_seats_are_given_once_and_known_to_the_next_process(
    control_plane: Plane,
    namespace: str,
    make_nodes: MakeNodes,
    kubeconfig: Path,
    options: list[str],
) -> None:
    """Two pods have the two seats; a third waits until one is free, whoever schedules then."""
    make_nodes(1, cpu="4")
    story = Story(control_plane, namespace)
    with SchedulerProcess(kubeconfig, *options):
        for name in ("a", "b"):
            create(story, name, {SEAT: "wanted"})
        story.wait_bound(["a", "b"])
        assert sorted(seats(story).values()) == ["0", "1"]
    with SchedulerProcess(kubeconfig, *options):
        create(story, "c", {SEAT: "wanted"})
        condition = story.wait_condition("c")
        assert condition["reason"] == "Unschedulable"
        assert condition["message"] == "0/1 nodes are available: 1 no seat was free."
        free = seats(story)["a"]
        story.api.request("DELETE", f"{story.path}/a?gracePeriodSeconds=0")
        story.wait_bound(["c"])
        assert seats(story)["c"] == free
