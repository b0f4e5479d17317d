"""A volume that nobody makes; on the embedded cluster somebody always does."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster_story import MakeNodes, Story
from config_text import configuration
from controlplane import ControlPlane, wait_until
from scheduler_process import SchedulerProcess
from volume_story import SELECTED_NODE, Storage, using

pytestmark = pytest.mark.controlplane


def test_a_volume_that_never_comes_holds_up_nobody_else(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    storage: Storage,
    tmp_path: Path,
) -> None:
    """The pod fails after bindTimeoutSeconds, and succeeds when its volume comes."""
    make_nodes(1)
    story = Story(control_plane, namespace)
    storage.make_claim("data", storage.make_class("WaitForFirstConsumer", "csi.example.com"))
    config = tmp_path / "scheduler.yaml"
    args = {"name": "VolumeBinding", "args": {"bindTimeoutSeconds": 3}}
    profile = {"schedulerName": "my-scheduler", "pluginConfig": [args]}
    config.write_text(configuration(profiles=[profile]))
    with SchedulerProcess(scheduler_kubeconfig, config=config) as scheduler:
        story.create(["stuck"], spec=using("data"))
        wait_until(
            lambda: SELECTED_NODE in (storage.claim("data")["metadata"].get("annotations") or {}),
            "a chosen node",
        )
        story.create(["other"])
        story.wait_bound(["other"])
        assert not story.node_of("stuck")
        failed = story.wait_condition("stuck")
        assert (failed["reason"], failed["message"]) == (
            "SchedulerError",
            'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded',
        )
        storage.provision("data")
        story.wait_bound(["stuck"])
        assert scheduler.is_running
