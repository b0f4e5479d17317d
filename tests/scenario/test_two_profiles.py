"""Two profiles in one process, on the same nodes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from cluster_story import MakeNodes, Story
from config_text import configuration, enabled
from controlplane import ControlPlane, wait_until
from scheduler_process import SchedulerProcess

pytestmark = pytest.mark.controlplane

CPU_AND_MEMORY = [{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1}]
FULLEST = {"scoringStrategy": {"type": "MostAllocated", "resources": CPU_AND_MEMORY}}
PACKING = {
    "schedulerName": "packing",
    "plugins": {"multiPoint": enabled(NodeResourcesFit=10)},
    "pluginConfig": [{"name": "NodeResourcesFit", "args": FULLEST}],
}


@pytest.mark.parametrize("mode", ["watch", "polling"])
def test_pods_are_placed_by_the_profile_that_they_name(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    tmp_path: Path,
    mode: str,
) -> None:
    """One profile fills a node, the other takes the emptiest; neither touches a third's pods."""
    make_nodes(4, cpu="8", memory="16Gi")
    config = tmp_path / "scheduler.yaml"
    config.write_text(configuration(profiles=[PACKING, {"schedulerName": "spreading"}]))
    story = Story(control_plane, namespace)
    packed, spread = [f"packed-{i}" for i in range(5)], [f"spread-{i}" for i in range(3)]
    with SchedulerProcess(scheduler_kubeconfig, "--mode", mode, config=config) as scheduler:
        story.create(["other"])
        story.create(packed, scheduler_name="packing", cpu="500m")
        full = set(story.wait_bound(packed).values())
        story.create(spread, scheduler_name="spreading", cpu="500m")
        apart = set(story.wait_bound(spread).values())
        assert story.node_of("other") == ""
        for name, profile in ((packed[0], "packing"), (spread[0], "spreading")):
            (event,) = wait_until(partial(story.events, name, "Scheduled"), "an Event")
            assert event["reportingController"] == profile
            assert event["reportingInstance"].startswith(f"{profile}-")
    assert len(full) == 1
    assert len(apart) == len(spread)
    assert not full & apart
    assert scheduler.count(r"scheduler starting… name=packing,spreading") == 1
    assert scheduler.count(r"warning: leaderElection.leaderElect has no effect") == 0
