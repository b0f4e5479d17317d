"""Several schedulers on the same nodes: what each keeps, and what nobody can guarantee."""

from __future__ import annotations

import pytest

from cluster_story import MakeNodes, Story
from controlplane import ControlPlane, SchedulerOptions, wait_until
from scheduler_process import SchedulerProcess
from scheduler_role import grant

pytestmark = pytest.mark.controlplane


def test_three_schedulers_keep_to_their_own_pods_and_only_races_overfill(
    control_plane: ControlPlane, namespace: str, make_nodes: MakeNodes
) -> None:
    """Two pilotfish and kube-scheduler fill the same nodes to the brim at the same time."""
    make_nodes(20, cpu="2")
    story = Story(control_plane, namespace)
    kubeconfigs = {}
    for name in ("first-fish", "second-fish"):
        kubeconfigs[name] = control_plane.service_account_kubeconfig("kube-system", name)
        grant(control_plane, name)
    control_plane.start_scheduler(SchedulerOptions(qps=5000, burst=5000))
    try:
        with (
            SchedulerProcess(kubeconfigs["first-fish"], scheduler_name="first-fish"),
            SchedulerProcess(kubeconfigs["second-fish"], scheduler_name="second-fish"),
        ):
            owner: dict[str, str] = {}
            for i in range(50):
                for scheduler in ("first-fish", "second-fish", "default-scheduler"):
                    pod = f"pod-{i}-{scheduler}"
                    story.create([pod], scheduler_name=scheduler, cpu="250m")
                    owner[pod] = scheduler
            story.wait_bound(list(owner))
            overfilled = story.overfilled_nodes()
    finally:
        control_plane.stop_scheduler()

    def all_binds() -> list[tuple[str, str, str]]:
        binds = _binds(control_plane, namespace)
        return binds if len(binds) >= len(owner) else []

    binds = wait_until(all_binds, "all lines of the audit log")
    assert {pod: user for user, pod, _ in binds} == owner
    assert len(binds) == len(owner)
    for node in overfilled:
        on_node = {user for user, _, target in binds if target == node}
        assert len(on_node) > 1, f"{node} was overfilled by {on_node} alone"


def _binds(control_plane: ControlPlane, namespace: str) -> list[tuple[str, str, str]]:
    """Return by whom, which pod, where, from the audit log of accepted binds."""
    found = []
    for event in control_plane.audit_events():
        target = event.get("objectRef", {})
        if target.get("subresource") != "binding" or target.get("namespace") != namespace:
            continue
        if event["stage"] != "ResponseComplete" or event["responseStatus"]["code"] != 201:
            continue
        user = event["user"]["username"].rsplit(":", 1)[-1]
        who = "default-scheduler" if user == "kube-scheduler" else user
        found.append((who, target["name"], event["requestObject"]["target"]["name"]))
    return found
