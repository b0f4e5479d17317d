"""Two hundred pods of all sorts on twenty nodes, and what frees those that wait."""

from __future__ import annotations

from pathlib import Path

from cluster_story import MakeNodes, Plane, Story
from controlplane import wait_until
from scheduler_process import SchedulerProcess

SERVERS = ("real", "embedded")

GPU_TAINT = {"key": "gpu", "effect": "NoSchedule"}
ON_GPU_NODES = {"nodeSelector": {"pool": "gpu"}}


def wait_described(control_plane: Plane, namespace: str, pod: str, words: str) -> None:
    """Wait until `kubectl describe pod` says something, its white space folded."""

    def is_said() -> bool:
        text = control_plane.kubectl("-n", namespace, "describe", "pod", pod)
        return words in " ".join(text.split())

    wait_until(is_said, f"{words!r} of {pod}")


def test_two_hundred_mixed_pods_on_twenty_nodes(
    control_plane: Plane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
) -> None:
    """Ours are bound, others' are left alone, impossible ones say why they wait."""
    plain = make_nodes(15, cpu="4")
    gpu = make_nodes(5, cpu="4", labels={"pool": "gpu"}, taints=[GPU_TAINT])
    story = Story(control_plane, namespace)
    ours = [f"ours-{i}" for i in range(120)]
    tolerating = [f"tolerating-{i}" for i in range(20)]
    others = [f"other-{i}" for i in range(40)]
    impossible = [f"impossible-{i}" for i in range(10)]
    tainted_off = [f"tainted-off-{i}" for i in range(10)]
    with SchedulerProcess(scheduler_kubeconfig) as scheduler:
        story.create(ours, cpu="300m")
        story.create(others, scheduler_name="somebody-else")
        story.create(impossible, cpu="100")
        story.create(tainted_off, spec=ON_GPU_NODES)
        story.create(
            tolerating,
            spec=ON_GPU_NODES | {"tolerations": [{"key": "gpu", "operator": "Exists"}]},
        )

        placed = story.wait_bound(ours + tolerating)
        for name in impossible + tainted_off:
            story.wait_condition(name)

        assert {placed[name] for name in ours} == set(plain)
        assert {placed[name] for name in tolerating} == set(gpu)
        pods = story.pods()
        waiting = others + impossible + tainted_off
        assert not any(pods[name]["spec"].get("nodeName") for name in waiting)
        assert not any("conditions" in pods[name]["status"] for name in others)
        assert not story.overfilled_nodes()
        tainted = "5 node(s) had untolerated taint(s)."
        why = f"0/20 nodes are available: 15 Insufficient cpu, {tainted}"
        wait_described(control_plane, namespace, "impossible-0", why)
        unmatched = "15 node(s) didn't match Pod's node affinity/selector"
        why = f"0/20 nodes are available: {unmatched}, {tainted}"
        wait_described(control_plane, namespace, "tainted-off-0", why)
        bound = rf"^Bound {namespace}/"
        wait_until(lambda: scheduler.count(bound) >= len(placed), "a line for each bind")
        assert scheduler.count(bound) == len(placed)
        assert scheduler.stop() == 0


def test_what_blocked_a_pod_goes_away_and_the_pod_is_scheduled_at_once(
    control_plane: Plane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
) -> None:
    """Each pod waits for another reason; each is bound soon after that reason is gone."""
    blocked_by_taint, small, full, cordoned, unlabelled = (
        *make_nodes(1, cpu="2", labels={"for": "taint"}, taints=[GPU_TAINT]),
        *make_nodes(1, cpu="1", labels={"for": "capacity"}),
        *make_nodes(1, cpu="2", labels={"for": "room"}),
        *make_nodes(1, cpu="2", labels={"for": "cordon"}),
        *make_nodes(1, cpu="2"),
    )
    story = Story(control_plane, namespace)
    kubectl = control_plane.kubectl
    kubectl("cordon", cordoned)
    with SchedulerProcess(scheduler_kubeconfig) as scheduler:
        story.create(["tenant"], cpu="1500m", spec={"nodeSelector": {"for": "room"}})
        story.wait_bound(["tenant"])
        waiting = ["taint", "capacity", "room", "cordon", "label"]
        for name in waiting:
            story.create([name], cpu="1500m", spec={"nodeSelector": {"for": name}})
        for name in waiting:
            assert story.wait_condition(name)["reason"] == "Unschedulable"

        kubectl("taint", "node", blocked_by_taint, "gpu:NoSchedule-")
        bigger = {"status": {"allocatable": {"cpu": "2"}, "capacity": {"cpu": "2"}}}
        control_plane.api.patch(f"/api/v1/nodes/{small}/status", bigger)
        kubectl("-n", namespace, "delete", "pod", "tenant", "--grace-period=0", "--force")
        kubectl("uncordon", cordoned)
        kubectl("label", "node", unlabelled, "for=label")

        assert story.wait_bound(waiting) == {
            "taint": blocked_by_taint,
            "capacity": small,
            "room": full,
            "cordon": cordoned,
            "label": unlabelled,
        }
        assert scheduler.is_running
