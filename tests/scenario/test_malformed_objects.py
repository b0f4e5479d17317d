"""A malformed object from the API affects that object alone, and is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster_story import MakeNodes, Story
from controlplane import ControlPlane
from fault_proxy import FaultProxy, Faults
from scheduler_process import SchedulerProcess

pytestmark = pytest.mark.controlplane

UNKNOWN_OPERATOR = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "a", "operator": "Resembles", "values": ["b"]}]}
            ]
        }
    }
}


@pytest.mark.parametrize(
    "mode", [("--mode", "watch"), ("--mode", "polling", "--interval", "0.3")], ids=lambda m: m[1]
)
def test_a_malformed_node_and_a_malformed_pod_are_reported_and_nothing_else_suffers(
    control_plane: ControlPlane,
    namespace: str,
    make_nodes: MakeNodes,
    scheduler_kubeconfig: Path,
    mode: tuple[str, ...],
) -> None:
    """One list item has a bad quantity, one watch line (or list item) an unknown operator."""
    broken, good = make_nodes(2)
    story = Story(control_plane, namespace)

    def rewrite(path: str, body: bytes) -> bytes:
        if path == "/api/v1/nodes" and broken.encode() in body:
            return _edited(body, broken, _break_quantity)
        if path == "/api/v1/pods" and b'"strange"' in body:
            return _edited(body, "strange", _break_operator)
        return body

    with (
        FaultProxy(control_plane, Faults(rewrite=rewrite)) as proxy,
        SchedulerProcess(proxy.kubeconfig(scheduler_kubeconfig), *mode) as scheduler,
    ):
        story.create(["strange"])
        names = [f"pod-{i}" for i in range(10)]
        story.create(names)

        assert set(story.wait_bound(names).values()) == {good}
        scheduler.wait_for(rf"node {broken}: .*status\.allocatable.*4 cores")
        scheduler.wait_for(rf"pod {namespace}/strange: .*spec\.affinity.*operator")
        assert story.node_of("strange") == ""
        assert scheduler.is_running
        assert scheduler.count("4 cores") == 1  # said once, not with every heartbeat or cycle


def _break_quantity(node: dict[str, Any]) -> None:
    node["status"]["allocatable"]["cpu"] = "4 cores"


def _break_operator(pod: dict[str, Any]) -> None:
    pod["spec"]["affinity"] = UNKNOWN_OPERATOR


def _edited(body: bytes, name: str, edit: Any) -> bytes:
    """Edit the object of this name in a list or in a watch line."""
    decoded = json.loads(body)
    items = decoded.get("items", [decoded.get("object", {})])
    for item in items:
        if item.get("metadata", {}).get("name") == name:
            edit(item)
    return json.dumps(decoded).encode()
