"""Killed API servers, lost history, cut connections: nothing is lost, bound twice or overfilled."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cluster_story import MakeNodes, Story
from controlplane import ControlPlane, wait_until
from fault_proxy import FaultProxy, Faults
from scheduler_process import SchedulerProcess

pytestmark = [pytest.mark.controlplane, pytest.mark.timeout(900)]

MODES = (("--mode", "watch"), ("--mode", "polling", "--interval", "0.5"))
DOWN_SECONDS = 10.0


def bad_network() -> Faults:
    """One request in twenty fails, one bind in ten loses its answer, watches never last."""
    return Faults(
        error_rate=0.05, delay_seconds=0.02, watch_bytes=(500, 200_000), cut_after_bind=0.1
    )


def bound_at(pod: dict[str, Any]) -> float:
    """Return when the API server bound a pod, to the second."""
    (at,) = (
        condition["lastTransitionTime"]
        for condition in pod["status"]["conditions"]
        if condition["type"] == "PodScheduled"
    )
    return datetime.fromisoformat(at).timestamp()


@pytest.mark.parametrize("mode", MODES, ids=("watch", "polling"))
def test_api_server_killed_under_load_behind_a_bad_network(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    mode: tuple[str, ...],
) -> None:
    """SIGKILL in mid-load, 10 s away, its history compacted; the nodes have no room to spare."""
    make_nodes(10, cpu="4")
    story = Story(control_plane, namespace)
    names = [f"pod-{i}" for i in range(150)]  # 15 to a node, of 16 that fit
    with (
        FaultProxy(control_plane, bad_network()) as proxy,
        SchedulerProcess(proxy.kubeconfig(scheduler_kubeconfig), *mode) as scheduler,
    ):
        created = story.create(names[:100], cpu="250m")
        wait_until(lambda: scheduler.count(r"^Bound ") >= 20, "the first binds")
        control_plane.kill_apiserver()
        killed_at = time.time()
        threading.Event().wait(DOWN_SECONDS)  # what is tested is the time without a server
        control_plane.compact_etcd()
        control_plane.start_apiserver()
        created += story.create(names[100:], cpu="250m")

        story.wait_bound(names)

        assert scheduler.is_running
        assert not story.overfilled_nodes()
        wait_until(lambda: scheduler.count(r"^Bound ") >= len(names), "a line for each bind")
        assert scheduler.count(r"^Bound ") == len(names)
        assert proxy.injected["500"]
        assert proxy.injected["bind cut after it was forwarded"]
        if "watch" in mode:
            assert proxy.injected["watch cut"]
    pods = story.pods()
    # The audit line of a bind is written with its answer: those cut off by the kill have none.
    of_the_second = {pod["metadata"]["uid"] for pod in pods.values() if bound_at(pod) > killed_at}
    assert of_the_second
    wait_until(
        lambda: of_the_second <= control_plane.successful_binds().keys(),
        "all lines of the audit log",
    )
    binds = control_plane.successful_binds()
    assert all(binds[pod["metadata"]["uid"]] <= 1 for pod in created)


@pytest.mark.parametrize("mode", MODES, ids=("watch", "polling"))
def test_memory_does_not_grow_with_faults(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    mode: tuple[str, ...],
) -> None:
    """Twenty rounds of load, cut watches, errors and lost binds; the memory of the third stays."""
    make_nodes(10, cpu="8")
    story = Story(control_plane, namespace)
    resident: list[int] = []
    uids: set[str] = set()
    with (
        FaultProxy(control_plane, bad_network()) as proxy,
        SchedulerProcess(proxy.kubeconfig(scheduler_kubeconfig), *mode) as scheduler,
    ):
        for fault in range(20):
            names = [f"round-{fault}-{i}" for i in range(40)]
            uids |= {pod["metadata"]["uid"] for pod in story.create(names)}
            proxy.cut_watches()
            if fault in {2, 15}:
                control_plane.restart_apiserver()
            story.wait_bound(names)
            story.api.delete(story.path, grace_seconds=0)
            wait_until(lambda: not story.pods(), "an empty namespace")
            resident.append(scheduler.rss_bytes)
        assert scheduler.is_running
    in_mb = [size >> 20 for size in resident]
    assert resident[-1] <= 1.15 * resident[2], f"MB after each round: {in_mb}"
    binds = control_plane.successful_binds()
    assert all(binds[uid] <= 1 for uid in uids)


def test_a_server_without_the_events_api_is_lived_without(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
) -> None:
    """Events are best effort: their absence is said once, and pods are bound."""
    make_nodes(2)
    story = Story(control_plane, namespace)
    names = [f"pod-{i}" for i in range(20)]
    with (
        FaultProxy(control_plane, Faults(missing=("/apis/events.k8s.io",))) as proxy,
        SchedulerProcess(proxy.kubeconfig(scheduler_kubeconfig)) as scheduler,
    ):
        story.create(names)
        story.wait_bound(names)
        scheduler.wait_for("events.k8s.io")
        assert scheduler.count("events.k8s.io") == 1
        assert scheduler.is_running
