"""A sample of the nodes is the one that kube-scheduler takes, on the same nodes."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
import pytest

import make
from cluster_story import Story
from controlplane import ControlPlane, SchedulerOptions, node_manifest
from parity.recording import WITHOUT_ADMISSION, scores_by_pod
from pilotfish.api.codec import decode
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.core.node_search import NodeSearch
from pilotfish.framework.profile import Profile
from pilotfish.plugins.default import default_profile

COUNT: Final = 240
OPTIONS: Final = SchedulerOptions(
    percentage_of_nodes_to_score=45,
    parallelism=1,  # more workers race for the last few nodes
    vmodule="schedule_one=10",
    feature_gates={"OpportunisticBatching": False},
)
TOLERANT: Final = {"tolerations": [{"operator": "Exists"}]}
LAST: Final = {"nodeSelector": {make.HOSTNAME_LABEL: f"n{COUNT - 1}"}}
"""Once a pod is bound there, all nodes are known."""


def node(i: int) -> dict[str, Any]:
    zones = [{make.ZONE_LABEL: zone} for zone in "abc"]
    taints = [{"key": "k", "effect": "NoSchedule"}] if i % 4 == 1 else []
    return node_manifest(f"n{i}", labels=[*zones, {}][i * i % 11 % 4], taints=taints)


@pytest.mark.controlplane
def test_samples_are_those_of_kube_scheduler_with_one_worker() -> None:
    """Both choose among equals as they like; the node that was chosen there counts here, too."""
    cache, search = ClusterCache(), NodeSearch()
    enabled = default_profile("default-scheduler").enabled
    profile = Profile("default-scheduler", enabled, percentage_of_nodes_to_score=45)
    ours: dict[str, set[str]] = {}
    plane = ControlPlane(
        controller_manager=False,
        kwok=False,
        audit=False,
        without_admission=WITHOUT_ADMISSION,
        scheduler=OPTIONS,
    )
    with plane:
        for one in plane.create(map(node, range(COUNT)), concurrency=1):
            cache.set_node(decode(Node, json.dumps(one).encode()))
        story = Story(plane, "default")
        for i, spec in enumerate((LAST, {}, TOLERANT, {}, TOLERANT, {}, {})):
            name = f"p{i}"
            (made,) = story.create([name], scheduler_name="default-scheduler", spec=spec)
            pod = decode(Pod, json.dumps(made).encode())
            found = search.found(pod, profile, cache, profile.filter(pod, cache))
            ours[pod.key] = {cache.nodes.names[row] for row in np.flatnonzero(found.feasible)}
            cache.assume(pod, story.wait_bound([name])[name])
        scores = scores_by_pod((plane.folder / "logs" / "kube-scheduler.log").read_text())
    assert ours.pop("default/p0") == {f"n{COUNT - 1}"}
    assert ours == {key: set(of_nodes) for key, of_nodes in scores.items()}
    assert {len(sample) for sample in ours.values()} == {COUNT * 45 // 100}
