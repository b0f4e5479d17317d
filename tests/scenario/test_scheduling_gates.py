"""Scheduling gates on a cluster: a pod waits for the last of them, and can be steered meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster_story import MakeNodes, Plane, Story
from scheduler_process import SchedulerProcess

SERVERS = ("real", "embedded")

GATED = {"schedulingGates": [{"name": "example.com/quota"}, {"name": "example.com/data"}]}
FIRST_GATE = {"op": "remove", "path": "/spec/schedulingGates/0"}


@pytest.mark.parametrize("mode", ["watch", "polling"])
def test_pod_is_placed_once_its_gates_are_removed_one_by_one(
    control_plane: Plane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    mode: str,
) -> None:
    """Between two removals another pod is placed, so the scheduler has seen the first one."""
    make_nodes(1)
    (chosen,) = make_nodes(1, labels={"for": "data"})
    story = Story(control_plane, namespace)

    def patch(*operations: dict[str, Any]) -> None:
        story.api.patch(f"{story.path}/gated", list(operations), kind="json")

    def condition() -> tuple[str, str]:
        return story.node_of("gated"), story.wait_condition("gated")["reason"]

    with SchedulerProcess(scheduler_kubeconfig, "--mode", mode) as scheduler:
        story.create(["gated"], spec=GATED)
        story.create(["after-it"])
        story.wait_bound(["after-it"])
        assert condition() == ("", "SchedulingGated")

        patch(FIRST_GATE, {"op": "add", "path": "/spec/nodeSelector", "value": {"for": "data"}})
        story.create(["after-the-first-gate"])
        story.wait_bound(["after-the-first-gate"])
        assert condition() == ("", "SchedulingGated")

        patch(FIRST_GATE)
        assert story.wait_bound(["gated"]) == {"gated": chosen}
        scheduler.wait_for(f"{namespace}/gated -> ")
    assert scheduler.count(f"{namespace}/gated -> ") == 1  # no bind was tried in vain
    assert scheduler.count(f"{namespace}/gated is unschedulable") == 0
